# SPDX-License-Identifier: Apache-2.0
"""Many appliances at once, each with its own state and the real code.

Processes are expensive and threads are not, so a few processes have many threads each.
All runs wait in the middle for each other, so that the server has them all at once,
whatever the load of the machine.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.clock import SystemClock
from filterd.base.errors import FilterdError
from filterd.feed.appliance_files import ApplianceFolder
from filterd.feed.schedule import Night, Now, ScheduleState, Work, after_check, next_step, place_of
from filterd.feed.signed.arrival import Moment, TufArrival
from filterd.feed.signed.fetchers import WebFetcher
from filterd.feed.signed.trust import TrustFolder
from filterd.feed.signed.tuf_refresh import refresh
from filterd.feed.signed.version_download import take
from filterd.feed.version_files import verify
from filterd.feed.versions import Versions, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

_PROCESSES = 4
_WAITS_S = 240.0


class Done(NamedTuple):
    """What one appliance did.

    Attributes:
        error: why it did not; empty.
        version: in force and whole afterwards.
        octets: of targets that it fetched.
        by_delta: files that came as differences.
        urgent: a light check found what is to be taken at once.
    """

    error: str = ""
    version: int = 0
    octets: int = 0
    by_delta: int = 0
    urgent: bool = False


class _Appliance:
    def __init__(self, folder: Path, url: str, root: bytes, now: float, meeting: Any) -> None:
        self._url, self._now, self._meeting = url, now, meeting
        self._trust, self._versions = TrustFolder(folder), Versions(folder)
        self._trust.establish(root)
        self._place = place_of(ApplianceFolder(folder).appliance_id())

    def run(self) -> Done:
        verified = refresh(self._trust, self._fetcher(), Moment(self._now))
        self._meeting.wait(_WAITS_S)
        taken = take(verified.publication, self._versions, verified.fetch)
        self._versions.promote(verified.publication.version)
        self._versions.prune()
        current = self._versions.current()
        assert current is not None
        assert verify(current.folder) == ()
        return Done("", int(current.version), taken.fetched_octets, len(taken.by_delta))

    def check(self) -> Done:
        current = self._versions.current()
        standing = ScheduleState(
            0.0, self._now, handled=number_of(current.version if current else None)
        )
        urgent = TufArrival(self._trust, self._fetcher()).urgent()
        moment = Now(10.0, self._now)
        standing = after_check(standing, urgent, moment)
        step = next_step(self._place, Night("Asia/Ho_Chi_Minh"), standing, moment)
        return Done(urgent=step == (Work.RUN, moment.monotonic))

    def _fetcher(self) -> WebFetcher:
        return WebFetcher(self._url, SystemClock())

    def do(self, what: str) -> Done:
        try:
            return self.run() if what == "run" else self.check()
        except (FilterdError, AssertionError, RuntimeError) as error:
            return Done(error=f"{type(error).__name__}: {error}")


class Crowd:
    """Appliances in other processes."""

    def __init__(self, pipes: list[Connection]) -> None:
        self._pipes = pipes

    def do(self, what: str) -> list[Done]:
        """Have all of them ``run`` or ``check`` at once; return what each did."""
        for pipe in self._pipes:
            pipe.send(what)
        return [done for pipe in self._pipes for done in pipe.recv()]


@contextlib.contextmanager
def crowd(count: int, folder: Path, url: str, root: bytes, now: float) -> Iterator[Crowd]:
    """Start so many appliances; ``count`` is a multiple of four."""
    context = multiprocessing.get_context("spawn")
    meeting, pipes, processes = context.Barrier(count), [], []
    for number in range(_PROCESSES):
        here, there = context.Pipe()
        folders = [folder / f"{number}-{one}" for one in range(count // _PROCESSES)]
        arguments = (there, folders, url, root, now, meeting)
        processes.append(context.Process(target=_serve, args=arguments, daemon=True))
        pipes.append(here)
    try:
        for process in processes:
            process.start()
        yield Crowd(pipes)
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join(_WAITS_S)


def _serve(
    pipe: Connection, folders: list[Path], url: str, root: bytes, now: float, meeting: Any
) -> None:
    setattr(os, "fsync", lambda _: None)  # noqa: B010 -- the disk is not what is measured
    appliances = [_Appliance(folder, url, root, now, meeting) for folder in folders]
    with ThreadPoolExecutor(len(folders)) as threads, contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send(list(threads.map(_Appliance.do, appliances, repeat(pipe.recv()))))
