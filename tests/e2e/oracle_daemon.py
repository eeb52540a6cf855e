# SPDX-License-Identifier: Apache-2.0
"""A real daemon whose every reply the oracle checks, by the machine's own clocks.

An administrator's commands change the rules, and workers are killed. The moment at
which a worker starts to use new rules is unknown: until a change is confirmed, replies
by either rules are right, afterwards only those by the new.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from filterd.base.clock import SystemClock
from filterd.wire import name as names
from tests.support.commands import call
from tests.support.daemon import write_site
from tests.support.oracle import World
from tests.support.oracle_answers import Oracle
from tests.support.oracle_lifetimes import ANSWERED_WITHIN_S
from tests.support.oracle_questions import Asked
from tests.support.oracle_rules import CHILD, CLASSMATE, PUPIL, TEACHER, Rules, a_law
from tests.support.oracle_servers import Mood, Server, Watch
from tests.support.oracle_steps import MANY
from tests.support.oracle_stubs import Stub
from tests.support.oracle_upstream import Upstream
from tests.support.policies import CATEGORIES, wire
from tests.support.processes import children

if TYPE_CHECKING:
    import random
    import socket
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.support.daemon import Served
    from tests.support.oracle import Law
    from tests.support.oracle_steps import Ask
    from tests.support.oracle_upstream import Heard

PEOPLE = (PUPIL, CLASSMATE, TEACHER, CHILD)
LATE_S = 1.5
"""By so much less may an answer seem to have aged: it is on its way for a moment, and a second
is counted when it is over."""
DEAD_AFTER_S = 1.5
"""Two seconds less than by the simulated clock. Where the machine has other work, a worker that
takes new rules reads a thousand answers a second after they were sent."""
LAPSE_S = 0.3
"""An upstream that reads so late may be taken for a silent one."""
LOST_WITH_A_WORKER = 64
"""What a worker that is killed has read and not answered is one batch at most."""
_NETWORKS = {PUPIL.network: "of-6", TEACHER.network: "of-staff"}


def some_laws(chance: random.Random) -> Rules:
    """Make up rules that ``site.yaml`` can express: allows and blocks without dates."""
    laws = {
        (law.name, law.audience, law.whom): replace(law, starts_at=None, ends_at=None)
        for law in (a_law(chance, 0.0) for _ in range(chance.randrange(2, 8)))
        if law.audience != "network" or law.whom in _NETWORKS
    }
    return Rules(World(CATEGORIES, laws=tuple(laws.values())))


def write(rules: Rules, folder: Path, *, port: int, upstream: int, workers: int) -> Path:
    """Write the site of these rules."""
    exceptions = "".join(map(_exception, rules.world.laws))
    return write_site(
        folder,
        port=port,
        upstream=upstream,
        more=f"workers: {workers}\n"
        "rate_limit: {queries_a_second: 100000, burst: 100000}\n"
        f"exceptions:{' []' * (not exceptions)}\n{exceptions}",
    )


def _exception(law: Law) -> str:
    verb = "allow" if law.allow else "block"
    whom = _NETWORKS.get(law.whom, law.whom) if law.audience == "network" else law.whom
    audience = f"for: {{{law.audience}: '{whom}'}}, " if law.whom else ""
    return f"  - {{{verb}: {names.to_text(wire(law.name))}, {audience}reason: by chance}}\n"


class Driver:
    """Asks a daemon, answers as its upstream, and judges; ``with`` closes the sockets.

    Attributes:
        faults: in words.
        lost: questions without an answer in time.
        late: of these, questions with an answer afterwards; its content is not judged.
        killed: workers.
        dropped: questions to the upstream that the kernel had no room for; they are asked again.
    """

    _attended_at = _lapse_at = 0.0
    """When it last looked, and when it last came too late for an upstream in time."""

    def __init__(self, port: int, rules: Rules) -> None:
        self._port, self._clock = port, SystemClock()
        self._order = self.judged = self.lost = self.late = self.killed = self.dropped = 0
        self.upstream = Upstream(self._clock.monotonic, self._next)
        self.oracle = Oracle(self.upstream, self._clock, (rules,), late_s=LATE_S)
        self.faults: list[str] = []
        self.waiting: dict[tuple[str, int], Asked] = {}
        self._given_up: set[tuple[str, int]] = set()
        self._readers: dict[socket.socket, Callable[[], None]] = {}
        watch = Watch(self._readers.__setitem__, lambda opened: self._readers.pop(opened, None))
        self.server = Server(self.upstream, 0, watch, self._overhear, dead_after_s=DEAD_AFTER_S)
        self._stubs = {
            who.address: Stub(who.address, watch, self._hear, self._lose) for who in PEOPLE
        }
        self._ident = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._note_lapse()
        self.server.close()
        unheard = sum(stub.dropped for stub in self._stubs.values())
        for stub in self._stubs.values():
            stub.close()
        assert not unheard, f"the kernel had no room for {unheard} replies to the test"

    def __str__(self) -> str:
        facts = (
            f"{self.judged:,} replies judged, {self.late} late, "
            f"{self.lost} lost with {self.killed} workers, "
            f"{self.dropped} questions to the upstream dropped by the kernel"
        )
        return f"{facts}\n{self.oracle.hits.table()}"

    def _next(self) -> int:
        self._order += 1
        return self._order

    def ask(self, step: Ask) -> None:
        """Send a question."""
        if not self.waiting:
            self._attended_at = self._clock.monotonic()  # until now there was nothing to attend to
        self._ident = (self._ident + 1) & 0xFFFF
        message = self._ident.to_bytes(2) + step.message()[2:]
        self._given_up.discard((step.who.address, self._ident))
        asked = Asked(
            step.who,
            step.name,
            step.qtype,
            message,
            0,
            self._next(),
            self._clock.monotonic(),
            self._clock.wall(),
            self.oracle.possible[-1],
            do=step.do and step.edns,
            cd=step.cd,
            rd=step.rd,
            ad=step.ad,
            edns=step.edns,
            size=step.size,
            by_tcp=step.by_tcp,
            by_chain=True,
        )
        self.waiting[step.who.address, self._ident] = asked
        self.oracle.note_asked(asked)
        self._stubs[step.who.address].send(message, self._port, by_tcp=step.by_tcp)

    def ask_all(self, steps: Iterable[Ask]) -> None:
        """Ask many, and wait until all are answered or given up."""
        for step in steps:
            self.ask(step)
            self._look(0)
        until = self._clock.monotonic() + ANSWERED_WITHIN_S
        self.attend(lambda: not self.waiting or self._clock.monotonic() >= until)
        self.lost += len(self.waiting)
        self._given_up.update(self.waiting)
        self.waiting.clear()

    def attend(self, is_over: Callable[[], bool]) -> None:
        """Answer as the upstream, and judge what comes, until something is over."""
        while not is_over():
            self._look(0.01)

    def kill(self, served: Served, chance: random.Random) -> None:
        """Kill a worker; the manager, the first child, is none."""
        workers = children(served.process.pid)[1:]
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(workers), signal.SIGKILL)
            self.killed += 1

    def change(self, served: Served, rules: Rules, steps: Iterable[Ask] = ()) -> None:
        """Put what was written in force, by SIGHUP and by command; go on asking meanwhile."""
        self.oracle.possible = (self.oracle.possible[-1], rules)
        served.process.send_signal(signal.SIGHUP)
        reloading = threading.Thread(target=_reload, args=(served,))
        reloading.start()
        for step in steps:
            self.ask(step)
        self.attend(lambda: not reloading.is_alive())
        reloading.join()
        self._look(0)
        self.oracle.possible = (rules,)

    def change_while_many_wait(self, served: Served, rules: Rules, steps: Iterable[Ask]) -> None:
        """Let questions wait for the upstream until a change is confirmed."""
        self.server.turn(Mood.HELD)
        for step in steps:
            self.ask(step)
            self._look(0)
        for asked in self.waiting.values():
            asked.among_many = len(self.waiting) >= MANY
        self.change(served, rules)
        self.server.turn(Mood.PROMPT)
        self.ask_all(())

    def _look(self, within_s: float) -> None:
        self._note_lapse()
        for ready in select.select([*self._readers], [], [], within_s)[0]:
            self.server.read()
            if ready in self._readers:  # another's turn may have ended it
                self._readers[ready]()

    def _note_lapse(self) -> None:
        """Note when this process had no core for long, or the kernel had no room for questions.

        The daemon then rightly calls an upstream silent that has answered all it has read.
        """
        now, dropped = self._clock.monotonic(), self.server.dropped
        if now - self._attended_at > LAPSE_S or dropped != self.dropped:
            self._lapse_at = now
        self._attended_at, self.dropped = now, dropped

    def _overhear(self, heard: Heard) -> None:
        fault = self.oracle.may_be_heard(heard, self.waiting.values())
        if fault is not None:
            self.faults.append(fault)

    def _lose(self, address: str, ident: int) -> None:
        if self.waiting.pop((address, ident), None) is not None:
            self.lost += 1

    def _hear(self, address: str, reply: bytes) -> None:
        question = address, int.from_bytes(reply[:2])
        if question in self._given_up:  # a second reply to it is a fault
            self._given_up.remove(question)
            self.lost, self.late = self.lost - 1, self.late + 1
            return
        self.judged += 1
        asked = self.waiting.pop(question, None)
        if asked is not None and asked.at <= self._lapse_at:
            asked.abandoned = True
        fault = self.oracle.allowed(asked, reply) if asked else "nobody waits for it"
        self.oracle.lifetimes.held.clear()  # the worker is unknown
        if fault is not None:
            self.faults.append(f"{asked}, {reply.hex()}: {fault}")


def _reload(served: Served) -> None:
    """Reload until it is confirmed; a worker that was killed just now may have been in the way."""
    while call("reload", *served.options).code:
        assert served.process.poll() is None
