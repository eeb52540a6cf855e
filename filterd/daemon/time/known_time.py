# SPDX-License-Identifier: Apache-2.0
"""Save the last known time, for a board whose clock starts behind or ahead.

Two times are kept once a minute. ``not_before`` is certain: a source had confirmed it, and
the machine has run for so long since. What has ended by it has ended for good. ``at`` is
what policy time showed, confirmed or not.

At a start no clock below the *floor* is believed. The floor is the latest of these: the
release, the time of the compiled lists, the last change by command, the feed's time
(``feed.appliance_files``), and ``at``. A clock that is not below it may still be ahead, or
behind the true time, so policy goes by the closed side of all times from ``not_before`` to
what it shows (``policy.unknown_time``), until `filterd clock accept` or a time server
confirms it. That also drops a floor from a clock that was ahead: every source with a time
between the right one and that floor is ignored from then on.

Where the machine has no clock of its own, the system starts with the time that it saved at
its end. A clock that shows hardly more than ``at`` then has most likely stood still, and the
time is unknown.

The file also has the lead of the time over the monotonic clock in this boot of the machine,
and whether it is confirmed. A daemon that restarts in the same boot continues with both,
whatever the clock shows. Another boot has another ID.

Limits: until it is confirmed, a clock that has stood still for minutes or more, on a machine
with a clock of its own, begins late what is planned. Without a file, only the release
is certain.
"""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import field
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.base.errors import FilterdError, StoreError
from filterd.base.paths import is_there
from filterd.base.state_file import ADDED, FileFormat
from filterd.base.value_class import frozen
from filterd.overrides.history import snapshot
from filterd.policy.unknown_time import LATEST, UNCONFIRMED_S, UNKNOWN_LEAD_S, Certainty
from filterd.texts.i18n import say
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder
    from filterd.daemon.shared_page import SharedPage

FOLLOWED_S = 5.0
"""A clock that moves by so much in a second is only being adjusted; by more, it jumps."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_logger = logging.getLogger("filterd.time")


STOOD_STILL_S = 300.0
"""A clock that a boot has moved on by less may have been restored from a file."""

_CLOCKS_OF_MACHINE = Path("/sys/class/rtc")
"""Those of the hardware; one with ``hctosys`` 1 has set the system's at the boot."""


@frozen
class Lead:
    """The lead of the wall clock over the monotonic one, in one boot of the machine.

    ``believed_s`` is what policy goes by. Until ``is_confirmed``, ``least_s`` is that of the
    earliest possible time, and changes after number ``since`` were made by this clock.
    """

    boot: str
    believed_s: float
    jumped_s: float | None = None  # of the release before
    jumped_at: float = 0.0
    is_confirmed: bool = field(default=False, metadata={ADDED: True})
    least_s: float | None = field(default=None, metadata={ADDED: True})
    since: float | None = field(default=None, metadata={ADDED: True})


@frozen
class KnownTime:
    """The kept Unix times: the last ones, and the range to ignore.

    ``at`` is the last time that policy went by, ``not_before`` the last certain one; None
    where only ``at`` is known. A source of the floor above ``wrong_after``, up to
    ``wrong_until``, is from a clock that was ahead.
    """

    at: float = 0.0
    wrong_after: float = 0.0
    wrong_until: float = 0.0
    lead: Lead | None = field(default=None, metadata={ADDED: True})
    not_before: float | None = field(default=None, metadata={ADDED: True})

    def floor(self, sources: Iterable[float]) -> float:
        """Return the latest of the kept time, the sources and the release."""
        right = (source for source in sources if not self.wrong_after < source <= self.wrong_until)
        return max(one for one in (RELEASED_AT, self.at, *right) if RELEASED_AT <= one < LATEST)

    def certain(self) -> float:
        """Return the latest time that certainly is past."""
        kept = self.at if self.not_before is None else self.not_before
        return max(one for one in (RELEASED_AT, kept) if RELEASED_AT <= one < LATEST)

    def lead_in(self, boot: str) -> Lead | None:
        """Return the lead that was believed in this boot of the machine, if that is known."""
        return self.lead if self.lead is not None and boot == self.lead.boot != "" else None

    def dropped(self, now: float, floor: float) -> KnownTime:
        """Return the times to keep once the time is known to be before the floor."""
        return KnownTime(now, now, max(floor, self.wrong_until), not_before=now)


FORMAT = FileFormat(KnownTime, magic=b"filterd clock ", title=say("file of the last known time"))


def read(state: StateFolder) -> KnownTime:
    """Return the kept times; if missing or damaged, those of other files."""
    try:
        return FORMAT.load(state.clock)
    except StoreError as error:
        if os.path.lexists(state.clock):
            _logger.error("%s", error)
    return KnownTime(_by_databases(state), not_before=0.0)


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
    page.least_lead_s = max(known.certain() - now, page.least_lead_s)
    lead = known.lead_in(boot_id())
    if lead is None or not RELEASED_AT <= now + lead.believed_s < LATEST:
        is_possible = page.floor <= wall < LATEST and not may_stand_still(wall, known.at)
        page.lead_s = wall - now + UNCONFIRMED_S if is_possible else UNKNOWN_LEAD_S
        return
    # A source may have a later floor from a clock that jumped.
    page.floor = min(page.floor, now + lead.believed_s)
    if lead.is_confirmed:
        page.lead_s = page.least_lead_s = lead.believed_s
        return
    page.lead_s = lead.believed_s + UNCONFIRMED_S
    page.least_lead_s = max(page.least_lead_s, -inf if lead.least_s is None else lead.least_s)
    page.least_lead_s = min(page.least_lead_s, lead.believed_s)


def begin_changes(state: StateFolder, page: SharedPage, number: int) -> None:
    """Write into the page which change by command is the last one before this clock.

    Args:
        state: the daemon's folder.
        page: has the time.
        number: of the last change so far.
    """
    lead = read(state).lead_in(boot_id())
    page.since = float(number) if lead is None or lead.since is None else lead.since


def may_stand_still(wall: float, kept: float) -> bool:
    """Return whether a clock may have stood still while the machine was off."""
    return wall - kept < STOOD_STILL_S and not has_own_clock()


def has_own_clock() -> bool:
    """Return whether a clock of the hardware has set that of the system at the boot."""
    try:
        return any(
            path.read_bytes().strip() == b"1" for path in _CLOCKS_OF_MACHINE.glob("*/hctosys")
        )
    except OSError:
        return False


def without_daemon(state: StateFolder, clock: Clock) -> tuple[float, Certainty]:
    """Return policy time, and what is certain about it, from the files on the disk.

    Where no daemon has ever kept a time, the clock is believed.
    """
    if not os.path.lexists(state.clock):
        return clock.wall(), Certainty()
    known, wall = read(state), clock.wall()
    certain = Certainty(known.certain())
    lead = known.lead_in(boot_id())
    if lead is not None and lead.is_confirmed:
        return clock.monotonic() + lead.believed_s, certain
    is_possible = known.floor((last_change(state),)) <= wall < LATEST
    return wall + UNCONFIRMED_S if is_possible else UNKNOWN_LEAD_S, certain


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
    if is_there(state.overrides):
        from filterd.base.clock import SystemClock  # noqa: PLC0415 -- see above
        from filterd.overrides.history.store import Store  # noqa: PLC0415 -- see above

        with contextlib.suppress(FilterdError, OSError):
            found.append(Store(state, SystemClock()).last_change())
    if is_there(state.query_log):
        from filterd.querylog.period_totals import last_written  # noqa: PLC0415 -- see above

        found.append(last_written(state.query_log))
    return max(found)
