"""Where it is kept: the event log, its projections, and the processes that share one DuckDB file."""
