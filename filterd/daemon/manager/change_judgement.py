# SPDX-License-Identifier: Apache-2.0
"""Judge a change before it is recorded: its form, its author's rights, its effect.

Rights go by the effect that a change would have on the site in force (``permissions``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from filterd.clients.identifier import Identifier
from filterd.daemon.time.timekeeper import ClockStanding
from filterd.overrides.changes import change_kinds as kinds
from filterd.overrides.changes import log_changes
from filterd.overrides.changes.effects import Fold
from filterd.overrides.changes.preconditions import SchoolState, Warnings
from filterd.overrides.changes.preconditions import check as check_fit
from filterd.overrides.changes.room_changes import LONGEST_EXAM_S
from filterd.overrides.history.store import Store
from filterd.overrides.rights import permissions
from filterd.overrides.rights.permissions import Classroom
from filterd.policy.calendar import day_ends_at
from filterd.policy.grade_rows import differences
from filterd.policy.guarded_categories import opened_by

if TYPE_CHECKING:
    from filterd.daemon.shared_page import PolicyClock
    from filterd.daemon.time.timekeeper import Timekeeper
    from filterd.overrides.changes.effects import ChangeEffect, CheckedChange
    from filterd.overrides.history.store import Store
    from filterd.overrides.rights.roles import Author
    from filterd.resolve.site import Site

GRADE = "grade"


class ChangeJudgement:
    """The checks of a change.

    Args:
        store: of the history.
        time: of policy.
        keeper: of that time.
    """

    def __init__(self, store: Store, time: PolicyClock, keeper: Timekeeper) -> None:
        self._store, self._time, self._keeper = store, time, keeper

    @property
    def is_time_unknown(self) -> bool:
        """Whether nothing can be dated."""
        return self._keeper.standing is ClockStanding.UNKNOWN

    def permitted(
        self, site: Site, kind: str, payload: dict[str, Any], author: Author
    ) -> tuple[CheckedChange, dict[str, Any]]:
        """Return a change that its author may make, and its payload.

        Raises:
            ChangeError: it is wrong.
            ControlError: this author may not make it.
        """
        change = kinds.parse(kind, payload)
        if not self._time.is_confirmed:
            log_changes.check_clock(change)
        if isinstance(change, log_changes.ConfirmLogging):
            past = self._store.rows(views=False)
            permissions.check_confirmation(
                author, change, site.timed.overrides, past, self._time.least()
            )
        else:
            effect = self._effect(change, author)
            permissions.check_change(author, change, effect, self.classroom(site))
        return change, payload

    def _effect(self, change: CheckedChange, author: Author) -> ChangeEffect:
        now, least = self._time.least(), self._time.not_before()
        return self._store.effect(change, author=author.name, now=now, not_before=least)

    def fit(self, site: Site, change: CheckedChange) -> Warnings:
        """Return warnings on a change; see ``check_fit``."""
        now = self._time.least()
        timed = site.timed
        return check_fit(
            change, SchoolState(timed.policy, site.at(now).engine, timed.overrides, now)
        )

    def preview(
        self, site: Site, payload: dict[str, Any], author: Author, reason: str
    ) -> dict[str, Any]:
        """Return what a setting of a grade would change now, by the checks of a change.

        Raises:
            ChangeError, ControlError: as ``permitted``.
        """
        change, payload = self.permitted(site, GRADE, payload, author)
        kinds.ChangeRequest.of(GRADE, payload, author.name, reason)  # refuses as a change would
        warnings, effect = self.fit(site, change), self._effect(change, author)
        now = self._time.least()  # later than the effect begins
        after = Fold(site.timed.overrides)
        after.apply(effect)
        thens = None, after.overrides(site.timed.overrides.number + 1)
        moment, then = (site.at(now, one).moment.policy for one in thens)
        return {
            "differences": [
                {"grade": key, **one._asdict()}
                for key, grade in moment.grades.items()
                for one in differences(moment, grade, then, then.grades[key])
            ],
            "warnings": list(warnings),
        }

    def classroom(self, site: Site) -> Classroom:
        """Return what a teacher's rights depend on at this moment."""
        policy, now = site.timed.policy, self._time.least()
        is_unknown = self.is_time_unknown
        identifier = Identifier(site.timed.at(now).policy, site.surroundings)

        def network_of(address: str) -> str | None:
            client = None if identifier.is_own(address) else identifier.identify(address)
            return None if client is None else client.network

        return Classroom(
            policy,
            site.timed.overrides,
            None if is_unknown else now,
            now + LONGEST_EXAM_S if is_unknown else day_ends_at(policy, now),
            network_of,
            partial(opened_by, policy=policy, index=site.index),
        )
