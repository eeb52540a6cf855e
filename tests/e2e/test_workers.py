# SPDX-License-Identifier: Apache-2.0
"""Several processes answer as one: nothing is lost when one dies."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import dns.message
import dns.rcode
import pytest

from tests.support.commands import call
from tests.support.daemon import (
    SOURCES,
    copy_lists,
    free_port,
    serving,
    write_site,
)
from tests.support.processes import children
from tests.support.upstream import FakeUpstream
from tests.support.waiting import until
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.base.state_folder import StateFolder
    from tests.support.daemon import Served

pytestmark = pytest.mark.usefixtures("warm_children")
WITHIN_S = 20.0
GRADE_3 = SOURCES["3"]
PATIENT = (
    "from filterd.upstream import exchange; exchange.DEADLINE_S = exchange.SECOND_TRY_S = 60.0;"
    "from filterd.cli.entry import main; main()"
)
"""A daemon that waits for upstreams longer than a reload takes on any machine."""


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as fake:
        yield fake


class School:
    """A site with two workers."""

    def __init__(self, folder: Path, built: StateFolder, upstream: FakeUpstream) -> None:
        self.port, self._upstream, self._folder = free_port(), upstream, folder / "site"
        self.state = copy_lists(built, folder / "state").folder
        self.config = self.write()

    def write(self, more: str = "") -> Path:
        return write_site(
            self._folder,
            port=self.port,
            upstream=self._upstream.port,
            more=f"workers: 2\nrate_limit: {{queries_a_second: 100000, burst: 100000}}\n{more}",
        )


@pytest.fixture
def school(tmp_path: Path, built: StateFolder, upstream: FakeUpstream) -> School:
    return School(tmp_path, built, upstream)


class Client:
    """A device that asks many questions before it reads; 100 wait at each of its ports."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sockets: dict[int, socket.socket] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for opened in self._sockets.values():
            opened.close()

    def ask(self, name: str, number: int = 1) -> None:
        place = number // 100
        if place not in self._sockets:
            self._sockets[place] = opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            opened.bind((GRADE_3, 0))
            opened.connect(("127.0.0.1", self._port))
        self._sockets[place].send(a_query(name, message_id=number))

    def answers(self, count: int, within_s: float = WITHIN_S) -> dict[int, dns.message.Message]:
        """Return so many answers by their ID, or those that came in time."""
        found: dict[int, dns.message.Message] = {}
        waiting = [*self._sockets.values()]
        while len(found) < count and (ready := select.select(waiting, [], [], within_s)[0]):
            answer = dns.message.from_wire(ready[0].recv(4096))
            assert answer.id not in found
            found[answer.id] = answer
        return found


def _status(served: Served) -> Any:
    return json.loads(call("status", "--json", *served.options).out)


def _is_blocked(answer: dns.message.Message) -> bool:
    return answer.rcode() == dns.rcode.NXDOMAIN


def test_both_workers_answer_before_the_manager_works_and_status_adds_them_up(
    school: School,
) -> None:
    with serving(school.config, school.state) as served, Client(school.port) as client:
        for number in range(200):
            client.ask("www.tiktok.com", number)
        assert len(client.answers(200)) == 200
        until(lambda: _status(served)["workers"] == 2, "both in the status")
        assert _status(served)["answers"]["blocked"] == 200
        manager, *workers = children(served.process.pid)
        niceness = os.getpriority(os.PRIO_PROCESS, manager)
        assert all(os.getpriority(os.PRIO_PROCESS, worker) < niceness for worker in workers)


def test_a_question_asked_while_no_worker_lives_is_answered(school: School) -> None:
    with serving(school.config, school.state) as served, Client(school.port) as client:
        for pid in children(served.process.pid)[1:]:
            os.kill(pid, signal.SIGKILL)
        client.ask("www.tiktok.com")
        (answer,) = client.answers(1).values()
        assert _is_blocked(answer)
        served.wait_for("ended (signal 9); starting it again")


