"""Plans the delivery runs of a bakery co-op."""

__version__ = "0.1.0"
