# SPDX-License-Identifier: Apache-2.0
"""Record what a room asks in a trial run, and which makers share an address.

In memory only, limited in number; it ends by itself. Meanwhile the fast path leaves these
clients to the chain, which sees every question. ``Trials`` and ``CheckRecorder`` are a worker's
part, ``NatWatch`` the manager's, as ``device_discovery.ExamTrials``.

A trial run of an exam records qnames only. Names that no exam closes, such as captive-portal
probes, are not reported, and neither are confidential names.

Devices behind an access point that does NAT, for example, share an address. Each system asks for
a name of its maker when it joins a network, to check the connection. An address from which the
checks of several makers come has several devices behind it, often a class. A device of one maker
may ask for the check of its system's maker, too, so two makers prove nothing. Without a watch
nothing is looked at, because the fast path repeats answers to just these names.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ControlError, FilterdError
from filterd.policy.verdict import Rule
from filterd.resolve.query import Source
from filterd.texts.i18n import say
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.base.clock import Clock
    from filterd.daemon.worker_channel import Channel
    from filterd.fastpath.core_filler import FastPath
    from filterd.policy.model import Client
    from filterd.resolve.query import Answer, Query
    from filterd.resolve.resolver import Resolver

MOST_NAMES = 2_000
PAGE = 200
"""Names, or addresses, in one report: they fit into a packet of the channel."""

_OF_NO_EXAM = frozenset((Source.LOCAL, Source.REFUSED))
"""Sources of answers that an exam does not change."""


def _observe(
    observer: Trials | CheckRecorder, resolver: Resolver, fast: FastPath | None, *, is_on: bool
) -> None:
    """Let an observer see answers, or no more; the fast path learns its clients anew."""
    others = tuple(one for one in resolver.observers if one is not observer)
    resolver.observers = (*others, observer) if is_on else others
    if fast is not None:
        fast.forget()


class Trials:
    """The trials that are on, by room."""

    def __init__(self, resolver: Resolver, fast: FastPath | None) -> None:
        self._resolver, self._fast = resolver, fast
        self._names: dict[str, dict[bytes, tuple[bool, int]]] = {}
        self._lives: dict[str, str] = {}
        self._ends: dict[str, asyncio.TimerHandle] = {}

    async def trial(self, *, room: str, left_s: float, since: int, fresh: bool) -> dict[str, Any]:
        """Return the recorded names; begin to record if that is not on yet.

        Args:
            room: id of the network.
            left_s: how long the trial goes on from now; 0 ends it.
            since: how many names are known already.
            fresh: forget the names recorded before.

        Returns: ``names``, each as its wire form in hexadecimal, whether it was
        blocked, and how often it was asked for; ``more``, whether there are more;
        ``life``, another one whenever counting has begun anew.
        """
        if fresh or left_s <= 0:
            self._end(room)
        if left_s <= 0:
            return {"names": [], "more": False, "life": ""}
        if room not in self._names:
            self._begin(room)
        self._end_in(room, left_s)
        names = list(self._names[room].items())
        page = [[name.hex(), *heard] for name, heard in names[since : since + PAGE]]
        more = len(names) > since + PAGE
        return {"names": page, "more": more, "life": self._lives[room]}

    def close(self) -> None:
        """End them all."""
        for room in list(self._names):
            self._end(room)

    def _begin(self, room: str) -> None:
        self._names[room], self._lives[room] = {}, secrets.token_hex(8)
        self._changed()

    def _end_in(self, room: str, left_s: float) -> None:
        if room in self._ends:
            self._ends[room].cancel()
        self._ends[room] = asyncio.get_running_loop().call_later(left_s, self._end, room)

    def _end(self, room: str) -> None:
        if room in self._names:
            del self._names[room], self._lives[room]
            self._ends.pop(room).cancel()
            self._changed()

    def _changed(self) -> None:
        _observe(self, self._resolver, self._fast, is_on=bool(self._names))

    def must_see(self, client: Client) -> bool:
        """Return whether a trial is on in the client's room."""
        return client.network in self._names

    def saw(self, query: Query, answer: Answer) -> None:
        """Note the name of a question from such a room."""
        names = self._names.get(query.client.network or "")
        if names is None or answer.source in _OF_NO_EXAM or _is_pinned(answer):
            return
        qname = query.message.question.qname
        if query.site.confidential.hides(qname, _category(answer)):
            return
        if qname in names or len(names) < MOST_NAMES:
            _, times = names.get(qname, (False, 0))
            names[qname] = answer.source is Source.BLOCKED, times + 1


def _is_pinned(answer: Answer) -> bool:
    match = answer.verdict.match if answer.verdict is not None else None
    return match is not None and match.rule is Rule.PIN


