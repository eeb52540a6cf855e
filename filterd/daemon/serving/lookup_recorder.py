# SPDX-License-Identifier: Apache-2.0
"""Record the lookups of tiers whose log level has names: a worker's part.

The chain answers the clients of such tiers, because the fast path shows no names; tiers at
``off`` and ``counts`` stay with the fast path. What is recorded goes to the manager
(``daemon.manager.lookup_collector``) in batches. Nothing of a device is recorded but its pseudonym:
of reverse names and names of the school's own devices only the zone, because the rest is
an address or a person's name; of a name with a private address only what is above it.

Not recorded are confidential names, the daemon's own questions, and lookups of a time when
the date is not known. Where rows are kept, what these names got is in no sum either
(``is_unlisted``): rows that are fewer than their sum would show it.
"""

from __future__ import annotations

import logging
import re
from ipaddress import ip_address
from math import inf
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.base.errors import IndexFormatError
from filterd.policy.log_levels import LogLevel, levels_of
from filterd.querylog.day_schema import DaySpan
from filterd.querylog.lookups import WRITE_FROM, Lookup, LookupContext, LookupQueue
from filterd.resolve.query import Source, counted_as
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.base.clock import Clock
    from filterd.daemon.worker_channel import Channel
    from filterd.policy.model import Client
    from filterd.querylog.pseudonyms import Pseudonyms
    from filterd.resolve.query import Answer, Query
    from filterd.resolve.resolver import Resolver
    from filterd.resolve.site import Site

_ZONES_OF_DEVICES = tuple(map(names.from_text, ("in-addr.arpa", "ip6.arpa", "local")))
_IPV4 = rb"(\d{1,3})" + rb"[-.\x01-\x03](\d{1,3})" * 3
_ADDRESS, _ADDRESSES = re.compile(_IPV4), re.compile(rb"(?<!\d)(?=" + _IPV4 + rb")")
"""An IPv4 address in a name: with hyphens, or as labels, which have their lengths between. Several
may overlap; to look for them takes eight times as long."""

_MOST_KNOWN = 30_000
"""Contexts memorised, and names: some 5 MB where a school has so many."""

_FULL, _BLOCKED = LogLevel.FULL, LogLevel.BLOCKED

_new = tuple.__new__
"""Makes a named tuple without a frame of Python, in a third of the time."""

_logger = logging.getLogger("filterd.log")


