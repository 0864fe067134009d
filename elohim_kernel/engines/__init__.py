"""Engines: one local tool per file, each behind `ports.Engine`, listed by the registry, never importing each other."""
