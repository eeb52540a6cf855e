# SPDX-License-Identifier: Apache-2.0
"""The life of the daemon: start, serve, reload, stop.

A reload compiles and loads beside what serves and then moves one reference;
whatever fails on the way leaves everything as it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from filterd.lists import matcher
from filterd.policy.model import RateLimit
from filterd.policy.store import digest
from filterd.resolve import pipeline
from filterd.resolve.explain import (
    Explanation,
    client_of,
    explain,
    explain_answer,
    parse_time,
)
from filterd.resolve.query import Peer, Query
from filterd.resolve.resolver import Resolver
from filterd.resolve.site import SiteHolder
from filterd.resolve.store import ResolutionStore
from filterd.server import state as on_disk
from filterd.server.arrival import bind
from filterd.server.limiter import Limiter
from filterd.server.places import Places
from filterd.server.stepping import Stepper
from filterd.server.tcp import TcpListener
from filterd.server.udp import UdpListener
from filterd.upstream import Forwarder
from filterd.version import __version__
from filterd.wire import compose_query, parse_query
from filterd.wire.question import Question

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.clock import Clock
    from filterd.paths import StateFolder
    from filterd.policy.model import ListenAddress
    from filterd.resolve.handler import Handler
    from filterd.resolve.site import Site

_ALIAS_WITHIN_S = 1.5
"""How long a person who asks why waits for an upstream that may be down."""

_log = logging.getLogger("filterd.daemon")


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload did. ``restart_for`` names settings that only a restart changes."""

    policy: str
    names: int
    lists: int
    restart_for: tuple[str, ...] = ()


class Daemon:
    """A running filterd. ``start`` before all else, ``stop`` once at the end."""

    def __init__(self, config: Path, state: StateFolder, clock: Clock) -> None:
        self._config, self._state, self._clock = config, state, clock
        self._started_at = clock.wall()
        self._reloading = asyncio.Lock()
        self._store = ResolutionStore()
        self._forwarder = Forwarder(clock)
        self._stepper = Stepper()
        self._places = Places()
        self._limiter = Limiter(RateLimit(), clock)
        self._sockets: list[socket.socket] = []
        self._udp: list[UdpListener] = []
        self._tcp: list[TcpListener] = []
        self._sites: SiteHolder
        self._handler: Handler
        self._resolver: Resolver

    @property
    def site(self) -> Site:
        """The policy and lists in force."""
        return self._sites.current

    @property
    def ports(self) -> list[int]:
        """The UDP ports listened on, in the order of ``listen``."""
        return [listener.port for listener in self._udp]

    async def start(self) -> None:
        """Load what is on disk and listen.

        Raises:
            FilterdError: there is no usable policy or index, or an address
                cannot be listened on.
        """
        async with self._reloading:  # a SIGHUP that comes too early waits for the start
            await asyncio.to_thread(on_disk.compile_policy_or_keep, self._config, self._state)
            site = await asyncio.to_thread(on_disk.load_site, self._config, self._state)
            self._sites = SiteHolder(site)
            self._handler = pipeline.build(self._sites, self._store, self._forwarder, self._clock)
            self._resolver = Resolver(self._sites, self._handler, self._clock)
            for listen in site.policy.listen:
                await self._listen(listen)

    async def stop(self) -> None:
        """Stop listening, end what waits, free every socket."""
        for listener in self._udp:
            listener.close()
        for opened in self._sockets:
            opened.close()
        self._forwarder.close()
        await self._stepper.close()
        for tcp in self._tcp:
            await tcp.close()

    async def reload(self) -> Reloaded:
        """Put the site's files and the compiled lists as they are now in force.

        Raises:
            FilterdError: something is wrong; what was in force stays.
        """
        async with self._reloading:
            await asyncio.to_thread(on_disk.compile_policy, self._config, self._state)
            new = await asyncio.to_thread(on_disk.load_site, self._config, self._state)
            old, self._sites.current = self._sites.current, new
        _log.info("reloaded: policy %s, %d names", digest(new.policy), len(new.index))
        moved = ("listen",) if old.policy.listen != new.policy.listen else ()
        return Reloaded(digest(new.policy), len(new.index), len(new.index.lists), moved)

    async def explain(
        self, qname: bytes, qtype: int, *, grade: str | None, address: str | None, at: str | None
    ) -> Explanation | None:
        """Explain what a client gets; None for an address that may not ask here.

        A name that may pass now is also asked for, because a blocked alias can
        only be seen in the answer.
        """
        client = client_of(self.site, grade, address)
        if client is None:
            return None
        zone = self.site.policy.time_zone
        now = self._clock.wall() if at is None else parse_time(at, zone)
        expected = explain(self.site, client, qname, qtype, now)
        if at is None and not expected.blocked:
            message = parse_query(compose_query(0, Question.of(qname, qtype)))
            query = Query(message, Peer(address or "127.0.0.1"), client, self.site)
            with contextlib.suppress(TimeoutError):  # then what policy alone says has to do
                async with asyncio.timeout(_ALIAS_WITHIN_S):
                    answer = await self._handler(query)
                    expected = explain_answer(client, qname, qtype, answer, expected)
        return replace(expected, source="daemon")

    def status(self) -> dict[str, Any]:
        """Return how it fares, as plain data."""
        policy, index = self.site.policy, self.site.index
        return {
            "version": __version__,
            "pid": os.getpid(),
            "native": matcher.NATIVE,
            "up_s": round(self._clock.wall() - self._started_at),
            "school": policy.school,
            "policy": digest(policy),
            "listen": [f"{one.address} port {one.port}" for one in policy.listen],
            "names": len(index),
            "lists": len(index.lists),
            "lists_built_at": index.build.get("when"),
            "answers": dict(self._resolver.counters),
            "cache": {
                "entries": len(self._store),
                "octets": self._store.used_octets,
                "hits": self._store.hits,
                "misses": self._store.misses,
            },
            "upstreams": self._upstreams(),
            "forwarding": dict(self._forwarder.counters),
            "in_flight": self._forwarder.in_flight,
            "tcp_connections": len(self._places),
        }

    async def _listen(self, listen: ListenAddress) -> None:
        opened = bind(listen, socket.SOCK_DGRAM)
        self._sockets.append(opened)
        self._udp.append(UdpListener(opened, self._resolver, self._stepper, self._limiter))
        tcp = TcpListener(self._resolver, self._stepper, self._limiter, self._places)
        await tcp.start(bind(replace(listen, port=self._udp[-1].port), socket.SOCK_STREAM))
        self._tcp.append(tcp)

    def _upstreams(self) -> list[dict[str, Any]]:
        now = self._clock.monotonic()
        known = {
            member.server: member
            for group in self._forwarder.groups().values()
            for member in group.members
        }
        return [
            {
                "address": server.address,
                "port": server.port,
                "rtt_ms": round(known[server].srtt_s * 1000, 1) if server in known else None,
                "down": server in known and known[server].down_until > now,
            }
            for server in self.site.route.servers
        ]
