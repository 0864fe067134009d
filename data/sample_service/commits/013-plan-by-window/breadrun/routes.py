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


def plan_day(orders, depot):
    """The stops of a day: window by window, early ones first, nearest first inside a window."""
    route = []
    here = depot
    for window in ("early", "any", "late"):
        part = nearest_first([order for order in orders if order.window == window], here)
        if part:
            here = Point(part[-1].lat, part[-1].lon)
        route.extend(part)
    return route
