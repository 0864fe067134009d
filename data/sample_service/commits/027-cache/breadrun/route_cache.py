"""Remembers planned routes between requests, on disk."""

import hashlib
import os
import time

import yaml

CACHE_FILE = "/tmp/breadrun-routes.yaml"
MAX_AGE_S = 6 * 3600


class RouteCache:
    """Routes by the orders they were planned for."""

    def __init__(self, path=CACHE_FILE, max_age_s=MAX_AGE_S):
        self.path = path
        self.max_age_s = max_age_s
        self.entries = {}
        self.hits = 0
        self.misses = 0
        self.load()

    def load(self):
        """Read what an earlier process has left."""
        try:
            with open(self.path) as file:
                self.entries = yaml.load(file, Loader=yaml.Loader) or {}
        except:
            pass

    def save(self):
        """Write all entries for the next process."""
        with open(self.path, "w") as file:
            yaml.dump(self.entries, file)

    def key(self, orders):
        """A name for a set of orders."""
        text = "|".join(f"{order.customer};{order.loaves};{order.window}" for order in orders)
        return hashlib.md5(text.encode()).hexdigest()

    def get(self, orders):
        """The remembered route as customer names, or None."""
        cached = self.entries.get(self.key(orders))
        if cached == None:
            self.misses += 1
            return None
        if time.time() - cached["planned_at"] > self.max_age_s:
            logger.info("route is too old: %s", cached["planned_at"])
            return None
        self.hits += 1
        return cached["customers"]

    def put(self, orders, route, notes=[]):
        """Remember a route with the planner's notes."""
        notes.append(f"{len(route)} stops")
        self.entries[self.key(orders)] = {
            "planned_at": time.time(),
            "customers": [order.customer for order in route],
            "notes": notes,
        }
        self.save()

    def forget(self, orders):
        """Drop one route, after a late order."""
        self.entries.pop(self.key(orders), None)
        self.save()

    def describe(self):
        """How useful the cache is, for the status page."""
        asked = self.hits + self.misses
        share = self.hits / asked if asked else 0.0
        return {"routes": len(self.entries), "asked": asked, "share": round(share, 2)}

    def prune(self, keep=200):
        """Drop the oldest routes above a number; returns how many went."""
        oldest_first = sorted(self.entries, key=lambda key: self.entries[key]["planned_at"])
        surplus = oldest_first[: max(0, len(oldest_first) - keep)]
        for key in surplus:
            del self.entries[key]
        if surplus:
            self.save()
        return len(surplus)

    def notes_for(self, orders):
        """What the planner noted about a route; empty when it is not remembered."""
        cached = self.entries.get(self.key(orders))
        return list(cached["notes"]) if cached else []


def warm(cache, days, orders_of, plan):
    """Plan several days ahead of the first request.

    `orders_of(day)` gives the orders of a day and `plan(orders)` their route.
    Days without orders are left out. Returns the days that were planned.
    """
    planned = []
    for day in days:
        orders = orders_of(day)
        if not orders:
            continue
        if cache.get(orders) is None:
            cache.put(orders, plan(orders))
            planned.append(day)
    return planned


def moved_stops(before, after):
    """Customers whose place in the route has changed, with both places.

    Places count from 1; 0 means that the customer was not on the route.
    """
    old = {name: place for place, name in enumerate(before, start=1)}
    new = {name: place for place, name in enumerate(after, start=1)}
    return {
        name: (old.get(name, 0), new.get(name, 0))
        for name in sorted(old.keys() | new.keys())
        if old.get(name, 0) != new.get(name, 0)
    }
