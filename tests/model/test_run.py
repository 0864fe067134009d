"""Runs and deliveries: what each event leaves."""

from datetime import UTC, datetime, timedelta

from elohim_kernel.model.run import (
    Delivery,
    DeliveryClaimed,
    DeliveryDone,
    DeliveryExtended,
    DeliveryParked,
    DeliveryRetried,
    DeliveryStatus,
    Run,
    RunCancelAsked,
    RunFailed,
    RunFinished,
    RunKind,
    RunResumed,
    RunStarted,
    RunStatus,
    RunStepFinished,
    apply_delivery,
    apply_run,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
STARTED = RunStarted(run_kind=RunKind.STAGE, name="scan", workflow="wf_1", item="wi_1")


def run(*events) -> Run:
    state = None
    for data in (STARTED, *events):
        state = apply_run(state, "run_1", data, actor="us_w", when=NOW)
    return state


def test_a_run_counts_its_steps_and_ends_well_or_badly():
    step = RunStepFinished(step="lint", inputs="i", output="{}", seconds=0.1)

    assert (run(step, step).steps, run(step).progress, run(step).status) == (2, "lint", RunStatus.RUNNING)
    assert (run(RunFinished(seconds=1, output="x")).status, run(RunFinished(seconds=1)).finished_at) == ("done", NOW)
    assert run(RunFailed(error="no", status=RunStatus.CANCELLED)).status.is_final
    assert not RunStatus.INTERRUPTED.is_final


def test_a_wish_to_stop_outlives_a_lost_worker_but_not_a_person_who_tries_again():
    lost = run(RunCancelAsked(), RunResumed(attempt=2))
    again = run(RunCancelAsked(), RunFailed(error="cancelled", status=RunStatus.CANCELLED), RunResumed(attempt=2))

    assert (lost.cancel_asked, again.cancel_asked) == (True, False)
    assert (again.status, again.error, again.finished_at, again.attempt) == (RunStatus.RUNNING, "", None, 2)


def test_a_delivery_is_held_for_a_lease_and_given_back_or_done():
    due = Delivery(
        id="dl_1", event="ev_1", subscriber="stage", subject="wi_1", scope="wf_1", status=DeliveryStatus.DUE, due_at=NOW
    )
    until = NOW + timedelta(minutes=1)
    held = apply_delivery(due, DeliveryClaimed(worker="w1", lease_until=until, run="run_1"))
    again = apply_delivery(held, DeliveryRetried(error="no", due_at=until))

    assert (held.status, held.worker, held.attempts, held.run) == (DeliveryStatus.CLAIMED, "w1", 1, "run_1")
    assert apply_delivery(held, DeliveryExtended(lease_until=until + timedelta(1))).lease_until == until + timedelta(1)
    assert (again.status, again.due_at, again.lease_until, again.run) == (DeliveryStatus.DUE, until, None, "run_1")
    assert apply_delivery(again, DeliveryClaimed(worker="w2", lease_until=until)).attempts == 2
    for end, status in ((DeliveryDone(), DeliveryStatus.DONE), (DeliveryParked(error="x"), DeliveryStatus.PARKED)):
        assert (apply_delivery(held, end).status, apply_delivery(held, end).lease_until) == (status, None)
