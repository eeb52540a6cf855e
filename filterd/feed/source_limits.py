# SPDX-License-Identifier: Apache-2.0
"""Limit what a night of sources costs, and leave servers alone that ask for it.

A server that answers 429 or 503 is not asked again until its Retry-After is over, or after
15 minutes, 30, an hour and so on, a day at most; neither are its other files.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING

from filterd.errors import FetchError, StoreError, TooLargeError, TooSlowError
from filterd.http_download import split
from filterd.i18n import say
from filterd.state_file import FileFormat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from filterd.clock import Clock
    from filterd.http_download import DownloadLimits

FIRST_WAIT_S, LONGEST_WAIT_S = 900.0, 86_400.0
_BUSY = (429, 503)
_MOST_OCTETS = 1 << 18


@dataclass(frozen=True, slots=True)
class RunBudget:
    """What all sources together may take in one night."""

    octets: int = 250_000_000
    seconds: float = 1_800.0


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
        left_s = self._budget.seconds - (self._clock.monotonic() - self._began)
        if left_s <= 0:
            raise TooSlowError(
                say(
                    "the limit of {seconds} s a night is reached", seconds=int(self._budget.seconds)
                )
            )
        return replace(limits, total_s=min(limits.total_s, left_s))

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


@dataclass(frozen=True, slots=True)
class _Wait:
    until: float
    times: int


@dataclass(frozen=True, slots=True)
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
