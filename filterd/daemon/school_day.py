# SPDX-License-Identifier: Apache-2.0
"""Sum up the present moment of a school.

It has the blocks of today, what is open for a time, the rooms, and the exams.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.overrides.descriptions import not_ended, state_of
from filterd.overrides.log_rows import level_rows, named_rows, waiting_rows
from filterd.overrides.room_rows import is_changed, room_rows
from filterd.policy.effective_policy import EffectiveState
from filterd.policy.temporary_rules import TargetKind
from filterd.rows import SchoolClock
from filterd.state_file import to_plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from filterd.resolve.site import Site
    from filterd.rows import Row


def school_day(
    site: Site, now: float, totals: Iterable[Row], classes: Collection[str] | None = None
) -> dict[str, Any]:
    """Return what a school asks of its filter first, as plain data.

    Args:
        site: in force at ``now``.
        now: policy time.
        totals: of today, with classes (``Manager.log_totals``).
        classes: those that are shown, None for all; others are counted in their grade.

    Returns: ``blocked_today``, blocks by class, or by grade where no class is known, the most
    first; ``blocked_categories``, the same by category, and ``category_names`` of these, by
    language; ``exceptions`` and ``loans`` that hold; ``exams`` that have not ended; ``rooms``, as
    ``room_rows`` has them; ``log_levels``, the tiers of which the log keeps names, and
    ``log_waiting``, levels that a second person has to confirm (``log_rows``).
    """
    timed, blocked, categories = site.timed, Counter[str](), Counter[str]()
    for row in totals:
        n = row["n"] if row["action"] == "blocked" else 0
        is_shown = row["class"] and (classes is None or row["class"] in classes)
        blocked[row["class"] if is_shown else row["grade"]] += n
        categories[row["category"]] += n
    clock = SchoolClock(ZoneInfo(timed.policy.time_zone), now)
    state = EffectiveState(timed.policy, timed.overrides, site.moment, clock)
    rooms = room_rows(state)
    plain = to_plain(timed.overrides)
    return {
        "blocked_today": {key: n for key, n in blocked.most_common() if n},
        "blocked_categories": {key: n for key, n in categories.most_common() if n},
        "category_names": {
            one.id: {"vi": one.name_vi, "en": one.name_en}
            for one in timed.policy.categories.values()
            if categories[one.id]
        },
        "exceptions": [
            one
            for one in plain.get("exceptions", ())
            if one["kind"] != TargetKind.PAUSE and state_of(one, now) == "on"
        ],
        "loans": [one for one in plain.get("loans", ()) if state_of(one, now) == "on"],
        "exams": not_ended(plain.get("exams", ()), now),
        "rooms": [one for one in rooms if one["is_room"] or is_changed(one)],
        "log_levels": named_rows(level_rows(state)),
        "log_waiting": waiting_rows(state),
    }
