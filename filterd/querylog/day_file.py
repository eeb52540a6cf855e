# SPDX-License-Identifier: Apache-2.0
"""Day files: one for each school day, written, kept for some days, forgotten.

Retention is unlink: it leaves no free pages with old names, and does not stop the writer.
A damaged file costs one day. Only one process writes here, the manager.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import defaultdict
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from filterd.base.paths import sync_folder, with_sides, writing
from filterd.querylog.day_erasure import Doomed, erase
from filterd.querylog.day_schema import DaySpan, by_days
from filterd.querylog.day_writer import DayWriter
from filterd.querylog.lookups import LookupBatch
from filterd.querylog.sqlite_file import FAILURES, cannot_be_written, means_damage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from filterd.querylog.day_schema import NameRange
    from filterd.querylog.seen_names import SeenName

T = TypeVar("T")

_OURS = re.compile(r"\.?(\d{4}-\d\d-\d\d)\.sqlite3(.*)", re.ASCII).fullmatch
"""The name of a day file, of one beside it, of one set aside, of a temporary one."""

_logger = logging.getLogger("filterd.querylog")


class Forgotten(NamedTuple):
    """What was forgotten: rows, and days of which the whole file had to go."""

    rows: int
    days: tuple[str, ...] = ()


class DayFiles:
    """The day files in ``folder``; it is made when there is something to write.

    Args:
        folder: of the files, for the manager alone.
        zone: in which days begin; it may be set anew.
    """

    def __init__(self, folder: Path, zone: ZoneInfo) -> None:
        self.folder, self.zone = folder, zone
        self._writers: dict[str, DayWriter] = {}
        self._lost = 0
        self._at_work = asyncio.Lock()
        self._expired_on = ""

    @property
    def lost(self) -> int:
        """Lookups for which a day had no room."""
        return self._lost + sum(writer.lost for writer in self._writers.values())

    def path_of(self, day: str) -> Path:
        """Return the file of a day (ISO 8601)."""
        return self.folder / f"{day}.sqlite3"

    def is_distinct(self, day: str) -> bool:
        """Return whether a day has so many rows that equal lookups of a slot are one."""
        return day in self._writers and self._writers[day].distinct_since >= 0

    async def write(self, batches: Iterable[LookupBatch]) -> None:
        """Add the lookups that are rows to the files of their days, each file in one step.

        What a file has already is skipped. Days before the last one of these are closed.

        Raises:
            StoreError: the disk refused, or another process holds a file. The batches are to
                be kept and written again.
        """
        by_day = self._by_day(batches)
        async with self._at_work:
            for span in sorted(by_day):
                await self._writer(span).write(by_day[span])
            await self._close_before(max((span.day for span in by_day), default=""))

    async def add_seen(self, day: str, rows: Sequence[SeenName]) -> None:
        """Add distinct names of tiers to the file of a day (ISO 8601).

        Raises:
            StoreError: as ``write``.
        """
        if rows:
            async with self._at_work:
                await self._writer(DaySpan.of(date.fromisoformat(day), self.zone)).add_seen(rows)

    async def keep(self, days: int, today: str, *, is_confirmed: bool = True) -> list[str]:
        """Remove all but the newest days; return which. Days before today are closed.

        Days are those of which there are files, so a clock that was wrong for an hour removes
        no others; the files that it has made after tomorrow count as the oldest. Where
        no days are added, each day removes one that is older than twice as many days of the
        calendar. While no source has confirmed the time, twice as many are kept, and none is
        removed for its date.

        Raises:
            StoreError: the disk refused.
        """
        async with self._at_work:
            await self._close_before(today)
            there = sorted(await self._there(), key=lambda day: (day <= _after(today, 1), day))
            most = max(0, len(there) - (days if is_confirmed else 2 * days))
            gone, oldest = there[:most], min(there[most:], default=today)
            is_old = is_confirmed and oldest < _after(today, -2 * days)
            if is_old and self._expired_on != today:
                gone.append(oldest)
            await self._remove(gone)
            self._expired_on = today
            return gone

    async def forget_names(self, names: NameRange) -> Forgotten:
        """Forget a subtree of names.

        Files that were set aside are removed, and those that cannot be read.

        Raises:
            StoreError: the disk refused, or a file is being read for too long.
        """
        return await self._forget(Doomed(names=names))

    async def forget_device(self, device: int, day: str) -> Forgotten:
        """Forget the rows of a device, and the names that it alone looked up on that day.

        Raises:
            StoreError: as ``forget_names``.
        """
        return await self._forget(Doomed(device=device), day)

    async def forget_days(self, *days: str) -> None:
        """Remove the files of days; of all without any.

        Raises:
            StoreError: the disk refused.
        """
        async with self._at_work:
            await self._remove(list(days or await self._there()))

    async def close(self) -> None:
        """Close all files."""
        async with self._at_work:
            await self._close(*self._writers)

    def _by_day(self, batches: Iterable[LookupBatch]) -> dict[DaySpan, list[LookupBatch]]:
        by_day: dict[DaySpan, list[LookupBatch]] = defaultdict(list)
        for batch in batches:
            for span, lookups in by_days(batch.lookups, self.zone):
                if rows := tuple(lookup for lookup in lookups if lookup.is_row):
                    by_day[span].append(LookupBatch(batch.worker, batch.number, rows))
        return by_day

    def _writer(self, span: DaySpan) -> DayWriter:
        if span.day not in self._writers:
            self._writers[span.day] = DayWriter(self.path_of(span.day), span)
        return self._writers[span.day]

    async def _close_before(self, day: str) -> None:
        await self._close(*(writer for writer in self._writers if writer < day))

    async def _close(self, *days: str) -> None:
        for day in days:
            if writer := self._writers.pop(day, None):
                await writer.close()
                self._lost += writer.lost

    async def _forget(self, doomed: Doomed, day: str = "") -> Forgotten:
        async with self._at_work:
            rows, unreadable = 0, list[str]()
            files = await self._there()
            for each in [day] if day else sorted(files):
                path = self.path_of(each)
                await self._close(each)
                await self._unlink(one for one in files[each] if one not in with_sides(path))
                try:
                    with writing(path):
                        rows += await _in_thread(erase, path, doomed)
                except FAILURES as error:
                    if not means_damage(error):
                        raise cannot_be_written(path, error) from error
                    _logger.error("%s: %s; it is removed: it cannot be searched", path, error)
                    unreadable.append(each)
            await self._remove(unreadable)
            return Forgotten(rows, tuple(unreadable))

    async def _remove(self, days: list[str]) -> None:
        await self._close(*days)
        files = await self._there() if days else {}
        await self._unlink(path for day in days for path in files.get(day, ()))

    async def _unlink(self, paths: Iterable[Path]) -> None:
        if found := list(paths):
            with writing(self.folder):
                await _in_thread(_unlink, self.folder, found)

    async def _there(self) -> dict[str, list[Path]]:
        with writing(self.folder):
            return await _in_thread(self._files)

    def _files(self) -> dict[str, list[Path]]:
        """Return all files of each day in the folder."""
        found: dict[str, list[Path]] = defaultdict(list)
        with suppress(FileNotFoundError):
            for path in self.folder.iterdir():
                if name := _OURS(path.name):
                    found[name[1]].append(path)
        return found


def _unlink(folder: Path, paths: list[Path]) -> None:
    for path in paths:
        if path.is_symlink() or not path.is_dir():  # a folder was moved away and is not ours
            path.unlink(missing_ok=True)
    sync_folder(folder)


def _after(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days)).isoformat()


async def _in_thread(work: Callable[..., T], *given: object) -> T:
    """Do work in a thread; if cancelled, return when it is done, as it holds files."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *given))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
