# SPDX-License-Identifier: Apache-2.0
"""While a trial is on, every name that room asks for has seen, and no other room's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.base.errors import ControlError
from filterd.base.paths import shipped
from filterd.daemon import watch_recorders as module
from filterd.daemon.watch_recorders import CHECKS, CheckRecorder, NatWatch, Trials
from filterd.policy.confidential_names import ConfidentialNames
from filterd.texts.i18n import UNSAID
from tests.support.clock import FakeClock
from tests.support.policies import a_pin, wire
from tests.support.serving import GRADE_1, GRADE_11, STAFF, Serving, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index
    from tests.support.upstream import FakeUpstream

ROOM = "grade-1"


@pytest.fixture
def running(index: Index, upstream: FakeUpstream) -> Iterator[Serving]:
    upstream.add("www.example.com. 300 IN A 198.18.0.9", "b.example.com. 300 IN A 198.18.0.9")
    with Serving(a_site(index, [upstream]), listen=["127.0.0.1"], fast=True) as serving:
        yield serving


def trials_of(serving: Serving) -> Trials:
    return Trials(serving.resolver, serving.fast)


def heard(serving: Serving, trials: Trials, **how: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"room": ROOM, "left_s": 60.0, "since": 0, "fresh": False} | how
    return serving.start(trials.trial(**asked)).result(10)


def names_of(answer: dict[str, Any]) -> dict[str, bool]:
    return {name: blocked for name, blocked, _ in answer["names"]}


def test_what_a_room_asks_for_is_heard_though_it_was_answered_before(running: Serving) -> None:
    trials = trials_of(running)
    for _ in range(3):  # so that the fast path repeats it
        running.ask("www.example.com")
        running.ask("porn.example")
    heard(running, trials)
    for _ in range(2):
        running.ask("www.example.com")
        running.ask("porn.example", by="tcp")
        running.ask("b.example.com", source=GRADE_11)
    found = names_of(heard(running, trials))
    assert found == {wire("www.example.com").hex(): False, wire("porn.example").hex(): True}


def test_a_confidential_name_is_heard_by_no_teacher(index: Index, upstream: FakeUpstream) -> None:
    """Else one pupil's need would be shown to the class; the test above is the control."""
    site = a_site(index, [upstream])
    porn = replace(site.policy.categories["porn"], confidential=True)
    policy = replace(site.policy, categories={**site.policy.categories, "porn": porn})
    site = replace(site, confidential=ConfidentialNames(policy, index))
    upstream.add(
        "www.example.com. 300 IN A 198.18.0.9", "alias.example.com. 300 IN CNAME porn.example."
    )
    with Serving(site, listen=["127.0.0.1"], fast=True) as serving:
        trials = trials_of(serving)
        heard(serving, trials)
        for name in ("www.example.com", "porn.example", "www.porn.example", "alias.example.com"):
            serving.ask(name)
        assert names_of(heard(serving, trials)).keys() == {wire("www.example.com").hex()}


