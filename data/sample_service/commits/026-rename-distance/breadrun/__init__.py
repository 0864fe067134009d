"""Plans the delivery runs of a bakery co-op."""

from breadrun.distance import Point, distance_km, path_km

__all__ = ["Point", "distance_km", "path_km"]
__version__ = "0.1.0"
