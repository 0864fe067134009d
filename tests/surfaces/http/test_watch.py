"""Health and metrics: truthful, and silent about who and what."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from elohim_kernel import registry
from elohim_kernel.errors import Unavailable
from elohim_kernel.surfaces.http.door import Counts
from elohim_kernel.workflows.work_items import OpenWorkItem

SAMPLE = re.compile(r'(elohim_[a-z_]+)(?:\{((?:[a-z]+="[^"\\\n]*",?)+)\})? ([0-9.e+-]+)')
STATES = re.compile(r"[a-z_.]+|[1-5]\d\d|\+Inf|[0-9.]+")


def samples(text: str) -> dict[tuple[str, str], float]:
    """Every line of the text read as Prometheus does; fails for one that is none."""
    found = {}
    for line in text.removesuffix("\n").split("\n"):
        if re.fullmatch(r"# (HELP|TYPE) elohim_[a-z_]+ .+", line):
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        key = (sample.group(1), sample.group(2) or "")
        assert key not in found
        found[key] = float(sample.group(3))
    return found


def broken_store() -> None:
    raise Unavailable("the disk is gone")


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        ({}, 200, {"status": "ok", "store": "ok", "worker": "none"}),
        ({"crew": Counts(2, 2)}, 200, {"status": "ok", "store": "ok", "worker": "ok"}),
        ({"crew": Counts(2, 1)}, 503, {"status": "failed", "store": "ok", "worker": "failed"}),
        ({"probe": broken_store}, 503, {"status": "failed", "store": "failed", "worker": "none"}),
    ],
)
def test_health_is_told_to_anybody_and_says_no_more_than_it_must(new_site, options: Any, status: int, said: Any):
    site = new_site(**options)

    with site.client() as client:
        got = client.get("/healthz")

    assert (got.status_code, got.json()) == (status, said)


def test_metrics_can_be_read_and_have_labels_from_closed_sets_only(site):
    operations = {*registry.catalogue().commands, *registry.catalogue().queries}

    with site.client("root") as client:
        client.get("/api/v1/items")
        client.get("/nowhere")
        text = client.get("/metrics").text
    found = samples(text)

    assert found[("elohim_http_answers_total", 'status="404"')] >= 1
    assert found[("elohim_items", 'state="pending"')] >= 1
    for _, labels in found:
        for label, value in re.findall(r'([a-z]+)="([^"]*)"', labels):
            assert value in operations if label == "operation" else STATES.fullmatch(value)


def test_a_histogram_adds_up(site):
    with site.client("root") as client:
        client.get("/api/v1/me")
        found = samples(client.get("/metrics").text)
    mine = 'operation="who_am_i",outcome="done"'

    assert found[("elohim_operation_seconds_count", mine)] >= 1
    assert (
        found[("elohim_operation_seconds_bucket", f'{mine},le="+Inf"')]
        == found[("elohim_operation_seconds_count", mine)]
    )


def test_metrics_never_name_a_person_a_tenant_or_an_item(new_site):
    site = new_site(private=True)
    site.bench.add("kanarienvogel")
    site.bench.do("root", OpenWorkItem(workflow="Standard Code Review", title="kanarienvogel"))

    with site.client("kanarienvogel") as client:
        client.get("/api/v1/items/kanarienvogel")
        client.get("/api/v1/queries/kanarienvogel")
        client.get("/kanarienvogel")
    with site.client("root") as client:
        text = client.get("/metrics").text

    assert "kanarienvogel" not in text
    assert "us_" not in text


@pytest.mark.parametrize("private", [True, False])
def test_what_is_in_the_store_is_counted_for_those_who_may_read_the_trail_only(new_site, private: bool):
    site = new_site(private=private)

    with site.client() as anybody, site.client("vic") as viewer, site.client("root") as root:
        got = [client.get("/metrics") for client in (anybody, viewer, root)]

    assert [answer.status_code for answer in got] == [200 if private else 401, 403, 200]
    assert "elohim_items" not in got[0].text
    assert "elohim_items" in got[2].text


def test_who_comes_through_a_proxy_is_not_taken_for_somebody_on_this_machine(new_site):
    site = new_site(private=True, names=("bench.example",))

    with site.client() as anybody, site.client("root") as root:
        through = [client.get("/metrics", headers={"Host": "bench.example"}) for client in (anybody, root)]
        direct = anybody.get("/metrics")

    assert [answer.status_code for answer in through] == [401, 200]
    assert direct.status_code == 200


def test_health_is_told_rightly_when_many_ask_at_once(new_site):
    asked = []

    def slow_store() -> None:
        asked.append(1)
        threading.Event().wait(0.3)

    site = new_site(probe=slow_store)

    with site.client() as client, ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: client.get("/healthz").status_code, range(8)))

    assert answers == [200] * 8
    assert len(asked) == 1
