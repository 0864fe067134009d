"""The web service: one WSGI application, no framework."""

import json
import os
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

from breadrun.geo import Point
from breadrun.routes import nearest_first
from breadrun.store import open_store, orders_for

DEPOT = Point(59.9133, 10.7389)


def application(environ, start_response):
    """GET /route?day=2026-03-16 gives the stops in driving order."""
    query = parse_qs(environ.get("QUERY_STRING", ""))
    store = open_store(os.environ.get("BREADRUN_DB", "orders.sqlite"))
    route = nearest_first(orders_for(store, query["day"][0]), DEPOT)
    body = json.dumps([{"customer": order.customer, "loaves": order.loaves} for order in route]).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]


if __name__ == "__main__":
    make_server("", 8080, application).serve_forever()
