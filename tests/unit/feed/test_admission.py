# SPDX-License-Identifier: Apache-2.0
"""A version comes into force if it is judged to be good, and is watched from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ControlError, GuardError, RefusedVersionError
from filterd.feed.guard.judgement import Severity
from filterd.feed.standing import Event
from filterd.feed.version_watch import Daemon
from filterd.texts.i18n import say
from tests.support.feed_site import FIRST, SECOND, Follower, judge_as

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("warm_children")


def _events(school: Follower) -> list[tuple[Event, str]]:
    return [(line.event, line.version) for line in school.site.history.lines()]


@pytest.mark.parametrize("severity", [Severity.HELD, Severity.REFUSED])
def test_a_version_that_is_judged_bad_leaves_the_one_before(
    school: Follower, severity: Severity, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.run(FIRST)
    judge_as(monkeypatch, school, severity)
    with pytest.raises(GuardError, match="all its 9 names are gone"):
        school.run(SECOND)
    assert school.check_consistent(FIRST) == FIRST
    standing = school.site.standing.read()
    assert standing.judgement is not None
    assert standing.judgement.version == SECOND
    assert "all its 9 names are gone" in standing.problem
    assert _events(school)[-1] == (Event(severity.value), SECOND)


def test_a_version_that_never_will_do_is_not_judged_again(
    school: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.run(FIRST)
    judged = judge_as(monkeypatch, school, Severity.REFUSED)
    for _ in range(3):
        with pytest.raises(RefusedVersionError):
            school.run(SECOND)
        assert _events(school)[-1] == (Event.REFUSED, SECOND)
    assert judged == [SECOND]
    assert school.site.versions.in_force().refused == (SECOND,)


class Counting(Daemon):
    """Has counted so much."""

    def __init__(self, status: Callable[[], dict[str, Any]]) -> None:
        self._status = status

    def status(self) -> dict[str, Any]:
        return self._status()

    def usual_blocks(self) -> float:
        return 0.2


def test_what_a_running_daemon_takes_is_watched_from_then_on(school: Follower) -> None:
    school.daemon = Counting(lambda: {"answers": {"blocked": 10, "cached": 90}, "workers": 1})
    school.run(FIRST)
    watch = school.site.watches.read(school.clock)
    assert watch is not None
    assert (watch.version, watch.usual, watch.at_swap.total) == (FIRST, 0.2, 100)


@pytest.mark.parametrize(("kind", "by_log"), [("asked-little", True), ("asked", False)])
def test_the_watch_knows_whether_the_recorded_days_were_judged(
    school: Follower, monkeypatch: pytest.MonkeyPatch, kind: str, by_log: bool
) -> None:
    judge_as(monkeypatch, school, Severity.NOTE, kind)
    school.daemon = Counting(lambda: {"answers": {"blocked": 10, "cached": 90}, "workers": 1})
    school.run(FIRST)
    watch = school.site.watches.read(school.clock)
    assert watch is not None
    assert watch.by_log is by_log


def test_nothing_is_watched_where_no_daemon_serves_or_answers(school: Follower) -> None:
    school.run(FIRST)
    assert school.site.watches.read(school.clock) is None

    def dead() -> dict[str, Any]:
        raise ControlError(say("no"))

    school.daemon = Counting(dead)
    school.run(SECOND)
    assert school.site.watches.read(school.clock) is None
