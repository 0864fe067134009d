"""Findings: recording what engines saw, and what is known about it."""