@pytest.mark.long
def test_however_often_workers_die_no_client_waits_long_for_the_next(school: School) -> None:
    """With pauses of up to 5 s, as there were once, the last of these took longer than that."""
    with serving(school.config, school.state) as served, Client(school.port) as client:
        for number in range(9):
            for pid in children(served.process.pid)[1:]:
                os.kill(pid, signal.SIGKILL)
            client.ask("www.tiktok.com", number)
            assert len(client.answers(1, within_s=3.5)) == 1, number


def test_while_one_worker_hangs_the_other_answers(school: School) -> None:
    with serving(school.config, school.state) as served, Client(school.port) as client:
        first = children(served.process.pid)[1]
        os.kill(first, signal.SIGSTOP)
        for number in range(50):
            client.ask("www.tiktok.com", number)
        assert len(client.answers(50)) == 50
        os.kill(first, signal.SIGCONT)


def test_a_dead_manager_takes_nothing_with_it(school: School) -> None:
    with serving(school.config, school.state) as served, Client(school.port) as client:
        os.kill(children(served.process.pid)[0], signal.SIGKILL)
        client.ask("www.tiktok.com")
        assert len(client.answers(1)) == 1
        served.wait_for("the manager ended (signal 9); starting it again")
        school.write("exceptions:\n  - {block: new.example, reason: vì thế}\n")
        while (done := call("reload", *served.options)).code:  # until it listens again
            assert "no running filterd answers" in done.err
        client.ask("new.example", 2)
        assert _is_blocked(client.answers(1)[2])


def _ask_a_thousand(client: Client, upstream: FakeUpstream, port: int) -> None:
    """Ask a thousand questions that wait for the upstream: ten names, a hundred times each."""
    for number in range(1_000):
        if number % 100 == 0:
            until(lambda: not _queued(port), "a worker that takes the questions in")
        client.ask(f"n{number % 10}.new.example", number)
    upstream.wait_until_asked(10)


def _queued(port: int) -> int:
    """Return the octets that the kernel keeps for the sockets at a port of 127.0.0.1."""
    local, queued = f"0100007F:{port:04X}", 0
    for line in Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1] == local:
            queued += int(fields[4].partition(":")[2], 16)
    return queued


@pytest.mark.parametrize(
    "blocked",
    [
        pytest.param(True, id="block"),
        pytest.param(False, id="control", marks=pytest.mark.long),
    ],
)
def test_what_waits_while_a_block_comes_into_force_is_blocked(
    school: School, upstream: FakeUpstream, *, blocked: bool
) -> None:
    for n in range(10):
        upstream.add(f"n{n}.new.example. 60 IN A 198.18.0.{n}")
    patient = ("-c", PATIENT)
    with (
        serving(school.config, school.state, program=patient) as served,
        Client(school.port) as client,
    ):
        upstream.released.clear()
        _ask_a_thousand(client, upstream, school.port)
        school.write("exceptions:\n  - {block: new.example, reason: vì thế}\n" if blocked else "")
        assert call("reload", *served.options).code == 0
        upstream.released.set()
        answers = list(client.answers(1_000).values())
        assert len(answers) == 1_000
        got_through = [answer for answer in answers if answer.answer]
        assert (not got_through) if blocked else got_through


def test_after_a_reload_no_worker_answers_by_the_site_before(
    school: School, upstream: FakeUpstream
) -> None:
    upstream.add("www.other.example. 60 IN A 198.18.0.1")
    with serving(school.config, school.state) as served, Client(school.port) as client:
        for round_, rule in enumerate(["block", "allow", "block"]):
            more = f"exceptions:\n  - {{{rule}: www.other.example, reason: vì thế}}\n"
            school.write(more)
            assert call("reload", *served.options).code == 0
            for number in range(100):
                client.ask("www.other.example", 100 * round_ + number)
            answers = client.answers(100).values()
            assert {_is_blocked(answer) for answer in answers} == {rule == "block"}


def test_a_question_that_waits_when_the_worker_is_stopped_is_answered(
    school: School, upstream: FakeUpstream
) -> None:
    upstream.add("late.example. 60 IN A 198.18.0.1")
    with serving(school.config, school.state) as served, Client(school.port) as client:
        upstream.released.clear()
        client.ask("late.example")
        upstream.wait_until_asked()
        served.process.send_signal(signal.SIGTERM)
        upstream.released.set()
        assert len(client.answers(1)[1].answer) == 1
