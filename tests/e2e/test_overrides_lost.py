# SPDX-License-Identifier: Apache-2.0
"""Lost files of changes by command: the changes hold, or every command reports it.

Questions are sent before the start of the daemon, so each start is checked from its
first answer on.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any, Self

import pytest

from filterd.base.paths import with_sides
from tests.support.changes import an_exception
from tests.support.commands import call
from tests.support.daemon import (
    Served,
    build_lists,
    copy_lists,
    free_port,
    serving,
    starting,
    write_site,
)
from tests.support.processes import children
from tests.support.upstream import FakeUpstream
from tests.support.waiting import STAFF, ask, is_blocked, until
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("warm_children")
BLOCKED = "blocked-now.example"
_NXDOMAIN = 3
_EVERY_S = 0.001
STARTS = int(os.environ.get("FILTERD_STARTS", "2"))
"""Of each kind of loss."""


class Flood:
    """Ask for a name that a command has blocked, all the while; count what is not filtered."""

    def __init__(self, port: int) -> None:
        self.unfiltered = self.blocked = 0
        self._over = threading.Event()
        self._stub = socket.socket(type=socket.SOCK_DGRAM)
        self._stub.bind((STAFF, 0))
        self._stub.settimeout(_EVERY_S)
        self._to = ("127.0.0.1", port)
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._stub.close()

    def _run(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(OSError):  # without a listener
                self._stub.sendto(a_query(BLOCKED), self._to)
            with contextlib.suppress(OSError):
                while answer := self._stub.recv(4096):
                    if answer[3] & 15 == _NXDOMAIN:
                        self.blocked += 1
                    elif answer[6:8] != b"\0\0":
                        self.unfiltered += 1

    def wait_for(self, more: int) -> None:
        """Wait until so many more were blocked."""
        until(lambda: self.blocked >= more, f"{more} blocked answers")


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    config = write_site(tmp_path_factory.mktemp("site"), port=5353)
    return build_lists(config, tmp_path_factory.mktemp("state"))


class School:
    """A school whose upstream knows the name."""

    def __init__(self, folder: Path, lists: StateFolder, upstream: FakeUpstream) -> None:
        self.port = free_port()
        more = "rate_limit: {queries_a_second: 1000000, burst: 1000000}\n"
        self.config = write_site(folder / "site", port=self.port, upstream=upstream.port, more=more)
        self.state = copy_lists(lists, folder / "state")

    def serving(self, spoilt: str = "") -> contextlib.AbstractContextManager[Served]:
        """Serve; ``spoilt`` is a statement that takes a safeguard away."""
        if not spoilt:
            return serving(self.config, self.state.folder)
        return serving(self.config, self.state.folder, program=_program(spoilt))

    def block(self) -> None:
        request = an_exception(target=BLOCKED, allow=False, audience="everybody", whom="")
        self.ask("change", kind="exception", reason="r", **request)

    def ask(self, command: str, **arguments: Any) -> Any:
        return ask(self.state.control_socket, command, **arguments)

    def status(self) -> str:
        """Return all reports of changes by command."""
        return str(self.ask("status")["changes"])

    def lose(self, *paths: Path) -> None:
        for path in paths:
            path.unlink(missing_ok=True)

    @property
    def copies(self) -> tuple[Path, ...]:
        return self.state.overrides_copies

    @property
    def all(self) -> tuple[Path, ...]:
        """The store and the copies."""
        return (*with_sides(self.state.overrides), *self.copies)


@pytest.fixture
def school(tmp_path: Path, lists: StateFolder) -> Iterator[School]:
    records = {f"{BLOCKED} A": [f"{BLOCKED}. 60 IN A 198.18.0.7"]}
    with FakeUpstream(records=records) as upstream:
        yield School(tmp_path, lists, upstream)


def _program(spoilt: str) -> tuple[str, str]:
    before = (
        "import sys; from filterd.daemon import shared_page;"
        "from filterd.daemon.manager import change_service"
    )
    return "-c", f"{before}; {spoilt}; from filterd.cli.entry import main; main()"


def _workers(served: Served) -> list[int]:
    """Return the processes that answer: the children of the supervisor but the first."""
    return children(served.process.pid)[1:]


def _replace_workers(served: Served) -> None:
    old = _workers(served)
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    until(lambda: bool(now := _workers(served)) and not set(now) & set(old), "new workers")


LOSSES: dict[str, Callable[[School], tuple[Path, ...]]] = {
    "the copy": lambda school: school.copies[:1],
    "both copies": lambda school: school.copies,
    "the store": lambda school: school.all[:1],
    "the store and a copy": lambda school: (*school.all[:1], *school.copies[1:]),
    "everything": lambda school: school.all,
}


LONG = {"the copy", "the store", "the store and a copy"}


@pytest.mark.parametrize(
    "lost", [pytest.param(one, marks=pytest.mark.long) if one in LONG else one for one in LOSSES]
)
def test_whatever_is_lost_while_it_serves_what_was_set_stays_and_is_written_anew(
    school: School, lost: str
) -> None:
    with school.serving() as served:
        assert not is_blocked(school.port, BLOCKED)  # workers remember the address
        school.block()
        with Flood(school.port) as flood:
            flood.wait_for(20)
            school.lose(*LOSSES[lost](school))
            _replace_workers(served)
            school.ask("reload")
            flood.wait_for(flood.blocked + 50)
        assert flood.unfiltered == 0
        until(lambda: all(map(os.path.exists, (school.all[0], *school.copies))), "all again")
        assert "lost" not in school.status()
        assert BLOCKED in str(school.ask("overrides"))
    with Flood(school.port) as flood, school.serving():
        flood.wait_for(50)
        assert flood.unfiltered == 0


def test_control_without_the_memory_that_is_shared_a_new_worker_would_let_it_pass(
    school: School,
) -> None:
    spoilt = (
        "shared_page.SharedOverrides.get = lambda _: None;change_service._LOOK_EVERY_S = 1000.0"
    )
    with school.serving(spoilt) as served:
        school.block()
        school.lose(*school.all)
        with Flood(school.port) as flood:
            _replace_workers(served)
            until(lambda: flood.unfiltered > 0, "an answer that is not filtered")


@pytest.mark.parametrize(
    "lost", [pytest.param("the copy", marks=pytest.mark.long), "both copies", "the store"]
)
def test_a_start_lets_not_one_question_pass_whatever_is_lost(school: School, lost: str) -> None:
    with school.serving():
        school.block()
    for _ in range(STARTS):
        school.lose(*LOSSES[lost](school))
        with Flood(school.port) as flood, school.serving():
            flood.wait_for(30)
        assert flood.unfiltered == 0
        assert "lost" not in str(list(school.state.folder.iterdir()))


def test_a_start_goes_by_the_store_where_the_copies_are_older(school: School) -> None:
    with school.serving():
        school.block()
        old = school.copies[0].read_bytes()
        school.ask("change", kind="undo", reason="")
        school.block()
    for copy in school.copies:
        copy.write_bytes(old.replace(b"blocked-now", b"another-one"))
    with Flood(school.port) as flood, school.serving():
        flood.wait_for(30)
    assert flood.unfiltered == 0


def test_control_without_the_look_before_the_first_answer_questions_would_pass(
    school: School,
) -> None:
    with school.serving():
        school.block()
    school.lose(*school.copies)
    os.mkfifo(gate := school.config.parent / "gate")
    late = f"lambda self: (open({str(gate)!r}).close(), start(self))[1]"  # the manager is slow
    spoilt = (
        "shared_page.in_fork = lambda *_: 0; start = change_service.Changes.start;"
        f"change_service.Changes.start = {late}"
    )
    with (
        Flood(school.port) as flood,
        starting(school.config, school.state.folder, program=_program(spoilt)),
    ):
        until(lambda: flood.unfiltered > 0, "an answer that is not filtered")
        gate.write_bytes(b"")
        until(lambda: flood.blocked > 30, "the manager has mended it")


def test_where_all_is_lost_the_log_the_status_and_every_command_say_so(school: School) -> None:
    with school.serving():
        school.block()
    school.lose(*school.all)
    with school.serving() as served:
        assert "were lost" in school.status()
        for words in (("exceptions", "list"), ("check", BLOCKED, "--grade", "1"), ("status",)):
            assert "settings made by commands were lost" in call(*words, *served.options).err
        warning = call("room", "list", "--lang", "vi", *served.options).err
        assert "đã mất toàn bộ hoặc một phần những gì đặt bằng lệnh" in warning
        served.end()
        assert "damaged (it is missing, and there is no copy of it)" in "".join(served.log)
    options = ("--config", school.config, "--state", school.state.folder)
    assert "settings made by commands were lost" in call("exceptions", "list", *options).err
    (marker,) = school.state.folder.glob("*-lost")
    marker.unlink()
    with school.serving() as served:
        assert "lost" not in school.status()
        assert call("exceptions", "list", *served.options).err == ""


def test_where_nothing_was_ever_set_nothing_is_lost(school: School) -> None:
    for _ in range(2):
        with school.serving() as served:
            assert school.ask("status")["changes"]["problems"] == []
            assert call("exceptions", "list", *served.options).err == ""
            until(lambda: all(map(os.path.exists, school.copies)), "copies of nothing")
