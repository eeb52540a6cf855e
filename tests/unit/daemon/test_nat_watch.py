# SPDX-License-Identifier: Apache-2.0
"""Addresses from which the checks of several makers come, and only while a watch is on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from filterd.daemon import nat_watch as module
from filterd.daemon.nat_watch import CHECKS, CheckRecorder, NatWatch
from filterd.errors import ControlError
from filterd.i18n import UNSAID
from filterd.paths import shipped
from tests.support.clock import FakeClock
from tests.support.serving import GRADE_1, GRADE_11, Serving, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index
    from tests.support.upstream import FakeUpstream

ONE_OF_EACH = [found[0] for found in CHECKS.values()]


@pytest.fixture
def running(index: Index, upstream: FakeUpstream) -> Iterator[Serving]:
    upstream.add(*(f"{name}. 300 IN A 192.0.2.9" for name in ONE_OF_EACH))
    with Serving(a_site(index, [upstream]), listen=["127.0.0.1"], fast=True) as serving:
        yield serving


def _heard(serving: Serving, recorder: CheckRecorder, **how: Any) -> dict[str, list[str]]:
    asked: dict[str, Any] = {"left_s": 60.0, "since": 0, "fresh": False} | how
    told = serving.start(recorder.checks(**asked)).result(10)
    return dict(told["checks"])


def _ask_all(serving: Serving) -> None:
    for name in ONE_OF_EACH[:3]:
        serving.ask(name, source=GRADE_1)
    serving.ask(ONE_OF_EACH[0], source=GRADE_11)
    serving.ask("www.example.com", source=GRADE_11)


def test_makers_are_heard_by_address_though_the_fast_path_knows_the_answers(
    running: Serving,
) -> None:
    recorder = CheckRecorder(running.resolver, running.fast)
    for _ in range(3):
        _ask_all(running)
    assert _heard(running, recorder) == {}
    _ask_all(running)
    found = _heard(running, recorder)
    assert found == {GRADE_1: list(CHECKS)[:3], GRADE_11: list(CHECKS)[:1]}
    assert _heard(running, recorder, fresh=True) == {}


def test_control_without_a_watch_nothing_is_heard_and_nothing_is_kept(running: Serving) -> None:
    recorder = CheckRecorder(running.resolver, running.fast)
    _heard(running, recorder)
    _ask_all(running)
    assert _heard(running, recorder, left_s=0.0) == {}
    assert running.resolver.observers == ()
    _ask_all(running)
    assert _heard(running, recorder) == {}


def test_there_is_an_end_to_what_is_recorded(
    running: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ADDRESSES", 1)
    recorder = CheckRecorder(running.resolver, running.fast)
    _heard(running, recorder)
    _ask_all(running)
    assert list(_heard(running, recorder)) == [GRADE_1]


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
