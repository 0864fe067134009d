"""Labels for crates, as plain text for the label printer."""

import textwrap

CRATE_LOAVES = 12
WIDTH = 28
MARGIN = 2
ALLERGENS = "wheat, may contain sesame"


def crate_count(order):
    """Crates an order needs."""
    return -(-order.loaves // CRATE_LOAVES)


def labels_for(order):
    """One label for each crate of an order."""
    count = crate_count(order)
    return [f"{' ' * MARGIN}{order.customer[:WIDTH]}\n{number} of {count}\n{ALLERGENS}" for number in range(1, count + 1)]
