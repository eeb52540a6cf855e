# SPDX-License-Identifier: Apache-2.0
"""Keep policy time: the manager reads the machine's clock once a second.

Policy time follows the monotonic clock, which includes a suspension. It takes the time of
the machine's clock when a source confirms that:

- a time server has set it, as the kernel reports (adjtimex(2));
- an administrator accepts it (`filterd clock accept`).

Until then, after a boot, it is unconfirmed or unknown (``policy.unknown_time``), and from
then on no jump of the clock moves it without another confirmation, neither forward, where
exams and blocks would end, nor back, where ended rules would begin again. So a wrongly set
clock opens nothing. The time and whether it is confirmed are kept (``daemon.time.known_time``),
and a daemon that restarts in the same boot of the machine continues with both. Limit: a
time server that lies is believed.
"""

from __future__ import annotations

import ctypes
import logging
import threading
from dataclasses import replace
from enum import StrEnum
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import ChangeError, StoreError
from filterd.daemon.time import known_time
from filterd.daemon.time.known_time import FOLLOWED_S, Lead
from filterd.policy.unknown_time import (
    LATEST,
    UNCONFIRMED_S,
    UNKNOWN_LEAD_S,
    is_confirmed,
    is_known,
    shown,
)
from filterd.texts.i18n import say
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder
    from filterd.daemon.shared_page import SharedPage
    from filterd.daemon.time.known_time import KnownTime

LOOK_EVERY_S = 1.0
_SAME_S = 0.02
"""Policy time is no nearer to the machine's: the word is not written for each microsecond."""

_STA_UNSYNC = 0x40
_STATUS, _SECONDS, _TIMEX_OCTETS = Struct("@i"), Struct("@qq"), 256
_STATUS_AT, _TIME_AT = 40, 72

_logger = logging.getLogger("filterd.time")