@pytest.mark.usefixtures("needs_native")
def test_control_a_room_that_the_fast_path_answers_is_not_heard(
    running: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = trials_of(running)
    assert running.fast is not None
    monkeypatch.setattr(Trials, "must_see", lambda *_: False)
    for _ in range(3):
        running.ask("porn.example")
    heard(running, trials)
    for _ in range(3):
        running.ask("porn.example")
    assert [times for _, _, times in heard(running, trials)["names"]] == [1], "until it is learnt"


@pytest.mark.usefixtures("needs_native")
def test_other_rooms_stay_with_the_fast_path(running: Serving) -> None:
    trials = trials_of(running)
    heard(running, trials)
    for _ in range(3):
        running.ask("porn.example", source=STAFF)
    before = running.run(lambda: sum(running.resolver.counters.values()))
    running.ask("porn.example", source=STAFF)
    assert running.run(lambda: sum(running.resolver.counters.values())) == before


@pytest.mark.usefixtures("needs_native")
def test_after_the_end_nothing_is_heard_and_nothing_is_left(running: Serving) -> None:
    trials = trials_of(running)
    heard(running, trials)
    running.ask("www.example.com")
    heard(running, trials, left_s=0.0)
    assert running.run(lambda: running.resolver.observers) == ()
    assert not trials._names
    running.ask("porn.example")
    before = running.run(lambda: sum(running.resolver.counters.values()))
    running.ask("porn.example")
    assert running.run(lambda: sum(running.resolver.counters.values())) == before


def test_it_is_over_by_itself(running: Serving) -> None:
    trials = trials_of(running)
    heard(running, trials)
    heard(running, trials, left_s=0.01)  # each request says anew how long it goes on
    running.eventually(lambda: not running.resolver.observers)


def test_a_new_trial_begins_with_nothing(running: Serving) -> None:
    trials = trials_of(running)
    heard(running, trials)
    running.ask("www.example.com")
    assert heard(running, trials, fresh=True)["names"] == []


def test_names_are_reported_in_pages_and_bounded(
    running: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_NAMES", 5)
    monkeypatch.setattr(module, "PAGE", 3)
    trials = trials_of(running)
    heard(running, trials)
    for number in range(8):
        running.ask(f"n{number}.porn.example")
    first, second = heard(running, trials), heard(running, trials, since=3)
    assert (len(first["names"]), first["more"]) == (3, True)
    assert (len(second["names"]), second["more"]) == (2, False)


def test_what_an_exam_does_not_change_is_not_reported(running: Serving) -> None:
    trials = trials_of(running)
    heard(running, trials)
    running.ask("localhost")
    assert not names_of(heard(running, trials))


def test_what_nothing_may_block_is_not_reported(index: Index, upstream: FakeUpstream) -> None:
    upstream.add("probe.example. 300 IN A 198.18.0.9", "other.example. 300 IN A 198.18.0.9")
    site = a_site(index, [upstream], pins=(a_pin("probe.example"),))
    with Serving(site, listen=["127.0.0.1"], fast=True) as running:
        trials = trials_of(running)
        heard(running, trials)
        running.ask("probe.example")
        running.ask("other.example")
        assert list(names_of(heard(running, trials))) == [wire("other.example").hex()]


def test_how_often_a_name_was_asked_for_is_reported(running: Serving) -> None:
    trials = trials_of(running)
    heard(running, trials)
    for _ in range(3):
        running.ask("www.example.com")
    ((_, _, times),) = heard(running, trials)["names"]
    assert times == 3


def test_closing_ends_all_trials(running: Serving) -> None:
    trials = trials_of(running)
    heard(running, trials)
    heard(running, trials, room="staff")
    running.run(trials.close)
    assert running.run(lambda: running.resolver.observers) == ()


def test_two_rooms_have_a_trial_each(running: Serving) -> None:
    trials = trials_of(running)
    heard(running, trials)
    heard(running, trials, room="staff")
    running.ask("www.example.com", source=GRADE_1)
    heard(running, trials, room="staff", left_s=0.0)
    running.ask("porn.example", source=GRADE_1)
    assert len(names_of(heard(running, trials))) == 2
    running.run(trials.close)


ONE_OF_EACH = [found[0] for found in CHECKS.values()]


@pytest.fixture
def watching(index: Index, upstream: FakeUpstream) -> Iterator[Serving]:
    upstream.add(*(f"{name}. 300 IN A 198.18.0.9" for name in ONE_OF_EACH))
    with Serving(a_site(index, [upstream]), listen=["127.0.0.1"], fast=True) as serving:
        yield serving


def _heard(serving: Serving, recorder: CheckRecorder, **how: Any) -> dict[str, list[str]]:
    asked: dict[str, Any] = {"left_s": 60.0, "since": 0, "fresh": False} | how
    outcome = serving.start(recorder.checks(**asked)).result(10)
    return dict(outcome["checks"])


def _ask_all(serving: Serving) -> None:
    for name in ONE_OF_EACH[:3]:
        serving.ask(name, source=GRADE_1)
    serving.ask(ONE_OF_EACH[0], source=GRADE_11)
    serving.ask("www.example.com", source=GRADE_11)


def test_makers_are_heard_by_address_though_the_fast_path_knows_the_answers(
    watching: Serving,
) -> None:
    recorder = CheckRecorder(watching.resolver, watching.fast)
    for _ in range(3):
        _ask_all(watching)
    assert _heard(watching, recorder) == {}
    _ask_all(watching)
    found = _heard(watching, recorder)
    assert found == {GRADE_1: list(CHECKS)[:3], GRADE_11: list(CHECKS)[:1]}
    assert _heard(watching, recorder, fresh=True) == {}


def test_control_without_a_watch_nothing_is_heard_and_nothing_is_kept(watching: Serving) -> None:
    recorder = CheckRecorder(watching.resolver, watching.fast)
    _heard(watching, recorder)
    _ask_all(watching)
    assert _heard(watching, recorder, left_s=0.0) == {}
    assert watching.resolver.observers == ()
    _ask_all(watching)
    assert _heard(watching, recorder) == {}


def test_there_is_an_end_to_what_is_recorded(
    watching: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ADDRESSES", 1)
    recorder = CheckRecorder(watching.resolver, watching.fast)
    _heard(watching, recorder)
    _ask_all(watching)
    assert list(_heard(watching, recorder)) == [GRADE_1]


class Workers:
    """A worker that has heard these makers, in pages of one address; or fails."""

    def __init__(self, heard: dict[str, list[str]] | None) -> None:
        self.heard, self.asked = heard, list[float]()

    async def ask(self, _: str, *, left_s: float, since: int, **__: Any) -> dict[str, Any]:
        self.asked.append(left_s)
        if self.heard is None:
            raise ControlError(UNSAID)
        page = list(self.heard.items())[since : since + 1]
        return {"checks": page, "more": len(self.heard) > since + 1}


def test_an_address_is_shared_where_all_workers_together_heard_three_makers() -> None:
    async def work() -> list[dict[str, Any]]:
        first = Workers({"10.0.0.9": ["Apple"], "10.0.0.8": ["Google", "Xiaomi"]})
        other = Workers({"10.0.0.9": ["Google", "Microsoft"]})
        clock = FakeClock()
        watch = NatWatch(clock, cast("Any", [first, other]))
        with pytest.raises(ControlError, match="no watch is on"):
            await watch.seen()
        await watch.begin(60.0)
        first_seen = await watch.seen()
        other.heard = None
        assert await watch.seen() == []
        await watch.end()
        assert first.asked[-1] == 0.0
        with pytest.raises(ControlError, match="no watch is on"):
            await watch.seen()
        return first_seen

    expected = [{"address": "10.0.0.9", "makers": ["Apple", "Google", "Microsoft"]}]
    assert asyncio.run(work()) == expected


def test_every_check_is_pinned_as_one() -> None:
    text = (shipped("blocklists") / "pins.yaml").read_text(encoding="utf-8")
    checks = {line for line in text.splitlines() if "captive-check" in line}
    for name in (one for found in CHECKS.values() for one in found):
        assert f"  - {{name: {name}, reason: captive-check}}" in checks
