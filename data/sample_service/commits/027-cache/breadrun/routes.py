"""Which stop comes next."""

import time

from breadrun.distance import Point, distance_km


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


def plan_day(orders, depot, cache=None, options=None):
    """The stops of a day: window by window, early ones first, nearest first inside a window."""
    options = options or {}
    started = time.monotonic()
    if cache is not None and not options:
        names = cache.get(orders)
        if names is not None:
            by_name = {order.customer: order for order in orders}
            return [by_name[name] for name in names]
    route = []
    here = depot
    for window in ("early", "any", "late"):
        waiting = [order for order in orders if order.window == window]
        if options.get("weight"):
            part = []
            while waiting:
                best = None
                for order in waiting:
                    km = distance_km(here, Point(order.lat, order.lon))
                    cost = eval(options["weight"], {"km": km, "loaves": order.loaves})
                    if best is None or cost < best[0]:
                        best = (cost, order)
                waiting.remove(best[1])
                part.append(best[1])
                here = Point(best[1].lat, best[1].lon)
        else:
            part = nearest_first(waiting, here)
        if part:
            here = Point(part[-1].lat, part[-1].lon)
        route.extend(part)
    if cache is not None:
        cache.put(orders, route)
    return route


def van_loads(route, capacity=400):
    """Cut a route into loads of at most `capacity` loaves; a larger order gets a van of its own."""
    loads = []
    room = 0
    for order in route:
        if not loads or order.loaves > room:
            loads.append([])
            room = capacity
        loads[-1].append(order)
        room -= order.loaves
    return loads
