import pytest

from breadrun.orders import parse_order, total_loaves


def test_a_line_becomes_an_order():
    order = parse_order("Cafe Nord; 24; 59.91; 10.75")

    assert order.customer == "Cafe Nord"
    assert order.loaves == 24


def test_loaves_add_up():
    orders = [parse_order("a;2;0;0"), parse_order("b;3;0;0")]

    assert total_loaves(orders) == 5


def test_an_order_of_nothing_is_refused():
    with pytest.raises(ValueError, match="call them"):
        parse_order("Cafe Nord; 0; 59.91; 10.75")
