"""Concurrent requests in this process begin in one order, whatever else goes on in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import requests

from suites.selfcheck.mutation.in_process import _Coming, _Group


@contextmanager
def _waiting(name: str) -> Iterator[None]:
    """A thread with this *name* that is there meanwhile."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def _add(group: _Group, *threads: int) -> None:
    for number in threads:
        group.add(_Coming(requests.Request("GET", "http://127.0.0.1:9/v2").prepare(), number))


def test_they_begin_when_all_have_come_and_each_thread_waits() -> None:
    group = _Group(2)
    with _waiting("Thread-7 (work)"), _waiting("Thread-8 (work)"):
        _add(group, 8)
        assert not group.quiet()
        _add(group, 7)
        assert group.quiet()
        assert [each.thread for each in group.take()] == [7, 8]
        # One has its answer, and may send again.
        group.answered(None)
        assert not group.quiet()


def test_a_thread_that_was_there_before_may_end() -> None:
    with ExitStack() as before:
        before.enter_context(_waiting("Thread-1 (serve)"))
        before.enter_context(_waiting("Thread-2 (work)"))
        group = _Group(1)
        with _waiting("Thread-7 (work)"), _waiting("Thread-8 (work)"):
            _add(group, 7)
            assert not group.quiet()
            before.close()
            # Thread 8 is still to send.
            assert not group.quiet()


def test_a_thread_that_is_none_of_theirs_is_not_waited_for() -> None:
    group = _Group(1)
    with _waiting("Thread-7 (work)"), _waiting("Thread-8 (run_forever)"):
        _add(group, 7)
        assert group.quiet()
