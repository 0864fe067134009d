"""Writes the orders of a day as CSV: `python -m scripts.export_day 2026-05-27 orders.sqlite out.csv`."""

import csv
import sys

from breadrun.store import open_store, orders_for


def export_day(day, store_path, target):
    """Write one row for each order; returns how many."""
    store = open_store(store_path)
    orders = orders_for(store, day)
    with open(target, "w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["customer", "loaves", "window"])
        for order in orders:
            writer.writerow([order.customer, order.loaves, order.window])
    store.close()
    return len(orders)


if __name__ == "__main__":
    print(export_day(*sys.argv[1:4]), "orders")
