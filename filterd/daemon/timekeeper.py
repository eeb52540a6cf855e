# SPDX-License-Identifier: Apache-2.0
"""Keep policy time: the manager reads the machine's clock once a second.

Small steps of the clock are followed. A jump while filterd runs is not believed at once,
and policy time follows the monotonic clock, which includes a suspension:

- a jump forward is believed after ``BELIEVED_AFTER_S``;
- any jump is believed at once if the kernel reports a time server (adjtimex(2));
- a jump back is believed for no other reason, because ended rules would begin again, nor
  is a time before the floor.

So a wrongly set clock changes nothing for a quarter of an hour. The believed time and the
start of a jump are kept (``daemon.known_time``), and a daemon that restarts in the same
boot of the machine continues with them. Limits: a time server that lies is believed; after
a boot any time from the floor on is believed.
"""

from __future__ import annotations

import ctypes
import logging
import threading
from dataclasses import replace
from enum import StrEnum
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.daemon import known_time
from filterd.daemon.known_time import FOLLOWED_S, Lead
from filterd.errors import ChangeError, StoreError
from filterd.i18n import say
from filterd.policy.unknown_time import LATEST, UNKNOWN_LEAD_S, is_known
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.clock import Clock
    from filterd.daemon.known_time import KnownTime
    from filterd.daemon.shared_page import SharedPage
    from filterd.state_folder import StateFolder

LOOK_EVERY_S = 1.0
BELIEVED_AFTER_S = 900.0
"""After so many seconds a jump forward is believed, if the clock stays so."""
_SAME_S = 0.02
"""Policy time is no nearer to the machine's: the word is not written for each microsecond."""

_STA_UNSYNC = 0x40
_STATUS, _SECONDS, _TIMEX_OCTETS = Struct("@i"), Struct("@qq"), 256
_STATUS_AT, _TIME_AT = 40, 72

_log = logging.getLogger("filterd.time")


class ClockStanding(StrEnum):
    """How policy time stands to the machine's clock."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    JUMPED = "jumped"


class ClockStep(NamedTuple):
    """A step of policy time, in Unix times.

    ``was`` is the least that policy time was, ``now`` the new one. ``lead_s`` is what it leads the
    monotonic clock by then.
    """

    was: float
    now: float
    lead_s: float

    @property
    def back_s(self) -> float:
        """The seconds that it goes back."""
        return max(0.0, self.was - self.now)


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
        self._jumped = self._watched()
        self._keeping = threading.Lock()
        self._problem = ""
        self.is_due = False
        """Whether ``note`` has something to keep that must not wait for the end of the minute."""

    @property
    def standing(self) -> ClockStanding:
        """How it stands now."""
        if not self._page.lead_s:
            return ClockStanding.KNOWN
        if not is_known(self._page.lead_s):
            return ClockStanding.UNKNOWN
        return ClockStanding.JUMPED if self._jumped else ClockStanding.KNOWN

    def look(self) -> ClockStep | None:
        """Follow the machine's clock; return the step that policy time should make.

        None if it should make none. It waits for no disk: what a start must know of a jump is kept
        by ``note``.
        """
        page = self._page
        if not page.lead_s:
            return None
        step = self._step()
        if not is_known(page.lead_s):
            is_after = page.floor <= step.now < LATEST
            return step if is_after or self._is_certain(step.now) else None
        apart_s = step.lead_s - page.lead_s
        if abs(apart_s) <= FOLLOWED_S:
            if self._jumped is not None:
                self._jumped, self.is_due = None, True
            if abs(apart_s) > _SAME_S:
                page.lead_s = step.lead_s
            return None
        now = self._clock.monotonic()
        if self._jumped is None or abs(step.lead_s - self._jumped[0]) > FOLLOWED_S:
            self._jumped, self.is_due = (step.lead_s, now), True
            _log.warning(
                "the clock jumped by %+.0f s; policy goes by the time before the jump", apart_s
            )
        is_old = apart_s > 0 and now - self._jumped[1] >= BELIEVED_AFTER_S and step.now < LATEST
        return step if is_old or self._is_certain(step.now) else None

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
        """Make the time unknown until the step is made, if it goes back.

        Waits for the disk. What is set is given other dates meanwhile, and must not open between
        the two.
        """
        if step.back_s:
            self._page.floor = min(self._page.floor, step.now)
            self._page.lead_s = UNKNOWN_LEAD_S
            self._keep()

    def make(self, step: ClockStep) -> None:
        """Let policy time make a step; a floor that is later is dropped. Never raises."""
        page = self._page
        if step.back_s:
            page.floor = step.now
        page.lead_s, self._jumped = step.lead_s, None
        if step.back_s:
            self._keep(lambda known: known.dropped(step.now, step.was))
        else:
            self._keep(lambda known: replace(known, at=step.now))
        _log.warning("the clock is believed now; policy time moves by %+.0f s", step.now - step.was)

    def note(self) -> None:
        """Save the known time, for the next start. Never raises."""
        page, now = self._page, self._clock.monotonic()
        self.is_due = False
        if not page.lead_s or not is_known(page.lead_s):
            return
        at = now + page.lead_s
        self._keep(lambda known: replace(known, at=max(at, known.at)))
        page.floor = max(page.floor, at)

    def facts(self) -> dict[str, Any]:
        """Return how it stands, as plain data: times are Unix times."""
        wall, page = self._clock.wall(), self._page
        standing, policy_time = self.standing, self._clock.monotonic() + page.lead_s
        known = policy_time if is_known(policy_time) and page.lead_s else None
        return {
            "standing": standing.value,
            "shows": wall,
            "policy_time": wall if not page.lead_s else known,
            "floor": page.floor,
        }

    def _is_certain(self, wall: float) -> bool:
        return RELEASED_AT <= wall < LATEST and self._is_set_by_server(wall)

    def _step(self) -> ClockStep:
        """Return the step from policy time to the machine's clock."""
        page, now, wall = self._page, self._clock.monotonic(), self._clock.wall()
        least = now + page.lead_s if is_known(page.lead_s) else page.floor
        return ClockStep(max(least, page.floor), wall, wall - now)

    def _watched(self) -> tuple[float, float] | None:
        """Return the jump that was being watched before this start, and since when."""
        lead = known_time.read(self._state).lead_in(self._boot)
        if lead is None or lead.jumped_s is None or not is_known(self._page.lead_s):
            return None
        _log.warning("the clock jumped before this start; policy goes by the time before the jump")
        return lead.jumped_s, min(lead.jumped_at, self._clock.monotonic())

    def _lead(self) -> Lead | None:
        """Return the lead for a daemon that starts again in this boot."""
        believed_s = self._page.lead_s
        if not believed_s or not is_known(believed_s):
            return None
        return Lead(self._boot, believed_s, *(self._jumped or ()))

    def _keep(self, change: Callable[[KnownTime], KnownTime] = lambda known: known) -> None:
        """Change the saved time; threads do, since the disk may be slow."""
        try:
            with self._keeping:
                known = change(known_time.read(self._state))
                known_time.FORMAT.save(self._state.clock, replace(known, lead=self._lead()))
        except StoreError as error:
            if str(error) != self._problem:
                _log.error("%s; trying again every minute", error)
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
