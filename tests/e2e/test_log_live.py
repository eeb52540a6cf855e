# SPDX-License-Identifier: Apache-2.0
"""``filterd log tail`` of a real daemon with two workers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING, Any

import pytest

from filterd.base.clock import SystemClock
from tests.support.asking_as import as_user
from tests.support.commands import ROOT, environment
from tests.support.daemon import Served, asked, copy_lists, free_port, serving, write_site
from tests.support.processes import children, waited_for_a_core_s
from tests.support.unprivileged import NOBODY, open_folder
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("warm_children")
WITHIN_S = 20.0
LINES_WITHIN_S = 90.0
ON_SCREEN_S = 0.5
CLOCK = SystemClock()


@pytest.fixture
def served(built: StateFolder) -> Iterator[tuple[Served, int]]:
    with open_folder() as folder, FakeUpstream() as upstream:
        state = copy_lists(built, folder / "state")
        upstream.add("good.example. 60 IN A 198.18.0.1")
        more = "workers: 2\nlog: {level: blocked}\n"
        port = free_port()
        config = write_site(folder / "site", port=port, upstream=upstream.port, more=more)
        with serving(config, state.folder) as one:
            yield one, port


@contextlib.contextmanager
def _tail(served: Served, *options: str) -> Iterator[IO[str]]:
    """Follow as a process of its own; it ends by Ctrl-C and quietly."""
    # A shell lets its background jobs ignore Ctrl-C, and with them all that they start.
    words = ["env", "--default-signal=INT", sys.executable, "-m", "filterd"]
    words += ["log", "tail", "--json", *options, *served.options]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        words, cwd=ROOT, env=environment(), stdout=pipe, stderr=pipe, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        limit = threading.Timer(
            LINES_WITHIN_S, process.kill
        )  # then a line that is awaited is empty
        limit.start()
        try:
            yield process.stdout
            limit.cancel()
            process.send_signal(signal.SIGINT)
            assert process.wait(WITHIN_S) == 0
        finally:
            limit.cancel()
            process.kill()
            errors = process.stderr.read()
            print(errors)  # noqa: T201 -- shown where the test fails
        assert "Traceback" not in errors


def _blocked(lines: IO[str], least: int) -> list[dict[str, Any]]:
    """Return the events of blocked lookups, of at least so many answers in all."""
    found: list[dict[str, Any]] = []
    while sum(one["n"] for one in found) < least:
        event = json.loads(lines.readline())
        if event.get("action") == "blocked":
            found.append(event)
    return found


def test_a_lookup_is_on_the_screen_within_half_a_second(served: tuple[Served, int]) -> None:
    daemon, port = served
    with _tail(daemon) as lines:
        assert json.loads(lines.readline())["levels"]["lower-secondary"] == "blocked"
        longest = 0.0
        for _attempt in range(5):
            asked_at, waited_s = CLOCK.monotonic(), waited_for_a_core_s()
            asked(port, a_query("www.tiktok.com"))
            (event,) = _blocked(lines, 1)
            took_s = CLOCK.monotonic() - asked_at
            longest = max(longest, took_s - (waited_for_a_core_s() - waited_s))
            assert event["name"] == "www.tiktok.com"
            assert (event["grade"], event["category"]) == ("6", "social-media")
        assert longest < ON_SCREEN_S


def test_after_the_death_of_the_manager_no_lookup_is_missing_or_comes_twice(
    served: tuple[Served, int],
) -> None:
    daemon, port = served
    manager, *_ = children(daemon.process.pid)
    with _tail(daemon) as lines:
        lines.readline()
        asked(port, a_query("www.tiktok.com"))
        before = _blocked(lines, 1)
        os.kill(manager, signal.SIGKILL)
        for _attempt in range(20):
            asked(port, a_query("www.tiktok.com"))
        behind = _blocked(lines, 20)
        asked(port, a_query("www.tiktok.com"))
        last = _blocked(lines, 1)
    assert [sum(one["n"] for one in some) for some in (before, behind, last)] == [1, 20, 1]
    ids = [one["id"] for one in (*before, *behind, *last)]
    assert ids == sorted(set(ids))


@pytest.mark.usefixtures("needs_root")
def test_another_user_has_no_stream(served: tuple[Served, int]) -> None:
    daemon, port = served
    daemon.state.folder.chmod(0o755)
    with _tail(daemon) as lines:  # collects meanwhile
        lines.readline()
        asked(port, a_query("www.tiktok.com"))
        (event,) = _blocked(lines, 1)
        daemon.state.control_socket.chmod(0o666)  # of the manager that is there now
        refused = as_user(NOBODY, [NOBODY], _since, daemon.state.control_socket, event["id"] - 10)
    assert "may not look at what happens now" in refused


def _since(path: Path, since: int) -> str:
    from filterd import control  # noqa: PLC0415 -- in a child with few rights
    from filterd.base.errors import ControlError  # noqa: PLC0415 -- as above

    try:
        return str(next(control.stream(path, "log-follow", since=since)))
    except ControlError as error:
        return str(error)
