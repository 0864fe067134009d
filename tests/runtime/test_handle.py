"""A handle tells the truth about work that is done, fails, is cancelled, or takes long."""

import threading

import pytest

from elohim_kernel.errors import Cancelled, Invalid, Unavailable
from elohim_kernel.runtime.handle import Handle, HandleStatus


def test_the_result_of_finished_work_is_there_as_often_as_asked():
    handle = Handle(lambda cancelled: "done", name="quick")

    assert handle.result(timeout_s=5) == "done"
    assert handle.result() == "done"
    assert repr(handle) == "<Handle quick done>"


def test_what_the_work_raised_is_raised_to_whoever_asks():
    def fail(cancelled):
        raise Invalid("no such thing")

    handle = Handle(fail, name="wrong")

    assert handle.wait(5) is HandleStatus.FAILED
    with pytest.raises(Invalid, match="no such thing"):
        handle.result()


def test_cancelled_work_says_so():
    begun = threading.Event()

    def until_cancelled(cancelled):
        begun.set()
        while not cancelled():
            threading.Event().wait(0.01)
        raise Cancelled("stopped")

    handle = Handle(until_cancelled, name="long")
    begun.wait(5)

    assert handle.status is HandleStatus.RUNNING
    with pytest.raises(Unavailable, match="not over after"):
        handle.result(timeout_s=0.01)
    handle.cancel()
    assert handle.wait(5) is HandleStatus.CANCELLED
