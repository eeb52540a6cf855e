# SPDX-License-Identifier: Apache-2.0
"""Write what is counted to the log in rounds, once a minute: the manager's part.

``LogKeeper`` writes the counts of the workers, and the minutes in service with them
(``querylog.service_days``). A batch is acknowledged with the request for the next one, after it
is on disk. So the manager has nothing that could be lost, and a successor begins where it
stopped: the file ignores a batch that it already has. The supervisor stops all processes at
once. A worker first sends its last answers, and at the very end the counts that it has not
handed over.

``DistinctKeeper`` keeps how many distinct names were blocked on each day that is over. Day files
are removed after some weeks, and a report is about a year. A file is counted once its day is
over, and again where lookups have come late; one in a minute, the latest first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.base.errors import FilterdError, StoreError
from filterd.daemon.manager.disclosed_totals import HeldReach
from filterd.policy.field_checks import is_date
from filterd.querylog import Batch
from filterd.querylog.day_schema import DaySpan
from filterd.querylog.disclosure import ended_hours
from filterd.querylog.service_days import ServiceNotes
from filterd.texts.i18n import UNSAID

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.daemon.worker_channel import Channel
    from filterd.querylog.day_reach import ReachRow
    from filterd.querylog.period_totals import DistinctCount, PeriodFigures
    from filterd.querylog.service_days import ServiceDay, ServiceMoment
    from filterd.querylog.totals_file import TotalsFile
    from filterd.querylog.totals_request import Total, TotalsRequest
    from filterd.texts.i18n import Sentence

_WORKER_WITHIN_S = 2.0
_MOST_BATCHES = 16
"""Taken from one worker in a round; the rest waits for the next one."""

_FRESH_WITHIN_S = 1.5
"""How long a request for totals waits for the latest ones."""

ROUND_S = 60.0
_CATCH_UP_WITHIN_S = 10.0
"""The largest day takes 1.5 s; after an update there are as many as are kept."""
_logger = logging.getLogger("filterd.log")


class MinuteRounds(ABC):
    """Rounds that write what the workers have for the log.

    ``is_at_once``: whether the first one is at the start. Workers may not answer yet then, and
    what is asked for meanwhile shares the round.
    """

    def __init__(self, *, is_at_once: bool = False) -> None:
        self._is_at_once = is_at_once
        self._round: asyncio.Task[None] | None = None
        self._minutes: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Work once a minute from now on."""
        self._minutes = asyncio.get_running_loop().create_task(self._go_round())

    async def stop(self) -> None:
        """Finish the round that is at work, and close the files."""
        if self._minutes is not None:
            self._minutes.cancel()
            await asyncio.gather(self._minutes, return_exceptions=True)
        if self._round is not None:
            await self._round
        await self._close()

    async def collect(self) -> None:
        """Write what there is now; calls meanwhile share the same round. Never raises."""
        if self._round is None:
            self._round = asyncio.get_running_loop().create_task(self._collect())
            self._round.add_done_callback(self._round_is_over)
        await asyncio.shield(self._round)

    async def keep_house(self) -> None:
        """Do what is due each minute."""
        await self.collect()

    @abstractmethod
    async def _collect(self) -> None:
        """Do one round; must not raise."""

    @abstractmethod
    async def _close(self) -> None:
        """Close the files."""

    async def _go_round(self) -> None:
        await asyncio.sleep(0 if self._is_at_once else ROUND_S)
        while True:
            try:
                await self.keep_house()
            except Exception:
                _logger.exception("the log could not be written")
            await asyncio.sleep(ROUND_S)

    def _round_is_over(self, _: asyncio.Task[None]) -> None:
        self._round = None


def logged(error: StoreError, before: Sentence) -> Sentence:
    """Log an error unless it is the one before; return its sentence."""
    if error.sentence != before:
        _logger.error("%s; trying again every minute", error)
    return error.sentence


