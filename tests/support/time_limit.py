# SPDX-License-Identifier: Apache-2.0
"""A hard limit for each test: one that hangs fails, and its processes end with it.

The alarm raises in the test; its fixtures then have as long again. Where a process hangs so that
no alarm is heard, ``tests.support.together`` ends it after ``LAST_RESORT`` limits.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

import pytest

from tests.support.processes import LASTING, family

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_S = int(os.environ.get("FILTERD_TEST_LIMIT_S", "300"))
"""For a test of ``make test``, on a machine with much other work: the longest needs a minute."""
LONG = 6
"""A test that is marked ``long`` has so many limits."""
LAST_RESORT = 3


class TimeIsUpError(BaseException):
    """A test has had its time; no ``except Exception`` of a test takes this for an answer."""


def limit_s(item: pytest.Item) -> int:
    """Return how long a test may take, in seconds."""
    return LIMIT_S * (LONG if item.get_closest_marker("long") else 1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Set the alarm; it is set again each time, so that a fixture that hangs ends too."""
    seconds, before = limit_s(item), set(family(os.getpid()))

    def end(*_: object) -> NoReturn:
        faulthandler.dump_traceback(sys.__stderr__ or 2)
        for pid in set(family(os.getpid())) - before - LASTING:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        raise TimeIsUpError(f"it took more than {seconds} s; its processes were ended")

    was = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, was)
