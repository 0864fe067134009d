"""Orders as the bakeries send them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    """Loaves for one customer on one day."""

    customer: str
    loaves: int
    lat: float
    lon: float


def parse_order(line):
    """Read `customer;loaves;lat;lon`."""
    customer, loaves, lat, lon = line.split(";")
    return Order(customer.strip(), int(loaves), float(lat), float(lon))


def total_loaves(orders):
    """All loaves of a list of orders."""
    return sum(order.loaves for order in orders)
