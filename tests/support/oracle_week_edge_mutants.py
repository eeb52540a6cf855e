# SPDX-License-Identifier: Apache-2.0
"""Mutants of filterd, each without one safeguard of edges in a school's week.

See ``oracle_mutants``. Each names the scenes that must detect it.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.daemon.serving.current_site import ActiveSite
from filterd.policy.effective_policy import EffectivePolicy
from filterd.resolve.links.filter import Filter
from filterd.resolve.site import PlainView, Site
from tests.support import oracle_week_scenes as scenes
from tests.support import oracle_week_scenes_rooms as of_rooms
from tests.support.oracle_mutants import instead, planted

if TYPE_CHECKING:
    import pytest

    from filterd.resolve.query import Query
    from tests.support.oracle_mutants import Break
    from tests.support.oracle_week_asking import WeekScene


class Mutant(NamedTuple):
    """What is broken, the scenes that have to show it, and whether only the fast path can."""

    breaks: Break
    scenes: tuple[WeekScene, ...]
    fast: bool = False


# Edges: where they are looked at.


def _edges_unseen(self: ActiveSite, site: Site) -> None:
    self._site, self._ends = site, False


def _neighbours_edges(patch: pytest.MonkeyPatch) -> None:
    made: Any = PlainView.of
    patch.setattr(PlainView, "of", lambda policy, index, *_: made(policy, index))


def _second_worker_is_late(patch: pytest.MonkeyPatch) -> None:
    """Let every second worker look at the epoch only when the manager asks."""
    count = iter(range(1_000))
    begin, current = ActiveSite.__init__, vars(ActiveSite)["current"]
    confirm = ActiveSite.confirm

    def begun(self: Any, *about: Any) -> None:
        begin(self, *about)
        self._is_late = next(count) % 2 == 1

    def looked(self: Any) -> Site:
        site: Site = self._site if self._is_late else current.fget(self)
        return site

    def confirmed(self: Any) -> None:
        self._is_late = False
        confirm(self)
        _ = current.fget(self)
        self._is_late = True

    patch.setattr(ActiveSite, "__init__", begun)
    patch.setattr(ActiveSite, "current", property(looked))
    patch.setattr(ActiveSite, "confirm", confirmed)


def _only_forward(self: EffectivePolicy, now: float) -> bool:
    return now < self.until


def _first_rules_stand(_: Filter, query: Query, __: object) -> Query:
    return query.readmitted(query.client, query.site)


_all_audiences = (scenes.exceptions, scenes.each_kind)
_lessons = (scenes.lessons, of_rooms.room_set)

OF_EDGES: dict[str, Mutant] = {
    "repeated answers end at an edge": Mutant(planted("edges unseen"), _lessons, fast=True),
    "relayed answers are judged at an edge": Mutant(
        planted("site unseen"), (of_rooms.clock_is_set, of_rooms.exam_bell), fast=True
    ),
    "relayed answers do not outlive an edge": Mutant(
        planted("relayed beyond an edge"), _lessons, fast=True
    ),
    "a device that has something to come has its own edges": Mutant(
        _neighbours_edges, (of_rooms.one_device,), fast=True
    ),
    "what holds is looked at when it ends": Mutant(
        instead(ActiveSite, "_take", _edges_unseen), _lessons
    ),
    "what waited is judged by what holds": Mutant(
        instead(Filter, "_readmit", _first_rules_stand), (*_lessons, of_rooms.exam_is_held)
    ),
    "no answer outlives an edge of whoever asks": Mutant(
        instead(Site, "edge_of", lambda *_: inf), _lessons
    ),
    "a clock that is set back is noticed": Mutant(
        instead(EffectivePolicy, "holds_at", _only_forward), (of_rooms.clock_is_set,)
    ),
    "the second worker looks at the epoch": Mutant(_second_worker_is_late, _all_audiences),
}
