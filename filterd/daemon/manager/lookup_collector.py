# SPDX-License-Identifier: Apache-2.0
"""Write the lookups of the workers to the day files: the manager's part.

Workers say when there is enough for one write (``WRITE_FROM``); what is less is written
every five minutes, before a read, at the end of the day and at a stop. What is written is
acknowledged afterwards, as with counts (``daemon.manager.log_collector``), so a manager that dies
loses none and adds none twice. While the disk refuses, the workers keep their lookups, within
bounds.

At the school's midnight the key of the pseudonyms is replaced, the devices behind names are
forgotten, and day files that are too old are removed.
"""

from __future__ import annotations

import asyncio
import logging
from math import inf
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.base.errors import FilterdError, StoreError
from filterd.daemon.manager.log_collector import MinuteRounds, logged
from filterd.querylog.day_schema import DaySpan, by_days
from filterd.querylog.lookups import WRITE_EVERY_S, WRITE_FROM, LookupBatch
from filterd.querylog.pseudonyms import Pseudonyms
from filterd.querylog.seen_names import SeenNames
from filterd.texts.i18n import UNSAID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from filterd.daemon.process import Setting
    from filterd.daemon.worker_channel import Channel
    from filterd.querylog.day_file import DayFiles
    from filterd.querylog.seen_names import SeenName
    from filterd.resolve.site import Site

_WORKER_WITHIN_S = 2.0
_MOST_ASKED = 200
"""Requests to each worker in one round; the rest waits for the next one."""

_logger = logging.getLogger("filterd.log")


