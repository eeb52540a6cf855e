# SPDX-License-Identifier: Apache-2.0
"""Find what opens guarded categories: now, and without an end.

A category may be guarded by lists that came after it was opened: then what opens it has no end.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from filterd.overrides.changes.change_fields import MAX_NAMES
from filterd.policy.guarded_categories import opened_by, openings
from filterd.policy.model import DAY_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.daemon.shared_page import PolicyClock
    from filterd.policy.guarded_categories import GuardedOpening
    from filterd.policy.temporary_rules import GradeSetting, LocalException, RoomSetting
    from filterd.resolve.site import Site

LASTS_S = 30.0 * DAY_S
"""How long an opening lasts on that stood when its category became guarded."""


class GuardedOpenings:
    """The openings of guarded categories of the site in force.

    Args:
        site: returns it.
        time: of policy.
    """

    def __init__(self, site: Callable[[], Site], time: PolicyClock) -> None:
        self._site, self._time = site, time
        self._found_of: Site | None = None
        self._found: tuple[GuardedOpening, ...] = ()

    async def open_now(self) -> list[dict[str, Any]]:
        """Return the guarded categories that are open now, as plain data."""
        site, now = self._site(), self._time.least()
        if self._found_of is not site:  # a status is asked for every second, and lists are long
            known = site.timed.policy, site.timed.overrides, site.index
            self._found = await asyncio.to_thread(lambda: tuple(openings(*known)))
            self._found_of = site
        return [one._asdict() for one in self._found if one.holds_at(now)]

    def endless(self) -> list[int]:
        """Return the numbers of what opens a guarded category for too long."""
        site = self._site()
        policy, overrides, index = site.timed.policy, site.timed.overrides, site.index
        latest = self._time.least() + LASTS_S
        things: tuple[LocalException | GradeSetting | RoomSetting, ...]
        things = (*overrides.exceptions, *overrides.grades, *overrides.rooms)
        found = {
            thing.id
            for thing in things
            if (thing.ends_at is None or thing.ends_at > latest) and opened_by(thing, policy, index)
        }
        return sorted(found)[:MAX_NAMES]
