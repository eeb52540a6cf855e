# SPDX-License-Identifier: Apache-2.0
"""Broken versions with valid signatures are offered to a school under questions.

Publishers have signed bad lists before. A real publisher publishes each version and a
real run fetches it, beside a daemon that serves: none is activated, the reason is
reported, and no answer is lost, unfiltered or withheld. The next honest version is then
activated as usual.

By default some of each kind of broken version are offered; all of them with
``FILTERD_FEED_CANDIDATES=all`` (``tests/unit/feed/guard/test_checks.py`` always checks
all).
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import GuardError
from filterd.feed import guard
from filterd.feed.signed import deltas
from filterd.texts.i18n import say
from tests.support.broken_versions import BROKEN, HARMFUL, POPULAR, add
from tests.support.feed_candidates import GAMBLING
from tests.support.feed_school import School, a_school

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.long

SAMPLE = (
    "a catalogue that was cut",
    "zeros in place of a list",
    "a line of 50 MB",
    "com as a rule",
    "canaries gone from the list",
    "accounts.google.com, as the publisher's own",
    "the twin of Google",
    "a bank that another answers for",
    "no pins",
    "self-harm as education",
)
OFFERED = tuple(BROKEN) if os.environ.get("FILTERD_FEED_CANDIDATES") == "all" else SAMPLE


@pytest.fixture(scope="module", autouse=True)
def _no_waiting() -> Iterator[None]:
    """Other tests cut the power, and nothing downloads the files packed here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr(deltas, "_FULL_LEVELS", (1, *deltas._FULL_LEVELS))
        yield


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    with a_school(tmp_path_factory.mktemp("school")) as made:
        yield made


@pytest.mark.parametrize("broken", OFFERED)
def test_a_broken_version_is_not_activated_and_does_not_disturb_answering(
    school: School, broken: str
) -> None:
    before = school.in_force
    version = school.publish(BROKEN[broken])
    with pytest.raises(GuardError, match=rf"^version {version} of the feed is (held|refused): "):
        school.sync()
    assert school.in_force == before
    standing = school.site.standing.read()
    assert standing.judgement is not None
    assert standing.judgement.version == version
    assert str(version) in standing.problem
    assert school.pupil.wrong_answers() == []


def test_the_next_honest_version_comes_as_if_nothing_had_been(school: School) -> None:
    school.publish(BROKEN["a list of UTF-16"])
    with pytest.raises(GuardError):
        school.sync()
    version = school.publish(add(GAMBLING, "www.new-tonight.example"))
    assert school.sync().version == version == school.in_force
    assert school.pupil.wrong_answers() == []
    assert school.site.standing.read().problem == ""


def test_control_without_the_guard_a_broken_version_comes_and_is_noticed(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = guard.judge

    def lenient(*words: Any, **how: Any) -> guard.Judgement:
        return replace(judge(*words, **how), findings=())

    monkeypatch.setattr(guard, "judge", lenient)
    before = school.in_force
    version = school.publish(BROKEN["popular names"])
    assert school.sync().version == version == school.in_force
    assert any(answer.startswith(POPULAR[155]) for answer in school.pupil.wrong_answers())
    with school.site.holding():
        assert school.site.roll_back(say("{why}", why="control")) == before
    school.pupil.wrong_answers()  # it has asked while that went
    assert school.pupil.wrong_answers() == []


HARM = "what nobody knows beneath a protected name"


def test_control_without_its_check_what_lies_beneath_google_is_closed(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, name = guard.judge, "unheard-of.google.com"

    def blind(*words: Any, **how: Any) -> guard.Judgement:
        judged = judge(*words, **how)
        left = tuple(finding for finding in judged.findings if finding.kind != "beneath")
        return replace(judged, findings=left)

    before = school.in_force
    school.publish(HARMFUL[HARM])
    with pytest.raises(GuardError, match="beneath essential ones"):
        school.sync()
    assert not school.is_blocked(name)
    monkeypatch.setattr(guard, "judge", blind)
    assert school.sync().version == school.in_force
    assert school.is_blocked(name)
    with school.site.holding():
        assert school.site.roll_back(say("{why}", why="control")) == before
