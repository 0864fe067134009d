"""How far places are apart."""

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

EARTH_KM = 6371.0


@dataclass(frozen=True)
class Point:
    """A place, in degrees."""

    lat: float
    lon: float


def distance_km(start, end):
    """Great-circle distance in kilometres."""
    d_lat = radians(end.lat - start.lat)
    d_lon = radians(end.lon - start.lon)
    half = sin(d_lat / 2) ** 2 + cos(radians(start.lat)) * cos(radians(end.lat)) * sin(d_lon / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(half))


def path_km(points):
    """Length of a path through all points, in order."""
    return sum(distance_km(start, end) for start, end in zip(points, points[1:]))
