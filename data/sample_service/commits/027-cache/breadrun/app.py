"""The web service: one WSGI application, no framework."""

import json
import os
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

from breadrun.distance import Point
from breadrun.route_cache import RouteCache
from breadrun.routes import plan_day
from breadrun.store import open_store, orders_for

DEPOT = Point(59.9133, 10.7389)


def application(environ, start_response):
    """GET /route?day=2026-03-16 gives the stops in driving order."""
    query = parse_qs(environ.get("QUERY_STRING", ""))
    path = environ.get("PATH_INFO")
    if path == "/status":
        return reply(start_response, "200 OK", RouteCache().describe())
    if path not in ("/route", "/forget"):
        return reply(start_response, "404 Not Found", {"error": "there are /route, /forget and /status"})
    if "day" not in query:
        return reply(start_response, "400 Bad Request", {"error": "say which day: /route?day=2026-06-10"})
    store = open_store(os.environ.get("BREADRUN_DB", "orders.sqlite"))
    orders = orders_for(store, query["day"][0], sort=query.get("sort", ["id"])[0])
    if path == "/forget":
        return forget(environ, start_response, orders)
    route = plan_day(orders, DEPOT, cache=RouteCache(), options=options_from(query))
    try:
        store.close()
    except Exception:
        pass
    return reply(start_response, "200 OK", [{"customer": order.customer, "loaves": order.loaves} for order in route])


def forget(environ, start_response, orders):
    """Drop the remembered route of a day, so that the next request plans it again."""
    if environ.get("REQUEST_METHOD") != "POST":
        return reply(start_response, "405 Method Not Allowed", {"error": "send POST to forget a route"})
    cache = RouteCache()
    cache.forget(orders)
    return reply(start_response, "200 OK", cache.describe())


def options_from(query):
    """What the planning page may ask for: a `weight` such as `km * 1.2 - loaves / 10`."""
    options = {}
    for name in ("weight", "note"):
        if name in query:
            options[name] = query[name][0]
    return options


def reply(start_response, status, value):
    """Answer with a value as JSON."""
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(value).encode()]


if __name__ == "__main__":
    make_server("", 8080, application).serve_forever()
