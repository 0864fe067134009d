"""What runs: worker, scheduler, watcher, notebook runner and the sandbox of tools."""
