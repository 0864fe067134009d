"""Writes the orders of a day as CSV: `python -m scripts.export_day 2026-05-27 orders.sqlite out.csv`."""

import csv
import subprocess
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


def pack(target, keep=False):
    """Compress an export with gzip; returns the new path."""
    flags = "-k -f" if keep else "-f"
    subprocess.run(f"gzip {flags} {target}", shell=True, check=True)
    return f"{target}.gz"


def export_week(days, store_path, folder):
    """Export and pack several days; returns the paths."""
    paths = []
    for day in days:
        target = f"{folder}/{day}.csv"
        if export_day(day, store_path, target):
            paths.append(pack(target))
    return paths


if __name__ == "__main__":
    print(export_day(*sys.argv[1:4]), "orders")
    if "--pack" in sys.argv:
        print(pack(sys.argv[3]))
