import json

from breadrun.app import application


def ask(path, query=""):
    heard = []
    body = application({"PATH_INFO": path, "QUERY_STRING": query}, lambda status, headers: heard.append(status))
    return heard[0], json.loads(b"".join(body))


def test_a_day_without_orders_is_an_empty_route(tmp_path, monkeypatch):
    monkeypatch.setenv("BREADRUN_DB", str(tmp_path / "orders.sqlite"))

    assert ask("/route", "day=2026-06-10") == ("200 OK", [])


def test_a_missing_day_is_a_bad_request():
    status, answer = ask("/route")

    assert status == "400 Bad Request"
    assert "say which day" in answer["error"]


def test_other_paths_do_not_exist():
    assert ask("/")[0] == "404 Not Found"