class ClockStanding(StrEnum):
    """How policy time stands to the machine's clock."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    UNCONFIRMED = "unconfirmed"
    JUMPED = "jumped"


class ClockStep(NamedTuple):
    """A step of policy time, in Unix times.

    ``was`` is the least that policy time was, ``now`` the new one. ``lead_s`` is what it leads the
    monotonic clock by then. ``lag_s`` is how much later it is than the earliest time that was
    possible. Without ``is_confirmed`` no source has confirmed it.
    """

    was: float
    now: float
    lead_s: float
    lag_s: float = 0.0
    is_confirmed: bool = True

    @property
    def back_s(self) -> float:
        """The seconds that it goes back; an adjustment is none."""
        back_s = self.was - self.now
        return back_s if back_s > FOLLOWED_S else 0.0


class Timekeeper:
    """The keeper of the time in the shared page.

    Args:
        state: the folder of the last known time.
        clock: the machine's.
        page: has policy time; a lead of 0 means that no timekeeper runs.
        is_set_by_server: returns whether a time server has set the clock to this time.
    """

    def __init__(
        self,
        state: StateFolder,
        clock: Clock,
        page: SharedPage,
        is_set_by_server: Callable[[float], bool] | None = None,
    ) -> None:
        self._state, self._clock, self._page = state, clock, page
        self._is_set_by_server = is_set_by_server or kernel_is_synchronised
        self._boot = known_time.boot_id()
        self._began, self._kept = clock.monotonic(), known_time.read(state).at
        self._has_jumped = False
        self._keeping = threading.Lock()
        self._problem = ""

    @property
    def standing(self) -> ClockStanding:
        """How it stands now."""
        lead_s = self._page.lead_s
        if not lead_s:
            return ClockStanding.KNOWN
        if not is_known(lead_s):
            return ClockStanding.UNKNOWN
        if not is_confirmed(lead_s):
            return ClockStanding.UNCONFIRMED
        return ClockStanding.JUMPED if self._apart_s() > FOLLOWED_S else ClockStanding.KNOWN

    def look(self) -> ClockStep | None:
        """Follow the machine's clock; return the step that policy time should make.

        None if it should make none. It waits for no disk.
        """
        page = self._page
        if not page.lead_s:
            return None
        step, apart_s = self._step(), self._apart_s()
        if is_known(page.lead_s):
            self._note_jump(apart_s)
            if is_confirmed(page.lead_s) and apart_s <= _SAME_S:
                return None
        if self._is_certain(step.now):
            if not is_confirmed(page.lead_s) or apart_s > FOLLOWED_S:
                return step
            page.lead_s = page.least_lead_s = step.lead_s
        elif not is_known(page.lead_s) and self._is_possible(step.now):
            return step._replace(is_confirmed=False)
        return None

    def acceptable(self) -> ClockStep:
        """Return the step of policy time if an administrator confirms the clock.

        Raises:
            ChangeError: the clock is believed already, or cannot be right.
        """
        step = self._step()
        if not RELEASED_AT <= step.now < LATEST:
            hint = say("set the clock first: sudo timedatectl set-time '2026-12-01 07:30'")
            raise ChangeError(say("no clock that shows this time can be right"), hint=hint)
        if self.standing is ClockStanding.KNOWN:
            raise ChangeError(say("the clock is believed already"))
        return step

    def doubt(self, step: ClockStep) -> None:
        """Make the time unknown until a step is made that gives settings other dates.

        Waits for the disk. Nothing must open between the two.
        """
        if step.back_s or step.lag_s:
            self._page.floor = min(self._page.floor, step.now)
            self._page.lead_s = UNKNOWN_LEAD_S
            self._keep()

    def make(self, step: ClockStep) -> None:
        """Let policy time make a step; a floor that is later is dropped. Never raises."""
        page = self._page
        if not step.is_confirmed:
            page.lead_s = step.lead_s + UNCONFIRMED_S
            self._keep(self._noted)
            return
        if step.back_s:
            page.floor = step.now
        page.least_lead_s = page.lead_s = step.lead_s
        self._has_jumped = False
        if step.back_s:
            self._keep(lambda known: known.dropped(step.now, step.was))
        else:
            self._keep(lambda known: replace(known, at=step.now, not_before=step.now))
        _logger.warning(
            "the clock is believed now; policy time moves by %+.0f s", step.now - step.was
        )

    def note(self) -> None:
        """Save the known time, for the next start. Never raises."""
        self._keep(self._noted)

    def facts(self) -> dict[str, Any]:
        """Return how it stands, as plain data: times are Unix times.

        ``floor``: no clock before it is believed. ``not_before``: the earliest possible time,
        that of policy once it is confirmed. ``since``: see ``unknown_time.Certainty``.
        """
        wall, page = self._clock.wall(), self._page
        policy_time = self._clock.monotonic() + page.lead_s
        known = shown(policy_time) if is_known(policy_time) and page.lead_s else None
        return {
            "standing": self.standing.value,
            "shows": wall,
            "policy_time": wall if not page.lead_s else known,
            "floor": page.floor,
            "not_before": self._clock.monotonic() + page.least_lead_s if page.lead_s else wall,
            "since": round(page.since),
        }

    def _apart_s(self) -> float:
        """Return how far the machine's clock is from policy time, which must be known."""
        now = self._clock.monotonic()
        return abs(self._clock.wall() - shown(now + self._page.lead_s))

    def _note_jump(self, apart_s: float) -> None:
        """Log that the clock has jumped, once."""
        has_jumped = apart_s > FOLLOWED_S
        if has_jumped and not self._has_jumped:
            _logger.warning(
                "the clock jumped by %.0f s; policy goes by the time before the jump", apart_s
            )
        self._has_jumped = has_jumped

    def _is_certain(self, wall: float) -> bool:
        return RELEASED_AT <= wall < LATEST and self._is_set_by_server(wall)

    def _is_possible(self, wall: float) -> bool:
        """Return whether the clock may be right though no source has confirmed it."""
        at_start = wall - self._clock.monotonic() + self._began
        is_after = self._page.floor <= at_start and wall < LATEST
        return is_after and not known_time.may_stand_still(at_start, self._kept)

    def _step(self) -> ClockStep:
        """Return the step from policy time to the machine's clock."""
        page, now, wall = self._page, self._clock.monotonic(), self._clock.wall()
        least = shown(now + page.lead_s) if is_known(page.lead_s) else page.floor
        lag_s = 0.0 if is_confirmed(page.lead_s) else wall - now - page.least_lead_s
        return ClockStep(max(least, page.floor), wall, wall - now, lag_s)

    def _lead(self) -> Lead | None:
        """Return the lead for a daemon that starts again in this boot."""
        page = self._page
        if not page.lead_s or not is_known(page.lead_s):
            return None
        return Lead(
            self._boot,
            shown(page.lead_s),
            is_confirmed=is_confirmed(page.lead_s),
            least_s=page.least_lead_s,
            since=page.since,
        )

    def _noted(self, known: KnownTime) -> KnownTime | None:
        """Return the times to save now, and raise the floor to policy time."""
        page, now = self._page, self._clock.monotonic()
        lead_s = page.lead_s
        if not lead_s:
            return None
        not_before = max(now + page.least_lead_s, known.certain())
        if not is_known(lead_s):
            return replace(known, not_before=not_before)
        at = shown(now + lead_s)
        page.floor = max(page.floor, at)
        return replace(known, at=max(at, known.at), not_before=not_before)

    def _keep(self, change: Callable[[KnownTime], KnownTime | None] = lambda known: known) -> None:
        """Change the saved time; threads do, since the disk may be slow."""
        try:
            with self._keeping:
                known = change(known_time.read(self._state))
                if known is not None:
                    known_time.FORMAT.save(self._state.clock, replace(known, lead=self._lead()))
        except StoreError as error:
            if str(error) != self._problem:
                _logger.error("%s; trying again every minute", error)
            self._problem = str(error)
        else:
            self._problem = ""


def kernel_is_synchronised(wall: float) -> bool:
    """Return whether the kernel's clock shows this time and was set by a server."""
    timex = ctypes.create_string_buffer(_TIMEX_OCTETS)
    try:
        failed = ctypes.CDLL(None).adjtimex(timex) < 0
    except (OSError, AttributeError):
        return False
    (status,) = _STATUS.unpack_from(timex, _STATUS_AT)
    seconds, _ = _SECONDS.unpack_from(timex, _TIME_AT)
    return not failed and not status & _STA_UNSYNC and abs(seconds - wall) < FOLLOWED_S
