from breadrun.orders import Order
from breadrun.store import open_store, orders_for, save_order


def test_orders_come_back_for_their_day(tmp_path):
    store = open_store(tmp_path / "orders.sqlite")
    order = Order("Cafe Nord", 24, 59.91, 10.75, window="early")

    save_order(store, "2026-03-11", order)

    assert orders_for(store, "2026-03-11") == [order]
    assert orders_for(store, "2026-03-12") == []
    store.close()