class LogKeeper(MinuteRounds):
    """Writes the counts of workers, and reads totals.

    Args:
        path: the file; it is made when there is something to write.
        clock: for today's date.
        workers: channels to the workers; the list may be filled later.
        keep_days: returns for how many days totals are kept.
        service: returns this moment of service, None for none.

    ``problem``: why the last round was not written, empty if it was. ``written_at``: when
    counts were last written, Unix time; None before the first time.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        workers: Sequence[Channel],
        keep_days: Callable[[], int],
        service: Callable[[], Awaitable[ServiceMoment | None]] | None = None,
    ) -> None:
        super().__init__()
        self.problem = UNSAID
        self.written_at: float | None = None
        self._path, self._clock, self._workers = path, clock, workers
        self._keep_days, self._service = keep_days, service
        self._notes, self._is_answered = ServiceNotes(), False
        self._lost: dict[str, int] = {}
        """By worker, the answers that it had lost when it was last asked."""
        self._written: dict[Channel, Batch] = {}
        self._left: list[Batch] = []
        self._ended = 0
        self._collected_at = -inf
        self._one_more_ended = asyncio.Event()
        self._file: TotalsFile | None = None
        self._held = HeldReach(self.reach)

    async def take_last(self, *, batch: dict[str, Any] | None) -> None:
        """Keep the last counts of a worker that ends; None is its last message."""
        if batch is not None:
            self._left.append(Batch.from_plain(batch))
        else:
            self._ended += 1
            self._one_more_ended.set()

    async def write_last(self, *, within_s: float) -> None:
        """Wait for the last counts of all workers, within a limit; write them."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self._ended < len(self._workers):
                    await self._one_more_ended.wait()
                    self._one_more_ended.clear()
        self._is_answered = True  # until now; a restart in order leaves no gap
        await self._note_service()
        await self._write(self._left, waits=False)

    def note_tests(self, day: str, passed: int, failed: int) -> None:
        """Keep the results of the self-test of a day (ISO 8601), from the next round on."""
        self._notes.note_tests(day, passed, failed)

    async def service(self, first: str, last: str) -> tuple[str, list[ServiceDay]]:
        """Return the first record's day, and the records of days; see ``read_service``.

        Raises:
            StoreError: the file cannot be read.
        """
        from filterd.querylog.totals_file import read_service  # noqa: PLC0415 -- as below

        await self._write([], waits=False)
        return await read_service(self._path, first, last)

    async def totals(self, request: TotalsRequest, *, time_zone: str) -> list[Total]:
        """Return the totals of the last days, as fresh as possible without a long wait.

        Raises:
            StoreError: the file cannot be read.
        """
        from filterd.querylog.totals_file import read_totals  # noqa: PLC0415 -- as below

        if self._clock.monotonic() - self._collected_at >= request.old_s:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.collect(), _FRESH_WITHIN_S)
        now = self._clock.wall()
        if request.threshold.devices:
            day = DaySpan.at(now, ZoneInfo(time_zone)).day
            held = await self._held.until(day, ended_hours(now, request.before))
            request = replace(request, held=held)
        return await read_totals(self._path, request, time_zone=time_zone, now=now)

    async def period(self, days: Sequence[DaySpan], **scope: Any) -> PeriodFigures:
        """Return the figures of days, in a scope; see ``period_totals``.

        Raises:
            StoreError: the file cannot be read.
        """
        from filterd.querylog.period_totals import (  # noqa: PLC0415 -- as below
            PeriodScope,
            read_period,
        )

        await self.collect()
        return await asyncio.to_thread(read_period, self._path, days, PeriodScope(**scope))

    async def cells(
        self, days: Sequence[DaySpan], confidential: Collection[str]
    ) -> tuple[list[Total], list[ReachRow]]:
        """Return the totals of days, each for itself, and their devices.

        Args:
            days: that follow each other.
            confidential: categories that are shown for the whole school only.

        Raises:
            StoreError: the file cannot be read.
        """
        found = await self.period(days, confidential=confidential)
        return found.totals, await self.reach(days[0].day, days[-1].day)

    async def reach(self, first: str, last: str) -> list[ReachRow]:
        """Return the devices of days (ISO 8601), both included.

        Raises:
            StoreError: the file cannot be read.
        """
        from filterd.querylog.totals_file import read_reach  # noqa: PLC0415 -- as below

        return await read_reach(self._path, first, last)

    async def distinct_days(self) -> frozenset[str]:
        """Return the days of which distinct names were counted.

        Raises:
            StoreError: the file cannot be read.
        """
        from filterd.querylog.totals_file import read_distinct_days  # noqa: PLC0415 -- as below

        return await read_distinct_days(self._path)

    async def keep_distinct(self, day: str, rows: Sequence[DistinctCount]) -> None:
        """Keep the numbers of distinct names of a day (ISO 8601).

        Raises:
            StoreError: the disk refused, or another process holds the file.
        """
        await self._totals_file().put_distinct(day, rows)

    def _totals_file(self) -> TotalsFile:
        # SQLite is for this process only; the others are forked with what is imported before.
        from filterd.querylog.totals_file import TotalsFile  # noqa: PLC0415

        if self._file is None:
            self._file = TotalsFile(self._path, self._clock, self._keep_days)
        return self._file

    async def _close(self) -> None:
        if self._file is not None:
            await self._file.close()

    async def _collect(self) -> None:
        if self._left and await self._write(self._left):
            self._left, self._ended = [], 0
        self._is_answered = False
        for number in range(_MOST_BATCHES):
            answers = await asyncio.gather(*map(self._ask, list(self._workers)))
            if not number:
                await self._note_service(batch for _, batch in answers)
            taken = {worker: batch for worker, batch in answers if batch}
            if not await self._write(list(taken.values())):
                return
            for worker, batch in answers:
                self._written[worker] = Batch(batch.worker, batch.number, lost=batch.lost)
            self._collected_at = self._clock.monotonic()
            if not any(batch.more for batch in taken.values()):
                return

    async def _ask(self, worker: Channel) -> tuple[Channel, Batch]:
        """Return the next batch of a worker; a silent worker does not delay the others."""
        written = self._written.get(worker, Batch("", 0))
        try:
            plain = await worker.ask(
                "counts",
                within_s=_WORKER_WITHIN_S,
                worker=written.worker,
                acknowledged=written.number,
            )
        except FilterdError:  # it is being replaced, or has much to do
            return worker, written
        self._is_answered = True
        return worker, Batch.from_plain(plain)

    async def _note_service(self, batches: Iterable[Batch] = ()) -> None:
        lost = {batch.worker: batch.lost for batch in batches}
        # What a worker had lost before this manager knew it was noted by the one before.
        more = sum(n - self._lost.get(worker, n) for worker, n in lost.items())
        self._lost |= lost
        moment = None
        if self._is_answered and self._service is not None:
            moment = await self._service()
        self._notes.note(moment, self._clock.monotonic(), more)

    async def _write(self, batches: Sequence[Batch], *, waits: bool = True) -> bool:
        """Write batches and return whether they are on disk.

        A problem is logged when it begins and when it ends.

        Args:
            batches: of workers.
            waits: whether what was noted of service may wait for batches.
        """
        if not batches and waits and not self._notes.is_due(self._clock.monotonic()):
            return True
        service = self._notes.take()
        if not batches and not service:
            return True
        try:
            await self._totals_file().write(batches, service)
        except StoreError as error:
            self._notes.give_back(service)
            self.problem = logged(error, self.problem)
            return False
        if self.problem:
            _logger.warning("%s: written again", self._path)
        self.problem = UNSAID
        # Without a grade are confidential categories: no sign of the present shows that they came.
        if any(row.grade for batch in batches for row in batch.rows):
            self.written_at = self._clock.wall()
        return True


