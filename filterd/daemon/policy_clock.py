# SPDX-License-Identifier: Apache-2.0
"""The clock of policy; it shows policy time (``policy.unknown_time``).

It is the monotonic clock plus the lead on the shared page. So all processes have the same
time, and a jump of the machine's clock moves it only when the jump is believed
(``daemon.timekeeper``). TLS, time servers, the feed, the log and the history use the
machine's clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.policy.unknown_time import is_known

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.daemon.shared_page import SharedPage


class PolicyClock:
    """A clock whose wall shows policy time.

    Args:
        clock: the machine's, which is believed as it is where no timekeeper runs.
        page: where it stands what it leads the monotonic clock by.
    """

    def __init__(self, clock: Clock, page: SharedPage) -> None:
        self.monotonic = clock.monotonic
        self._clock, self._page, self._lead = clock, page, page.lead_word

    def wall(self) -> float:
        """Return policy time, in seconds."""
        lead_s = self._lead[0]
        return self.monotonic() + lead_s if lead_s else self._clock.wall()

    def least(self) -> float:
        """Return the Unix time that it is at least: the floor while the time is not known."""
        now = self.wall()
        return now if is_known(now) else self._page.floor
