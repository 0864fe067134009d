"""The trail and the figures: verifying and exporting the log, metrics, analyst SQL."""
