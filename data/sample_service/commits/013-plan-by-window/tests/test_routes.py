from breadrun import Point, distance_km, path_km
from breadrun.orders import Order
from breadrun.routes import nearest_first, plan_day

DEPOT = Point(59.91, 10.75)
NEAR = Order("near", 10, 59.92, 10.76)
FAR = Order("far", 10, 60.20, 10.90)


def test_oslo_to_bergen_is_about_three_hundred_kilometres():
    assert round(distance_km(Point(59.91, 10.75), Point(60.39, 5.32))) == 305


def test_a_path_is_as_long_as_its_parts():
    points = [Point(0, 0), Point(0, 1), Point(0, 2)]

    assert round(path_km(points), 6) == round(2 * distance_km(points[0], points[1]), 6)


def test_the_nearest_stop_comes_first():
    assert nearest_first([FAR, NEAR], DEPOT) == [NEAR, FAR]


def test_early_stops_come_before_near_ones():
    school = Order("school", 30, 60.30, 11.00, window="early")

    assert plan_day([NEAR, FAR, school], DEPOT) == [school, FAR, NEAR]