class LookupRecorder:
    """An observer of the answers of tiers that are recorded.

    Args:
        resolver: whose answers are observed.
        pseudonyms: of devices.
        clock: the machine's; the log goes by it.
        is_due: called when there is enough to be written at once.

    Attributes:
        queue: the lookups that wait.
        undated: how many were not recorded because the date was not known.
        failed: how many could not be recorded.
        on_row: called with each lookup that is a row, for those who follow the log.
    """

    def __init__(
        self,
        resolver: Resolver,
        pseudonyms: Pseudonyms,
        clock: Clock,
        is_due: Callable[[], None] = lambda: None,
    ) -> None:
        self.queue = LookupQueue()
        self.undated = self.failed = 0
        self.on_row: Callable[[Lookup], None] | None = None
        self._resolver, self._pseudonyms, self._clock = resolver, pseudonyms, clock
        self._is_due, self._was_due = is_due, False
        self._levels: dict[str, LogLevel] = {}
        self._known_from = -inf
        self._day = DaySpan("", 0, 0)
        self._contexts: dict[tuple[str, ...], LookupContext] = {}
        self._names: dict[bytes, bytes | None] = {}
        """By qname, what ``_names_of`` lets be recorded of it."""
        self._names_of: Site | None = None

    def apply(self, site: Site, known_from: float) -> None:
        """Record by the levels of a site.

        Args:
            site: the active one.
            known_from: the Unix time before which a clock is not believed.
        """
        levels = levels_of(site.policy).items()
        self._levels = {tier: level for tier, level in levels if level.includes(LogLevel.NAMES)}
        self._known_from = known_from
        if (zone := ZoneInfo(site.policy.time_zone)) is not self._pseudonyms.zone:
            self._pseudonyms.zone, self._day = zone, DaySpan("", 0, 0)
        self._names, self._names_of = {}, site
        others = tuple(observer for observer in self._resolver.observers if observer is not self)
        self._resolver.observers = (*others, self) if self._levels else others
        self._resolver.is_unlisted = self.is_unlisted if self._levels else None

    async def lookups(
        self, *, worker: str, acknowledged: int, after: int, is_distinct: bool = False
    ) -> dict[str, Any]:
        """Return the next batch for the log, as plain data; see ``LookupQueue.take``.

        Args:
            worker: whose batches are meant.
            acknowledged: up to which they are on disk.
            after: which one the manager has.
            is_distinct: whether to merge rows from now on; see ``LookupQueue``.
        """
        self._end_yesterday()
        self.queue.is_distinct = is_distinct
        self._was_due = False
        return self.queue.take(worker, acknowledged, after).to_plain()

    async def lookups_are_written(self, *, worker: str, number: int) -> None:
        """Forget the batches up to a number: they are on disk."""
        self.queue.acknowledge(worker, number)

    async def hand_over_last(self, channel: Channel) -> None:
        """Hand over the batches that are left at the end."""
        left = (batch.to_plain() for batch in self.queue.take_all())
        await channel.hand_over("last_lookups", left)

    @property
    def lost(self) -> int:
        """How many lookups should have been recorded and were not."""
        return self.queue.lost + self.failed

    def facts(self) -> dict[str, int]:
        """Return its numbers for the status."""
        return {
            "rows_waiting": len(self.queue),
            "rows_lost": self.lost,
            "rows_undated": self.undated,
        }

    def must_see(self, client: Client) -> bool:
        """Return whether the lookups of a client are recorded."""
        return client.grade.tier in self._levels

    def saw(self, query: Query, answer: Answer) -> None:
        """Record a lookup, by the client as which it was finally judged. Never raises."""
        try:
            self._record(query, answer)
        except Exception:
            if not self.failed:
                _logger.exception("a lookup could not be recorded; such lookups are counted")
            self.failed += 1

    def _record(self, query: Query, answer: Answer) -> None:
        judged = answer.readmitted or query
        client, site, qname = judged.client, judged.site, query.qname
        grade = client.grade
        level = self._levels.get(grade.tier)
        if level is None or self._resolver.is_own(query):
            return
        now = self._clock.wall()
        if now < self._known_from:
            self.undated += 1
            return
        if not self._day.begins <= now < self._day.ends:
            self._begin_day(now)
        counted, category, action, blocker = counted_as(client, answer)
        if category and category in site.confidential.categories:
            return
        name = self._name_of(qname, site)
        if name is None:
            return
        is_row = level is _FULL or (level is _BLOCKED and action == "blocked")
        place = counted, grade.class_id, client.network or "", category, action, blocker
        context = self._contexts.get(place) or self._context(place)
        device = self._pseudonyms.of_client(client, now)
        lookup = _new(Lookup, (int(now), name, context, device, is_row, 1))
        waiting = self.queue.add(lookup)
        if is_row and self.on_row is not None:
            self.on_row(lookup)
        if waiting >= WRITE_FROM and not self._was_due:
            self._was_due = True
            self._is_due()

    def is_unlisted(self, query: Query, answer: Answer) -> bool:
        """Return whether no row may have an answer, where all others of its kind have one.

        A sum that had it would show it beside the rows. Never raises.
        """
        judged = answer.readmitted or query
        client, site = judged.client, judged.site
        level, is_block = self._levels.get(client.grade.tier), answer.source is Source.BLOCKED
        if level is None or not (is_block or level is _FULL):
            return False
        _, category, _, _ = counted_as(client, answer)
        if category in site.confidential.categories:
            return not is_block  # a block is counted, for the whole school and the day that is over
        try:
            return self._name_of(judged.qname, site) is None
        except IndexFormatError:
            return True

    def _name_of(self, qname: bytes, site: Site) -> bytes | None:
        if site is not self._names_of:
            self._names, self._names_of = {}, site
        name = self._names.get(qname, b"")
        return self._name(qname, site) if name == b"" else name

    def _name(self, qname: bytes, site: Site) -> bytes | None:
        """Return what is recorded of a name, None for nothing; memorise it.

        One object for equal names, and for equal contexts: the queue holds thousands.
        """
        if len(self._names) >= _MOST_KNOWN:
            self._names.clear()
        name = None if qname in site.confidential else _recorded(qname, site)
        self._names[qname] = name
        return name

    def _context(self, place: tuple[str, ...]) -> LookupContext:
        if len(self._contexts) >= _MOST_KNOWN:
            self._contexts.clear()
        context = self._contexts[place] = LookupContext(*place)
        return context

    def _begin_day(self, now: float) -> None:
        self._day = DaySpan.at(now, self._pseudonyms.zone)
        self.queue.begin_day()
        self._names.clear()

    def _end_yesterday(self) -> None:
        """Forget pseudonyms and names of yesterday, also where nothing is looked up."""
        now = self._clock.wall()
        if now >= self._known_from and not self._day.has(now):
            self._begin_day(now)
            self._pseudonyms.end_yesterday(now)


def _recorded(qname: bytes, site: Site) -> bytes:
    """Return what is recorded of a name: what is above the part that is of a device."""
    leased = site.policy.lease_zone
    zones = _ZONES_OF_DEVICES if leased is None else (*_ZONES_OF_DEVICES, leased)
    if qname.endswith(zones):
        for zone in zones:
            if names.is_at_or_beneath(qname, zone):
                return zone
    if _ADDRESS.search(qname) is None:
        return qname
    ends = [one.end(4) for one in _ADDRESSES.finditer(qname) if _is_private(one)]
    return _above(qname, ends[-1]) if ends else qname


def _is_private(found: re.Match[bytes]) -> bool:
    """Return whether an address, in either order of its numbers, is private."""
    numbers = [int(number) for number in found.groups()]
    if max(numbers) > 0xFF:
        return False
    return any(ip_address(bytes(one)).is_private for one in (numbers, numbers[::-1]))


def _above(qname: bytes, end: int) -> bytes:
    """Return the ancestor whose labels begin at an octet of the name, or behind it."""
    above = (suffix for suffix in names.suffixes(qname) if len(qname) - len(suffix) >= end)
    return next(above, names.ROOT)
