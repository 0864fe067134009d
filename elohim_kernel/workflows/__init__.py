"""Work items, workflows and their stages."""
