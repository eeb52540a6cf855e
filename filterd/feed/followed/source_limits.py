# SPDX-License-Identifier: Apache-2.0
"""Limit what a night of sources costs, and leave servers alone that ask for it.

A server that answers 429 or 503 is not asked again until its Retry-After is over, or after
15 minutes, 30, an hour and so on, a day at most; neither are its other files.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import field, replace
from math import ceil, inf
from typing import TYPE_CHECKING

from filterd.base.errors import (
    FetchError,
    ForeignContentError,
    StoreError,
    TooLargeError,
    TooSlowError,
)
from filterd.base.state_file import FileFormat
from filterd.base.value_class import frozen
from filterd.http.http_download import DownloadLimits, RequestPolicy, split
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from filterd.base.clock import Clock

LIMITS = DownloadLimits(total_s=300.0)
"""For one address."""
POLICY = RequestPolicy(redirects=3, is_one_server=True, is_public_only=True)
"""A connection is the only proof of what comes, and an address may be anybody's."""
LEAST_SHARE = 0.5
"""Of the entries of the last good text; with fewer a new one is not taken."""
MOST_TIMES, GROWTH_SLACK = 3.0, 2_000
"""Of the entries of the last good text, where no person compares versions; and some more."""

FIRST_WAIT_S, LONGEST_WAIT_S = 900.0, 86_400.0
_BUSY = (429, 503)
_MOST_OCTETS = 1 << 18


@frozen
class RunBudget:
    """What all sources together may take in one night."""

    octets: int = 250_000_000
    seconds: float = 1_800.0


@frozen
class FetchRules:
    """How sources are asked.

    Attributes:
        limits: for each address.
        policy: where requests may go.
        budget: of octets and seconds for all together; None for no more limits.
        most_times: times the entries of its last text a new one may have; None for any.
        waits: whether servers that asked for it are left alone.
        accepted: ids of sources whose new text may have any number of entries.
    """

    limits: DownloadLimits = LIMITS
    policy: RequestPolicy = POLICY
    budget: RunBudget | None = None
    most_times: float | None = None
    waits: bool = True
    accepted: frozenset[str] = frozenset()

    def check_growth(self, source_id: str, had: int, has: int) -> None:
        """Refuse a text that has far less or far more entries than the last one.

        Raises:
            ForeignContentError: it has.
        """
        most = self.most_times and self.most_times * had + GROWTH_SLACK
        if source_id in self.accepted or LEAST_SHARE * had <= has <= (most or has):
            return
        at_school = say("run `filterd lists update --accept {id}`", id=source_id)
        raise ForeignContentError(
            say(
                "{id}: it has {entries} names and had {before}; if that is right: {remedy}",
                id=source_id,
                entries=has,
                before=had,
                remedy=at_school if most else say("remove {note}", note=f"{source_id}.json"),
            )
        )


BY_HAND = FetchRules()
"""Of a publisher: a person looks at the outcome."""
NIGHTLY = FetchRules(budget=RunBudget(), most_times=MOST_TIMES)
"""Of a school: no person does."""
BETWEEN_NIGHTS = replace(NIGHTLY, budget=RunBudget(octets=40_000_000, seconds=300.0))
"""Of a school by day: lessons need the line."""
AT_ONCE = FetchRules(limits=DownloadLimits(total_s=60.0))
"""A person waits for it."""


class Spending:
    """What is left of a budget; None is none."""

    def __init__(self, budget: RunBudget | None, clock: Clock) -> None:
        self._budget, self._clock = budget, clock
        self._began, self._octets = clock.monotonic(), 0

    def limits(self, limits: DownloadLimits) -> DownloadLimits:
        """Return the limits of one download within what is left.

        Raises:
            TooSlowError: no time is left.
            TooLargeError: no octets are.
        """
        if self._budget is None:
            return limits
        self._check_octets()
        return replace(limits, total_s=min(limits.total_s, self.left_s()))

    def left_s(self) -> float:
        """Return the seconds that are left.

        Raises:
            TooSlowError: none are.
        """
        if self._budget is None:
            return inf
        left_s = self._budget.seconds - (self._clock.monotonic() - self._began)
        if left_s <= 0:
            raise TooSlowError(
                say(
                    "the limit of {seconds} s a night is reached", seconds=int(self._budget.seconds)
                )
            )
        return left_s

    def counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Count octets as they come.

        Raises:
            TooLargeError: there are more than are left.
        """
        for chunk in chunks:
            self._octets += len(chunk)
            self._check_octets()
            yield chunk

    def _check_octets(self) -> None:
        if self._budget is not None and self._octets > self._budget.octets:
            raise TooLargeError(
                say("the limit of {octets} octets a night is reached", octets=self._budget.octets)
            )


@frozen
class _Wait:
    until: float
    times: int


@frozen
class _Waits:
    hosts: dict[str, _Wait] = field(default_factory=dict)


_FORMAT = FileFormat(
    _Waits, magic=b"filterd source-waits ", words={"_Wait": _Wait}, most_octets=_MOST_OCTETS
)


class HostWaits:
    """Servers that want to be left alone, in the folder of sources."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "waits.state"

    def check(self, address: str, now: float) -> None:
        """Check that the host of an address may be asked.

        Args:
            address: an URL.
            now: Unix time; a wait of more than a day was noted by a clock that was wrong.

        Raises:
            FetchError: not before ``retry_after_s``.
        """
        host = split(address).hostname or ""
        wait = self._read().hosts.get(host)
        if wait is None or not now < wait.until <= now + LONGEST_WAIT_S:
            return
        error = FetchError(
            say(
                "{host}: it asked for a pause; it is asked again in {minutes} min",
                host=host,
                minutes=ceil((wait.until - now) / 60),
            )
        )
        error.retry_after_s = wait.until - now
        raise error

    @contextmanager
    def noting(self, address: str, clock: Clock) -> Iterator[None]:
        """Note how the host of an address answers the request made meanwhile."""
        host, waits = split(address).hostname or "", self._read()
        try:
            yield
        except FetchError as error:
            if error.status in _BUSY:
                times = waits.hosts[host].times if host in waits.hosts else 0
                wait_s = max(error.retry_after_s, FIRST_WAIT_S * 2 ** min(times, 7))
                error.retry_after_s = min(wait_s, LONGEST_WAIT_S)
                until = clock.wall() + error.retry_after_s
                self._save({**waits.hosts, host: _Wait(until, times + 1)})
            raise
        if host in waits.hosts:
            self._save({one: wait for one, wait in waits.hosts.items() if one != host})

    def _read(self) -> _Waits:
        return _FORMAT.read(self._path) or _Waits()

    def _save(self, hosts: dict[str, _Wait]) -> None:
        with suppress(StoreError):  # then it is asked a little too early
            _FORMAT.save(self._path, _Waits(hosts))
