# SPDX-License-Identifier: Apache-2.0
"""Record the qnames of a room during the trial run of an exam: a worker's part.

In memory only, qnames only, limited in number; it ends by itself. Meanwhile the fast
path leaves that room to the chain, which sees every question. Names that no exam closes,
such as captive-portal probes, are not reported, and neither are confidential names.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

from filterd.policy.verdict import Rule
from filterd.resolve.query import Source

if TYPE_CHECKING:
    from filterd.fastpath.core_filler import FastPath
    from filterd.policy.model import Client
    from filterd.resolve.query import Answer, Query
    from filterd.resolve.resolver import Resolver

MOST_NAMES = 2_000
PAGE = 200
"""Names in one report: they fit into a packet of the channel."""

_OF_NO_EXAM = frozenset((Source.LOCAL, Source.REFUSED))
"""Sources of answers that an exam does not change."""


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
            left_s: how long the trial goes on from now; nothing ends it.
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
        others = tuple(one for one in self._resolver.observers if one is not self)
        self._resolver.observers = (*others, self) if self._names else others
        if self._fast is not None:
            self._fast.forget()

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