class DistinctKeeper(MinuteRounds):
    """Counts the day files of days that are over.

    Args:
        folder: of the day files.
        log: has the file of totals.
        today: returns the school's day (ISO 8601); None while it is not known.
        confidential: returns the categories of which nothing is counted.
    """

    def __init__(
        self,
        folder: Path,
        log: LogKeeper,
        today: Callable[[], str | None],
        confidential: Callable[[], Collection[str]],
    ) -> None:
        super().__init__()
        self._folder, self._log = folder, log
        self._today, self._confidential = today, confidential
        self._done: dict[str, int] | None = None
        """By day, the time at which its counted file was last written; None before the first."""
        self._problem, self._is_behind = UNSAID, False

    async def catch_up(self) -> None:
        """Count the days that are due, within some seconds. Never raises."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CATCH_UP_WITHIN_S):
                await self.collect()
                while self._is_behind:
                    await self.collect()

    async def _collect(self) -> None:
        today, self._is_behind = self._today(), False
        if today is None:
            return
        files = await asyncio.to_thread(_closed, self._folder, today)
        try:
            if self._done is None:
                known = await self._log.distinct_days() if files else frozenset()
                self._done = {day: files[day] for day in known & files.keys()}
            due = [day for day in files if self._done.get(day) != files[day]]
            if due:
                await self._count(max(due))
                self._done[max(due)] = files[max(due)]
            self._is_behind = len(due) > 1
        except StoreError as error:
            self._problem = logged(error, self._problem)
        else:
            self._problem = UNSAID

    async def _count(self, day: str) -> None:
        # SQLite is for this process only; the others are forked with what is imported before.
        from filterd.querylog.day_reader import UnreadableError  # noqa: PLC0415
        from filterd.querylog.period_totals import count_distinct  # noqa: PLC0415
        from filterd.querylog.sqlite_file import FAILURES  # noqa: PLC0415

        path, hidden = self._folder / f"{day}.sqlite3", frozenset(self._confidential())
        try:
            rows = await asyncio.to_thread(count_distinct, path, day, hidden)
        except (UnreadableError, *FAILURES) as error:
            _logger.error("%s: %s; its distinct names are not counted", path, error)
            return
        await self._log.keep_distinct(day, rows)

    async def _close(self) -> None:
        pass


def _closed(folder: Path, today: str) -> dict[str, int]:
    """Return when the files of days before today were last written."""
    found = dict[str, int]()
    with suppress(OSError):
        for path in folder.glob("*.sqlite3"):
            if is_date(path.stem) and path.stem < today:
                found[path.stem] = path.stat().st_mtime_ns
    return found
