# SPDX-License-Identifier: Apache-2.0
"""Prove that lookups are answered and filtered, by real questions.

They go through the real sockets. A process that is alive may still not answer, and one that answers
may no longer filter. So the watchdog asks as a client does: one name that must be answered and one
that must be blocked. Only after both does systemd hear that all is well; otherwise it starts the
service anew.

Every worker asks, and tells systemd: so DNS goes on while the manager does not live. The manager
asks too, by the site as it knows it, and can only object. An objection that is not repeated ends
by itself, for the manager may have died since.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from ipaddress import IPv4Address
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.addresses import LOOPBACK_OF
from filterd.base.errors import WireError
from filterd.base.service_manager import WATCHDOG, notify, watchdog_interval_s
from filterd.policy.verdict import Action
from filterd.texts.i18n import UNSAID, Sentence, say
from filterd.wire import EdnsOption, Rcode, RRType, parse_response
from filterd.wire import name as names
from filterd.wire.edns import compose_edns
from filterd.wire.header import RD, Header, compose_header
from filterd.wire.section import ANSWER, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from filterd.daemon.process import Setting
    from filterd.policy.model import ListenAddress
    from filterd.resolve.site import Site
    from filterd.wire.response import ParsedResponse


_ANSWER_WITHIN_S = 2.0
_TRIES = 3
_LARGEST = 1232
NAMES_LOOKED_AT = 1_000
"""Where a name may stand that must be blocked; the loop waits 10 ms for so many, at least."""
_NAMES_OF_A_WORKER = 100
_OBJECTION_S = 10.0
"""Longer than wrong questions take to fail again, and shorter than systemd waits."""
_LOCALHOST = names.from_text("localhost")

_logger = logging.getLogger("filterd.watchdog")


class Watchdog:
    """Asks through the real sockets, and tells each time if all answers are right.

    Args:
        site: returns the site in force.
        setting: has the addresses of the sockets; a reload may bring others, which only the
            next start listens on. Its time is for the names that must be blocked now, and the
            workers recognise these questions by the secret of its page, and do not count them.
        tell: is told whether all is well.
        names: how many names of the lists to look at for one that must be blocked.

    ``is_failing``: whether the last questions got a wrong answer or none.
    """

    def __init__(
        self,
        site: Callable[[], Site],
        setting: Setting,
        tell: Callable[[bool], None],
        names: int = NAMES_LOOKED_AT,
    ) -> None:
        self._site, self._setting, self._tell, self._names = site, setting, tell, names
        self.is_failing = False

    async def run(self) -> None:
        """Watch for ever, if systemd wants to know; ask six times within its interval.

        So a process that hangs is replaced, and its successor heard, before systemd ends
        all of them. What is not well is looked at again soon: systemd ends what it does not
        hear from, and the trouble may have passed.
        """
        interval_s = watchdog_interval_s()
        if interval_s is None:
            return
        while True:
            well = await self.is_well()
            self._tell(well)
            await asyncio.sleep(interval_s / (6 if well else 30))

    async def is_well(self) -> bool:
        """Ask on every address; log every wrong answer, and what keeps it from asking."""
        try:
            problems = await self._problems()
        except Exception:
            _logger.exception("the watchdog cannot ask")
            self.is_failing = True
        else:
            for problem in problems:
                _logger.error("%s", problem)
            self.is_failing = bool(problems)
        return not self.is_failing

    async def _problems(self) -> list[Sentence]:
        setting = self._setting
        probes = probes_of(self._site(), setting.listen, setting.time.wall(), self._names)
        asked = (_problem(probe, setting.page.secret) for probe in probes)
        return [one for one in await asyncio.gather(*asked) if one]


def of_a_worker(site: Callable[[], Site], setting: Setting) -> Watchdog:
    """Return the watchdog that feeds systemd's, unless the manager objects."""

    def tell(well: bool) -> None:
        if well and setting.clock.monotonic() >= setting.page.objection_until:
            notify(WATCHDOG)

    return Watchdog(site, setting, tell, _NAMES_OF_A_WORKER)


