# SPDX-License-Identifier: Apache-2.0
"""Save the last known time, for a board whose clock starts behind.

At a start no clock below the *floor* is believed. The floor is the latest of these: the
release, the time of the compiled lists, the last change by command, the feed's time
(``feed.appliance_files``), and the time that is kept here once a minute while the time is known.
`filterd clock accept` or a time server drops a floor from a clock that was ahead: every
source with a time between the right one and that floor is ignored from then on.

The file also has the lead of the time over the monotonic clock in this boot of the machine,
and a jump of the clock that is not believed yet (``daemon.timekeeper``). A daemon that
restarts in the same boot continues with both, whatever the clock shows. Another boot has
another ID.

Limits: a floor does not detect a clock that is ahead. It is believed at a start, up to the
life of a release (``unknown_time.LATEST``), and changes end too early until a time server
has set the clock. An error below a minute, or any without this file, is not noticed. Without
a file, or with one of a release that kept no lead, a start believes a jump that the run
before did not.
"""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.errors import FilterdError, StoreError
from filterd.i18n import say
from filterd.overrides import snapshot
from filterd.policy.unknown_time import LATEST, UNKNOWN_LEAD_S
from filterd.state_file import ADDED, FileFormat
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.clock import Clock
    from filterd.daemon.shared_page import SharedPage
    from filterd.state_folder import StateFolder

FOLLOWED_S = 5.0
"""A clock that moves by so much in a second is only being adjusted; by more, it jumps."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_log = logging.getLogger("filterd.time")


@dataclass(frozen=True, slots=True)
class Lead:
    """The lead of the wall clock over the monotonic one, in one boot of the machine.

    ``believed_s`` is what policy goes by. A clock that has jumped shows another time:
    ``jumped_s`` is its lead then, and ``jumped_at`` the monotonic time of the jump.
    """

    boot: str
    believed_s: float
    jumped_s: float | None = None
    jumped_at: float = 0.0


@dataclass(frozen=True, slots=True)
class KnownTime:
    """The kept Unix times: the last known one, and the range to ignore.

    A source of the floor above ``wrong_after``, up to ``wrong_until``, is from a clock that
    was ahead.
    """

    at: float = 0.0
    wrong_after: float = 0.0
    wrong_until: float = 0.0
    lead: Lead | None = field(default=None, metadata={ADDED: True})

    def floor(self, sources: Iterable[float]) -> float:
        """Return the latest of the kept time, the sources and the release."""
        right = (one for one in sources if not self.wrong_after < one <= self.wrong_until)
        return max(one for one in (RELEASED_AT, self.at, *right) if RELEASED_AT <= one < LATEST)

    def lead_in(self, boot: str) -> Lead | None:
        """Return the lead that was believed in this boot of the machine, if that is known."""
        return self.lead if self.lead is not None and boot == self.lead.boot != "" else None

    def dropped(self, now: float, floor: float) -> KnownTime:
        """Return the times to keep once the time is known to be before the floor."""
        return KnownTime(now, now, max(floor, self.wrong_until))


FORMAT = FileFormat(KnownTime, magic=b"filterd clock ", title=say("file of the last known time"))


def read(state: StateFolder) -> KnownTime:
    """Return the kept times; if missing or damaged, those of other files."""
    try:
        return FORMAT.load(state.clock)
    except StoreError as error:
        if os.path.lexists(state.clock):
            _log.error("%s", error)
    return KnownTime(_by_databases(state))


def boot_id() -> str:
    """Return the ID of this boot of the machine, or "" where the kernel gives none."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def begin(state: StateFolder, clock: Clock, page: SharedPage, sources: Iterable[float]) -> None:
    """Write policy time at a start into the page, from the files on the disk.

    Args:
        state: the daemon's folder.
        clock: the machine's.
        page: has the time; a floor that it has already holds, too.
        sources: earliest possible Unix times from other sources.
    """
    known, now, wall = read(state), clock.monotonic(), clock.wall()
    page.floor = known.floor((*sources, last_change(state), page.floor))
    page.lead_s = wall - now if page.floor <= wall < LATEST else UNKNOWN_LEAD_S
    lead = known.lead_in(boot_id())
    if lead is None or abs(wall - now - lead.believed_s) <= FOLLOWED_S:
        return
    believed = now + lead.believed_s
    if RELEASED_AT <= believed < LATEST:
        page.lead_s = lead.believed_s
        page.floor = min(page.floor, believed)  # a source may have it from the clock that jumped


def floor_of(state: StateFolder, sources: Iterable[float] = ()) -> float:
    """Return the Unix time that it is at least.

    The files on the disk and other sources tell it.
    """
    return read(state).floor((*sources, last_change(state)))


def policy_time(wall: float, floor: float) -> float:
    """Return the policy time at which the machine's clock shows this, at a start."""
    return wall if floor <= wall < LATEST else UNKNOWN_LEAD_S


def last_change(state: StateFolder) -> float:
    """Return the Unix time at which commands changed something last.

    It is 0 where that is not known.
    """
    copied = snapshot.newest(state.overrides_copies)
    return 0.0 if copied is None else copied.at


def _by_databases(state: StateFolder) -> float:
    """Return the latest time in the databases.

    The times are those of the last change and of the last row of the log. The databases
    need SQLite, which stays in the memory of all processes: so only without another source,
    and never at a first start.
    """
    found = [0.0]
    if os.path.exists(state.overrides):  # noqa: PTH110 -- it raises nothing
        from filterd.clock import SystemClock  # noqa: PLC0415 -- see above
        from filterd.overrides.store import Store  # noqa: PLC0415 -- see above

        with contextlib.suppress(FilterdError, OSError):
            found.append(Store(state, SystemClock()).last_change())
    if os.path.exists(state.query_log):  # noqa: PTH110 -- as above
        from filterd.querylog.period_totals import last_written  # noqa: PLC0415 -- see above

        found.append(last_written(state.query_log))
    return max(found)
