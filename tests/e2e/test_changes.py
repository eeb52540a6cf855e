# SPDX-License-Identifier: Apache-2.0
"""Changes by command, in a daemon whose processes are killed during them.

The invariant: an acknowledged change is recorded and in force in every worker; beside
it there is at most the unfinished one, wholly. No command reports anything false.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import dns.message
import dns.rcode
import pytest

from filterd import control
from filterd.base.errors import ControlError
from tests.support.asking_as import as_user
from tests.support.changes import an_exception
from tests.support.daemon import (
    SOURCES,
    WITHIN_S,
    Served,
    copy_lists,
    free_port,
    serving,
    write_site,
)
from tests.support.processes import children
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("warm_children")
KILLS = int(os.environ.get("FILTERD_E2E_CHANGE_KILLS", "5"))
MANAGER, FIRST_WORKER = 0, 1
ASKERS = 16
"""So many ask each time, and both workers answer some of them."""


class School:
    """A daemon with two workers."""

    def __init__(self, served: Served, port: int, upstream: FakeUpstream) -> None:
        self.served, self.port, self.upstream = served, port, upstream

    def change(self, kind: str = "exception", **payload: Any) -> dict[str, Any]:
        socket_path = self.served.state.control_socket
        answer: dict[str, Any] = control.ask(
            socket_path, "change", kind=kind, reason="bài học", **payload
        )
        return answer

    def block(self, name: str) -> dict[str, Any]:
        return self.change(**an_exception(target=name, allow=False))

    def recorded(self) -> list[str]:
        """Return the blocked names of the history, when the daemon can be asked."""
        rows = self.eventually(
            lambda: control.ask(self.served.state.control_socket, "history", limit=1000)
        )
        return [row["payload"]["target"] for row in reversed(rows) if row["kind"] == "exception"]

    def blocks(self, name: str) -> bool:
        """Return whether a name is blocked, by whichever worker."""
        if not any(key.startswith(f"{name} ") for key in self.upstream.records):
            self.upstream.add(f"{name}. 1 IN A 198.18.0.9")
        seen = {self._ask(name) for _ in range(ASKERS)}
        assert len(seen) == 1, f"one worker blocks {name} and another one does not"
        return seen.pop()

    def _ask(self, name: str) -> bool:
        with socket.socket(type=socket.SOCK_DGRAM) as stub:
            stub.bind((SOURCES["3"], 0))
            stub.settimeout(0.5)
            for _ in range(40):  # a worker that was killed has taken its question with it
                stub.sendto(a_query(name), ("127.0.0.1", self.port))
                with contextlib.suppress(TimeoutError):
                    answer = dns.message.from_wire(stub.recv(4096))
                    return answer.rcode() == dns.rcode.NXDOMAIN
        raise AssertionError(f"{name} was not answered")

    def kill(self, which: int) -> None:
        with contextlib.suppress(OSError, IndexError):
            os.kill(children(self.served.process.pid)[which], signal.SIGKILL)

    def eventually(self, call: Callable[[], Any]) -> Any:
        """Return what a command gives as soon as there is a manager again."""
        until = _now() + WITHIN_S
        while True:
            try:
                return call()
            except ControlError:
                assert _now() < until, "no manager came"
                time.sleep(0.02)


@pytest.fixture
def school(tmp_path: Path, built: StateFolder) -> Iterator[School]:
    port = free_port()
    state = copy_lists(built, tmp_path / "state").folder
    with FakeUpstream() as upstream:
        config = write_site(
            tmp_path / "site", port=port, upstream=upstream.port, more="workers: 2\n"
        )
        with serving(config, state) as served:
            yield School(served, port, upstream)


def _now() -> float:
    return time.monotonic()  # noqa: TID251 -- a test's patience is real time


def _agrees(school: School, names: list[str], acknowledged: list[str]) -> None:
    """Check that every acknowledged change is recorded, and that answers follow the record."""
    recorded = school.recorded()
    assert set(acknowledged) <= set(recorded)
    assert len(recorded) == len(set(recorded))
    for name in names:
        assert school.blocks(name) is (name in recorded), name
    verified = control.ask(school.served.state.control_socket, "history-verify")
    assert verified["ok"]


@pytest.mark.parametrize("which", [MANAGER, FIRST_WORKER], ids=["manager", "worker"])
def test_a_process_that_is_killed_in_a_change_loses_nothing_that_was_acknowledged(
    school: School, which: int
) -> None:
    chance = random.Random(which)
    names, acknowledged = [], []
    for number in range(KILLS):
        name = f"n{number}.example"
        names.append(name)
        killer = threading.Timer(chance.uniform(0.0, 0.04), school.kill, [which])
        killer.start()
        with contextlib.suppress(ControlError):
            school.block(name)
            acknowledged.append(name)
            assert school.blocks(name)
        killer.join()
        school.recorded()  # there is a manager again
    _agrees(school, names, acknowledged)


def test_all_that_was_set_is_in_force_after_the_whole_daemon_was_killed(school: School) -> None:
    school.block("a.example")
    # The end of its lines is that of its children, which hold its sockets until then.
    assert school.served.end(signal.SIGKILL) == -signal.SIGKILL
    with serving(school.served.config, school.served.state.folder) as served:
        again = School(served, school.port, school.upstream)
        assert again.blocks("a.example")
        assert again.recorded() == ["a.example"]


def test_two_administrators_at_once_have_both_their_way(school: School) -> None:
    def set_many(which: str) -> None:
        for number in range(5):
            school.block(f"{which}{number}.example")

    both = [threading.Thread(target=set_many, args=[which]) for which in "ab"]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(school.recorded()) == sorted(f"{w}{n}.example" for w in "ab" for n in range(5))
    assert all(school.blocks(f"{which}4.example") for which in "ab")
    assert not school.blocks("c4.example")


def test_a_change_is_in_force_within_a_second(school: School) -> None:
    took_s = []
    for number in range(5):
        began = _now()
        school.block(f"n{number}.example")
        took_s.append(_now() - began)
        assert school.blocks(f"n{number}.example")
    assert min(took_s) < 1.0  # the quickest: each of the others may have waited for this machine


@pytest.mark.usefixtures("needs_root")
def test_a_user_without_a_filterd_group_may_look_and_not_change(
    school: School,
) -> None:
    path = school.served.state.control_socket
    for one in (path.parent, *list(path.parents)[:4]):
        one.chmod(one.stat().st_mode | 0o005)
    path.chmod(0o666)
    nobody = 65_533
    assert as_user(nobody, [nobody], control.ask, path, "ping") == "pong"
    assert as_user(nobody, [nobody], control.ask, path, "history") == []

    def set_something() -> None:
        school.block("a.example")

    with pytest.raises(AssertionError, match="uid-65533 may not change anything; teachers and"):
        as_user(nobody, [nobody], set_something)
    with pytest.raises(AssertionError, match="uid-65533 may not reload; administrators may"):
        as_user(nobody, [nobody], control.ask, path, "reload")
    assert school.recorded() == []