def _category(answer: Answer) -> str:
    """Return the category that decided; of an alias that is one of its target."""
    match = answer.verdict.match if answer.verdict is not None else None
    return match.category if match is not None else ""


MOST_ADDRESSES = 10_000
LEAST_MAKERS = 3
_WORKER_WITHIN_S = 2.0

CHECKS = {
    "Apple": ("captive.apple.com",),
    "Google": ("connectivitycheck.android.com", "connectivitycheck.gstatic.com"),
    "Honor": ("connectivitycheck.platform.hihonorcloud.com",),
    "Huawei": ("connectivitycheck.platform.hicloud.com",),
    "Linux": (
        "connectivity-check.ubuntu.com",
        "network-test.debian.org",
        "networkcheck.kde.org",
        "nmcheck.gnome.org",
    ),
    "Microsoft": (
        "dns.msftncsi.com",
        "ipv6.msftconnecttest.com",
        "www.msftconnecttest.com",
        "www.msftncsi.com",
    ),
    "Xiaomi": ("connect.rom.miui.com",),
}
"""Names of connectivity checks by maker, without those that browsers and pages ask for."""

_MAKER_OF = {names.from_text(name): maker for maker, found in CHECKS.items() for name in found}


class CheckRecorder:
    """A worker's recorder of connectivity checks: the makers by address."""

    def __init__(self, resolver: Resolver, fast: FastPath | None) -> None:
        self._resolver, self._fast = resolver, fast
        self._makers: dict[str, set[str]] = {}
        self._ends: asyncio.TimerHandle | None = None

    async def checks(self, *, left_s: float, since: int, fresh: bool) -> dict[str, Any]:
        """Return addresses and their makers; begin to record if that is not on yet.

        Args:
            left_s: how long the watch goes on; 0 ends it.
            since: how many addresses to skip.
            fresh: forget what was recorded before.
        """
        if fresh or left_s <= 0:
            self.close()
        if left_s > 0 and self._ends is None:
            self._ends = asyncio.get_running_loop().call_later(left_s, self.close)
            _observe(self, self._resolver, self._fast, is_on=True)
        found = list(self._makers.items())
        page = [[address, sorted(makers)] for address, makers in found[since : since + PAGE]]
        return {"checks": page, "more": len(found) > since + PAGE}

    def close(self) -> None:
        """End the watch, and forget what was recorded."""
        self._makers.clear()
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None
            _observe(self, self._resolver, self._fast, is_on=False)

    def must_see(self, _: Client) -> bool:
        """Return whether a watch is on."""
        return self._ends is not None

    def saw(self, query: Query, _: Answer) -> None:
        """Note the maker of a connectivity check."""
        maker, address = _MAKER_OF.get(query.message.question.qname), query.client.address
        if maker is None or address is None:
            return
        if address in self._makers or len(self._makers) < MOST_ADDRESSES:
            self._makers.setdefault(address, set()).add(maker)


class NatWatch:
    """The manager's watch, over all workers."""

    def __init__(self, clock: Clock, workers: Sequence[Channel]) -> None:
        self._clock, self._workers = clock, workers
        self._until = 0.0

    async def begin(self, length_s: float) -> None:
        """Watch all addresses from now on.

        Raises:
            FilterdError: a worker does not.
        """
        self._until = self._clock.monotonic() + length_s
        await asyncio.gather(*(self._ask(worker, length_s, fresh=True) for worker in self._workers))

    async def end(self) -> None:
        """End the watch, and forget what was seen."""
        self._until = 0.0
        asked = (self._ask(worker, 0.0, fresh=True) for worker in self._workers)
        await asyncio.gather(*asked, return_exceptions=True)

    async def seen(self) -> list[dict[str, Any]]:
        """Return a row for each address that several devices share.

        A worker that was restarted meanwhile starts to record again.

        Raises:
            ControlError: no watch is on.
        """
        left_s = self._until - self._clock.monotonic()
        if left_s <= 0:
            raise ControlError(say("no watch is on; start one with `filterd devices nat`"))
        makers: dict[str, set[str]] = {}
        for worker in self._workers:
            since, more = 0, True
            while more:
                try:
                    page = await self._ask(worker, left_s, since)
                except FilterdError:  # it is being replaced; the others have heard something
                    break
                more, since = page["more"], since + len(page["checks"])
                for address, found in page["checks"]:
                    makers.setdefault(address, set()).update(found)
        return [
            {"address": address, "makers": sorted(found)}
            for address, found in sorted(makers.items())
            if len(found) >= LEAST_MAKERS
        ]

    async def _ask(
        self, worker: Channel, left_s: float, since: int = 0, *, fresh: bool = False
    ) -> dict[str, Any]:
        page: dict[str, Any] = await worker.ask(
            "checks", within_s=_WORKER_WITHIN_S, left_s=left_s, since=since, fresh=fresh
        )
        return page
