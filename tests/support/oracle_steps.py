# SPDX-License-Identifier: Apache-2.0
"""Steps of a school's life and their effects. ``oracle_scripts`` combines them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from tests.support import oracle_messages as wire
from tests.support.oracle_lifetimes import ANSWERED_WITHIN_S, MORE_AFTER_A_CHANGE_S

if TYPE_CHECKING:
    from tests.support.oracle import Person
    from tests.support.oracle_rules import Rules
    from tests.support.oracle_school import School
    from tests.support.oracle_servers import Mood
    from tests.support.oracle_upstream import Saying


MANY = 1_000
"""So many wait at a lesson bell."""


_STEP_S = 0.5
"""Timers of upstreams that are due at once would come in no order."""


class Step(Protocol):
    """One thing that happens."""

    async def take(self, school: School) -> None:
        """Let it happen; what comes of it comes with ``School.settle``."""


class Ask(NamedTuple):
    """A question. ``capitals``: which letters are; ``option``: an EDNS option without data."""

    who: Person
    name: str
    qtype: int = wire.A
    worker: int = 0
    do: bool = False
    cd: bool = False
    rd: bool = True
    ad: bool = False
    edns: bool = True
    size: int = 1232
    capitals: int = 0
    option: int = 0
    by_tcp: bool = False

    def message(self) -> bytes:
        """Return the question as it is sent, without an ID."""
        flags = wire.RD if self.rd else 0
        flags |= (wire.CD if self.cd else 0) | (wire.AD if self.ad else 0)
        name = "".join(
            letter.upper() if self.capitals >> place % 16 & 1 else letter
            for place, letter in enumerate(self.name)
        )
        option = self.option.to_bytes(2) + bytes(2) if self.option else b""
        opt = wire.opt_octets(self.size, wire.DO if self.do else 0, option) if self.edns else b""
        return wire.message(0, flags, wire.question_octets(name, self.qtype), opt=opt)

    async def take(self, school: School) -> None:
        """Send it."""
        school.ask(
            self.worker % len(school.workers),
            self.who,
            self.name,
            self.qtype,
            self.message(),
            do=self.do and self.edns,
            cd=self.cd,
            rd=self.rd,
            ad=self.ad,
            edns=self.edns,
            size=self.size,
            by_tcp=self.by_tcp,
        )


class Wait(NamedTuple):
    """Time passes."""

    seconds: float

    async def take(self, school: School) -> None:
        """Let time pass, step by step while an upstream may be waited for."""
        left, patience = self.seconds, ANSWERED_WITHIN_S + MORE_AFTER_A_CHANGE_S
        while patience > 0 and left > _STEP_S:
            school.pass_time(_STEP_S)
            await school.settle()
            left, patience = left - _STEP_S, patience - _STEP_S
        school.pass_time(left)


class SetClock(NamedTuple):
    """The wall clock is set forward, or back."""

    seconds: float

    async def take(self, school: School) -> None:
        """Set it."""
        school.clock.set_wall(self.seconds)
        school.oracle.hits["clock set"] += 1


class Turn(NamedTuple):
    """The moods of the servers change; the second's and the zone's to the first's.

    What one held is answered where it answers again.
    """

    mood: Mood
    second: Mood | None = None
    zone: Mood | None = None

    async def take(self, school: School) -> None:
        """Change them."""
        for server, mood in zip(school.servers, self, strict=True):
            server.turn(mood or self.mood)


class Release(NamedTuple):
    """Each server answers some of the questions that it holds."""

    most: int = 1

    async def take(self, school: School) -> None:
        """Answer them."""
        for server in school.servers:
            server.release(self.most)


class Say(NamedTuple):
    """From now on the upstream answers a name differently."""

    name: str
    saying: Saying

    async def take(self, school: School) -> None:
        """Change the answer."""
        school.upstream.say(self.name, self.saying)


class Vouch(NamedTuple):
    """From now on the upstreams set AD, or do not: the first, and the others."""

    first: bool
    others: bool

    async def take(self, school: School) -> None:
        """Set it."""
        for server in school.servers:
            server.authentic = self.others
        school.servers[0].authentic = self.first


class Lend(NamedTuple):
    """Another device takes an address, by its MAC; or its device becomes unknown."""

    mac: str

    async def take(self, school: School) -> None:
        """Let every worker see it."""
        school.lend(self.mac)


class Change(NamedTuple):
    """Other rules and lists come into force.

    ``restart``: the worker that is restarted just before. ``asks``: questions
    when they are in force and no worker knows yet.
    """

    rules: Rules
    restart: int | None = None
    asks: tuple[Ask, ...] = ()

    @property
    def restarts(self) -> bool:
        """Whether a worker is restarted."""
        return self.restart is not None

    async def take(self, school: School) -> None:
        """Change them."""
        if len(school.waiting) >= MANY:
            for asked in school.waiting.values():
                asked.among_many = True
        if self.restarts:
            school.oracle.hits["restart in the middle of a change"] += 1
        await school.change(self.rules, self.asks, restart=self.restart)


class Restart(NamedTuple):
    """A worker ends, and another takes its place."""

    worker: int

    async def take(self, school: School) -> None:
        """Restart it."""
        await school.restart(self.worker % len(school.workers))
