# SPDX-License-Identifier: Apache-2.0
"""Proof that lookups are answered and filtered: real questions through the real sockets.

A process that is alive may still not answer, and one that answers may no longer
filter. So the watchdog asks as a client does: one name that must be answered and
one that must be blocked. Only after both does systemd hear that all is well;
otherwise it starts the service anew (reliability.md F7).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from filterd.errors import WireError
from filterd.server.notify import WATCHDOG, notify, watchdog_interval_s
from filterd.wire import Rcode, RRType, compose_query, parse_response
from filterd.wire import name as names
from filterd.wire.question import Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.clock import Clock
    from filterd.resolve.site import Site

_ANSWER_WITHIN_S = 2.0
_TRIES = 3
_LARGEST = 1232
_NAMES_LOOKED_AT = 1_000
_LOCALHOST = names.from_text("localhost")
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- compared, not bound

_log = logging.getLogger("filterd.watchdog")


class Watchdog:
    """Asks through the real sockets and tells systemd when all is as it must be.

    Args:
        site: returns the site in force.
        clock: for what has to be blocked now.
    """

    def __init__(self, site: Callable[[], Site], clock: Clock) -> None:
        self._site, self._clock = site, clock

    async def run(self) -> None:
        """Watch for ever, if somebody wants to know; ask three times for each time he listens."""
        interval_s = watchdog_interval_s()
        if interval_s is None:
            return
        while True:
            if await self.is_well():
                notify(WATCHDOG)
            await asyncio.sleep(interval_s / 3)

    async def is_well(self) -> bool:
        """Ask on every address; log what is not as it must be."""
        problems = [
            problem
            for probe in probes_of(self._site(), self._clock.wall())
            if (problem := await _problem(probe))
        ]
        for problem in problems:
            _log.error("%s", problem)
        return not problems


class Probe(NamedTuple):
    """A question: where, the name, and whether it must be blocked there."""

    address: str
    port: int
    name: bytes
    blocked: bool


def probes_of(site: Site, now: float) -> list[Probe]:
    """Choose what to ask at Unix time ``now``, on each address that a site listens on."""
    probes = []
    for listen in site.policy.listen:
        address = _LOOPBACK.get(listen.address, listen.address)
        probes.append(Probe(address, listen.port, _LOCALHOST, blocked=False))
        if name := _a_blocked_name(site, address, now):
            probes.append(Probe(address, listen.port, name, blocked=True))
    return probes


def _a_blocked_name(site: Site, address: str, now: float) -> bytes | None:
    """Return a listed name that this machine, asking itself, must not get now."""
    client = site.identifier.identify(address)
    if client is None:
        return None
    for name in islice(site.index.names(), _NAMES_LOOKED_AT):
        if site.engine.decide(client, name, RRType.A, now).blocked:
            return name
    return None


async def _problem(probe: Probe) -> str:
    """Return what is wrong with the answer to a probe; nothing if all is well."""
    what = f"{names.to_text(probe.name)} at {probe.address} port {probe.port}"
    for _ in range(_TRIES):
        try:
            rcode, records = await asyncio.wait_for(_ask(probe), _ANSWER_WITHIN_S)
        except (TimeoutError, OSError, WireError):
            continue
        if probe.blocked and rcode == Rcode.NOERROR and records:
            return f"{what} must be blocked and is answered"
        if not probe.blocked and (rcode != Rcode.NOERROR or not records):
            return f"{what} must be answered and is not"
        return ""
    return f"{what} gets no answer"


async def _ask(probe: Probe) -> tuple[int, int]:
    """Ask by UDP as a stub does; return the response code and the number of answers."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in probe.address else socket.AF_INET
    query = compose_query(secrets.randbits(16), Question.of(probe.name, RRType.A))
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as opened:
        opened.connect((probe.address, probe.port))
        opened.send(query)
        while (reply := await loop.sock_recv(opened, _LARGEST))[:2] != query[:2]:
            pass
    response = parse_response(reply)
    return response.rcode, response.header.ancount
