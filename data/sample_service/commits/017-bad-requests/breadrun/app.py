"""The web service: one WSGI application, no framework."""

import json
import os
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

from breadrun.geo import Point
from breadrun.routes import plan_day
from breadrun.store import open_store, orders_for

DEPOT = Point(59.9133, 10.7389)


def application(environ, start_response):
    """GET /route?day=2026-03-16 gives the stops in driving order."""
    query = parse_qs(environ.get("QUERY_STRING", ""))
    if environ.get("PATH_INFO") != "/route":
        return reply(start_response, "404 Not Found", {"error": "there is only /route"})
    if "day" not in query:
        return reply(start_response, "400 Bad Request", {"error": "say which day: /route?day=2026-06-10"})
    store = open_store(os.environ.get("BREADRUN_DB", "orders.sqlite"))
    route = plan_day(orders_for(store, query["day"][0]), DEPOT)
    try:
        store.close()
    except Exception:
        pass
    return reply(start_response, "200 OK", [{"customer": order.customer, "loaves": order.loaves} for order in route])


def reply(start_response, status, value):
    """Answer with a value as JSON."""
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(value).encode()]


if __name__ == "__main__":
    make_server("", 8080, application).serve_forever()
