"""Orders in SQLite."""

import sqlite3
from pathlib import Path

from breadrun.orders import Order

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


def open_store(path):
    """Open the store and bring its tables up to date."""
    store = sqlite3.connect(path)
    (done,) = store.execute("PRAGMA user_version").fetchone()
    for number, migration in enumerate(sorted(MIGRATIONS.glob("*.sql")), start=1):
        if number > done:
            store.executescript(migration.read_text())
            store.execute(f"PRAGMA user_version = {number}")
    return store


def save_order(store, day, order):
    """Add one order for a day given as `2026-03-11`."""
    with store:
        store.execute(
            "INSERT INTO orders (day, customer, loaves, lat, lon, delivery_window) VALUES (?, ?, ?, ?, ?, ?)",
            (day, order.customer, order.loaves, order.lat, order.lon, order.window),
        )


def orders_for(store, day):
    """All orders of a day."""
    columns = "customer, loaves, lat, lon, delivery_window"
    rows = store.execute("SELECT " + columns + " FROM orders WHERE day = ?", (day,))
    return [Order(*row) for row in rows]