def of_the_manager(site: Callable[[], Site], setting: Setting) -> Watchdog:
    """Return the watchdog that objects while answers are wrong."""

    def tell(well: bool) -> None:
        until = 0.0 if well else setting.clock.monotonic() + _OBJECTION_S
        setting.page.objection_until = until

    return Watchdog(site, setting, tell)


class Probe(NamedTuple):
    """A question: where, the name, and whether it must be blocked there.

    ``sinkhole``: the address that stands for a block, empty where none does.
    """

    address: str
    port: int
    name: bytes
    blocked: bool
    sinkhole: bytes = b""


def probes_of(
    site: Site, listen: Iterable[ListenAddress], now: float, names: int = NAMES_LOOKED_AT
) -> list[Probe]:
    """Choose the questions for each address that this machine has.

    ``now`` is Unix time; ``names`` how many of the lists to look at. An address that it does not
    have at the moment cannot be asked; a restart because of that would take DNS from all clients.
    """
    probes = []
    for one in listen:
        address = LOOPBACK_OF.get(one.address, one.address)
        if _is_here(address):
            probes.append(Probe(address, one.port, _LOCALHOST, blocked=False))
            probes.extend(_blocked_at(site, address, one.port, now, names))
    return probes


def _is_here(address: str) -> bool:
    try:
        with _socket_at(address):
            return True
    except OSError:
        return False


def _socket_at(address: str) -> socket.socket:
    """Return a socket of this address.

    The machine, asking itself, asks from this address, too.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        opened.bind((address, 0))
    except OSError:
        opened.close()
        raise
    return opened


def _blocked_at(site: Site, address: str, port: int, now: float, looked_at: int) -> list[Probe]:
    """Return the probe of a listed name that this machine must not get now.

    The machine asks itself. Return an empty list if there is no such name.
    """
    client = site.identifier.identify(address)
    if client is None:
        return []
    for name in islice(site.index.names(), looked_at):
        verdict = site.engine.decide(client, name, RRType.A, now)
        if verdict.blocked:
            sinks = verdict.action is Action.SINKHOLE
            sinkhole = IPv4Address(client.grade.sinkhole_ipv4).packed if sinks else b""
            return [Probe(address, port, name, blocked=True, sinkhole=sinkhole)]
    return []


async def _problem(probe: Probe, mark: bytes) -> Sentence:
    """Return the error of an answer to a probe, empty if it is right."""
    name, port = names.to_text(probe.name), probe.port
    what = say("{name} at {address} port {port}", name=name, address=probe.address, port=port)
    for _ in range(_TRIES):
        try:
            response = await asyncio.wait_for(_ask(probe, mark), _ANSWER_WITHIN_S)
        except (TimeoutError, OSError, WireError):
            continue
        found = _answers(response)
        if probe.blocked and found - {probe.sinkhole}:
            return say("{what} must be blocked and is answered", what=what)
        if not probe.blocked and not found:
            return say("{what} must be answered and is not", what=what)
        return UNSAID
    return say("{what} gets no answer", what=what)


def _answers(response: ParsedResponse) -> set[bytes]:
    """Return the RDATA of the answers; none where the response is an error."""
    if response.rcode != Rcode.NOERROR:
        return set()
    answers = (record for record in response.records if record.section == ANSWER)
    return {response.message[answer.rdata_offset : answer.end] for answer in answers}


async def _ask(probe: Probe, mark: bytes) -> ParsedResponse:
    """Ask by UDP as a stub does."""
    loop = asyncio.get_running_loop()
    header = compose_header(Header(secrets.randbits(16), RD, 1, 0, 0, 1))
    opt = compose_edns(options=[(EdnsOption.OWN_MARK, mark)])
    query = header + Question.of(probe.name, RRType.A).wire + opt
    with _socket_at(probe.address) as opened:
        opened.connect((probe.address, probe.port))
        opened.send(query)
        while (reply := await loop.sock_recv(opened, _LARGEST))[:2] != query[:2]:
            pass
    return parse_response(reply)
