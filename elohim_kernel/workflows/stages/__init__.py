"""Automated stages: one type per file, each behind `ports.Stage`. The registry lists them."""