class LookupCollector(MinuteRounds):
    """The collector of all workers' lookups.

    Args:
        setting: has the state folder, the machine's clock, by which the log goes, and the page.
        workers: channels to the workers; the list may be filled later.
        site: returns the active site, for time zone, retention and the least number of devices.

    Attributes:
        problem: why the last lookups were not written, empty if they were.
        silent: how often a worker did not answer in the last round.
        kept_too_long: why days that are too old were not removed, empty if they were.
        seen: the devices behind the names of today, in memory only.
    """

    def __init__(
        self, setting: Setting, workers: Sequence[Channel], site: Callable[[], Site]
    ) -> None:
        super().__init__(is_at_once=True)
        self.problem = self.kept_too_long = UNSAID
        self.silent = 0
        self.seen = SeenNames(least=5)
        self._folder, self._page = setting.state.log_days, setting.page
        self._time = setting.time
        self._pseudonyms = Pseudonyms(setting.state.log_key, ZoneInfo("UTC"))
        self._clock, self._workers, self._site = setting.clock, workers, site
        self._files: DayFiles | None = None
        self._known: dict[Channel, LookupBatch] = {}
        """By worker: its name, and the number up to which its batches are on disk."""
        self._left: list[LookupBatch] = []
        self._unwritten: dict[str, dict[tuple[object, ...], SeenName]] = {}
        """By day, the distinct names that are not on disk yet."""
        self._day, self._kept = "", ("", 0, False)
        self._asked_at, self._written_at = self._clock.monotonic(), 0

    @property
    def files(self) -> DayFiles:
        """The day files."""
        # SQLite is for this process only; the others are forked with what is imported before.
        from filterd.querylog.day_file import DayFiles  # noqa: PLC0415

        if self._files is None:
            self._files = DayFiles(self._folder, self._zone())
        self._files.zone = self._zone()
        return self._files

    @property
    def pseudonyms(self) -> Pseudonyms:
        """The pseudonyms of today."""
        self._pseudonyms.zone = self._zone()
        return self._pseudonyms

    async def collect_afresh(self) -> None:
        """Write all lookups of before this call, as a round at work may have passed them."""
        if self._round is not None:
            await self.collect()
        await self.collect()

    async def lookups_are_due(self) -> None:
        """Write, since a worker has enough; while the disk refuses, once a minute only."""
        if not self.problem:
            await self.collect()

    async def take_last(self, *, batch: dict[str, Any]) -> None:
        """Keep a last batch of a worker that ends."""
        self._left.append(self._read(batch))

    async def write_last(self) -> None:
        """Write the last batches of the workers, which have ended."""
        left, self._left = self._left, []
        await self._write(left)

    async def keep_house(self) -> None:
        """Do what a minute, or the end of a day, asks for. Never raises."""
        now = self._clock.wall()
        if now < min(self._site().unset_clock.floor, self._page.floor or inf):
            return  # the date is not known
        today = DaySpan.at(now, self._zone()).day
        is_due = self._clock.monotonic() - self._asked_at >= WRITE_EVERY_S
        if is_due or self._left or self.problem or today != self._day:
            await self.collect()
        # Midnight may have passed meanwhile, and the workers have the key of the new day.
        self.pseudonyms.end_yesterday(self._clock.wall())
        if today != self._day:
            self.seen.drop_before(today)
            self._day = today
        await self._keep(today, self._site().policy.log.keep_days)

    def facts(self) -> dict[str, Any]:
        """Return its numbers for the status."""
        return {
            "rows_written_at": self._written_at or None,
            "rows_distinct": self._is_distinct(),
            "names_lost": self.seen.lost,
        }

    @property
    def lost(self) -> int:
        """How many lookups had no room in the file of their day."""
        return 0 if self._files is None else self._files.lost

    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._site().policy.time_zone)

    async def _close(self) -> None:
        if self._files is not None:
            await self._files.close()

    async def _collect(self) -> None:
        self._asked_at, self.silent = self._clock.monotonic(), 0
        self.seen.least = self._site().policy.log.least_devices
        if self._left:
            left, self._left = self._left, []
            if not await self._write(left):
                self._left = left
                return
        in_hand: dict[Channel, list[LookupBatch]] = {one: [] for one in self._workers}
        for _ in range(_MOST_ASKED):
            answers = await asyncio.gather(*(self._ask(*item) for item in in_hand.items()))
            for worker, batch in zip(in_hand, answers, strict=True):
                if batch.lookups:
                    in_hand[worker].append(batch)
            is_over = not any(batch.lookups and batch.more for batch in answers)
            if is_over or _count(in_hand.values()) >= WRITE_FROM:
                if not await self._write([one for taken in in_hand.values() for one in taken]):
                    return
                self._acknowledge(in_hand)
            if is_over:
                return

    async def _ask(self, worker: Channel, taken: Sequence[LookupBatch]) -> LookupBatch:
        """Return the next batch of a worker; a silent worker does not delay the others."""
        known = self._known.get(worker, LookupBatch("", 0))
        last = taken[-1] if taken else known
        try:
            plain = await worker.ask(
                "lookups",
                within_s=_WORKER_WITHIN_S,
                worker=last.worker,
                acknowledged=known.number if last.worker == known.worker else 0,
                after=last.number,
                is_distinct=self._is_distinct(),
            )
        except FilterdError:  # it is being replaced, or has much to do
            self.silent += 1
            return LookupBatch("", 0)
        batch = self._read(plain)
        if batch.worker != known.worker:
            self._known[worker] = LookupBatch(batch.worker, 0)
        return batch

    def _acknowledge(self, written: dict[Channel, list[LookupBatch]]) -> None:
        """Acknowledge what is on disk, so that the workers forget it at once."""
        for worker, batches in written.items():
            if batches:
                last = batches[-1]
                self._known[worker] = LookupBatch(last.worker, last.number)
                worker.tell("lookups_are_written", worker=last.worker, number=last.number)
                batches.clear()

    async def _write(self, batches: Sequence[LookupBatch]) -> bool:
        """Write batches and return whether they are on disk.

        A problem is logged when it begins and when it ends.
        """
        if not batches:
            return True
        try:
            await self.files.write(batches)
            for day in list(self._unwritten):
                await self.files.add_seen(day, list(self._unwritten[day].values()))
                del self._unwritten[day]
        except StoreError as error:
            self.problem = logged(error, self.problem)
            return False
        if self.problem:
            _logger.warning("%s: written again", self._folder)
        self.problem = UNSAID
        self._written_at = int(self._clock.wall())
        return True

    def _read(self, plain: dict[str, Any]) -> LookupBatch:
        """Read a batch and count its devices, while it is in the processor's caches."""
        batch = LookupBatch.from_plain(plain)
        self._count_devices(batch)
        return batch

    def _count_devices(self, batch: LookupBatch) -> None:
        """Count the devices behind names; keep what is to be written of it."""
        add = self.seen.add
        for (day, *_), lookups in by_days(batch.lookups, self._zone()):
            for lookup in lookups:
                # Equal lookups of a slot come without a device, and once more for each device.
                if lookup.device and (seen := add(day, lookup)) is not None:
                    self._unwritten.setdefault(day, {})[seen[:4]] = seen

    async def _keep(self, today: str, days: int) -> None:
        """Remove the day files that are too old, once a day and when the number changes."""
        asked = today, days, self._time.is_confirmed
        if self._kept == asked:
            return
        try:
            await self.files.keep(days, today, is_confirmed=asked[2])
        except StoreError as error:
            self.kept_too_long = logged(error, self.kept_too_long)
        else:
            self._kept, self.kept_too_long = asked, UNSAID

    def _is_distinct(self) -> bool:
        return self._files is not None and self._files.is_distinct(self._day)


def _count(taken: Iterable[Sequence[LookupBatch]]) -> int:
    return sum(len(batch.lookups) for batches in taken for batch in batches)
