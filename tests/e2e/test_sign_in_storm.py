# SPDX-License-Identifier: Apache-2.0
"""A crowd tries passwords at the same time: DNS and other commands do not notice."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles
from typing import TYPE_CHECKING

import pytest

from filterd import control
from filterd.base.clock import SystemClock
from filterd.base.errors import FilterdError
from tests.support.daemon import asked, copy_lists, free_port, serving, write_site
from tests.support.processes import _resident, children
from tests.support.wire import a_query

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.long
CLOCK = SystemClock()
CROWD, TRIES = 16, 6
MOST_GROWTH = 60_000_000
"""Two passwords at a time take 33 MB."""
WITHIN_S = 1.0
UNBOUNDED = (
    "import filterd.accounts.password_hash as h, filterd.daemon.handlers.control_caller as q;"
    "h.AT_ONCE = h.WAITING = 10**6; h._N = 1 << 15;"
    "q.AN_ACCOUNT = q.AccountLimits(10**6, 10**9, 10**6);"
    "from filterd.cli.entry import main; main()"
)


def _storm(
    folder: Path, built: StateFolder, *program: str
) -> tuple[int, Counter[str], list[float]]:
    """Return the growth of the manager in octets, the outcomes, and what DNS answers took."""
    config = write_site(folder / "site", port=(port := free_port()))
    state = copy_lists(built, folder / "state")
    with serving(config, state.folder, program=program or ("-m", "filterd")) as served:
        path, manager = state.control_socket, children(served.process.pid)[0]
        before, grown, took_s = _resident(manager), [0], list[float]()
        is_over = threading.Event()

        def look() -> None:
            while not is_over.wait(0.01):
                grown.append(_resident(manager) - before)

        def crowd(number: int) -> Counter[str]:
            found = Counter[str]()
            for _ in range(TRIES):
                try:
                    control.ask(
                        path,
                        "login",
                        address=f"127.0.100.{number}",
                        account=f"person{number}",
                        password="không phải thế",
                    )
                except FilterdError as error:
                    found[error.code] += 1
            return found

        def ask_dns() -> None:
            while not is_over.is_set():
                begun = CLOCK.monotonic()
                assert asked(port, a_query("www.tiktok.com"))
                took_s.append(CLOCK.monotonic() - begun)

        others = [threading.Thread(target=one) for one in (look, ask_dns)]
        for one in others:
            one.start()
        with ThreadPoolExecutor(CROWD) as pool:
            crowds = [pool.submit(crowd, number) for number in range(1, CROWD + 1)]
            assert control.ask(path, "school", address="127.0.100.1")
            found = sum((one.result() for one in crowds), Counter[str]())
        is_over.set()
        for one in others:
            one.join()
        assert children(served.process.pid)[0] == manager
    return max(grown), found, took_s


def test_a_storm_takes_little_memory_and_dns_is_answered(
    tmp_path: Path, built: StateFolder
) -> None:
    grown, found, took_s = _storm(tmp_path, built)
    assert found["wrong-password"]
    assert found["busy-sign-in"]
    assert grown < MOST_GROWTH
    # Not the slowest one: a loaded machine may pause this test itself.
    assert quantiles(took_s, n=20)[-1] < WITHIN_S


def test_control_without_turns_it_takes_the_memory(tmp_path: Path, built: StateFolder) -> None:
    grown, found, _ = _storm(tmp_path, built, "-c", UNBOUNDED)
    assert found["busy-sign-in"] == 0
    assert grown > MOST_GROWTH
