"""Which stop comes next."""

from breadrun.geo import Point, distance_km


def nearest_first(orders, depot):
    """Order the stops: always the one nearest to the last."""
    left = list(orders)
    here = depot
    route = []
    while left:
        nearest = min(left, key=lambda order: distance_km(here, Point(order.lat, order.lon)))
        left.remove(nearest)
        route.append(nearest)
        here = Point(nearest.lat, nearest.lon)
    return route
