# SPDX-License-Identifier: Apache-2.0
"""The manager is asked seldom, and never by too many at a time."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ControlError
from filterd.blockpage import manager_answers
from filterd.blockpage.manager_answers import MOST_KEPT, MOST_OF_DEVICE, WHY_S, ManagerAnswers
from filterd.texts.i18n import say
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Asked:
    """Stands for ``control.ask``; notes the questions, and fails while a test wants it."""

    def __init__(self) -> None:
        self.questions: list[tuple[str, str]] = []
        self.fails = False
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self, _: Path, command: str, **asked: Any) -> Any:
        self.may_answer.wait(10)
        if self.fails:
            raise ControlError(say("it does not run"))
        self.questions.append((command, asked.get("name", "")))
        return {"name": asked.get("name")}


def _run(use: Callable[[ManagerAnswers, Asked, FakeClock], Awaitable[None]]) -> None:
    async def whole() -> None:
        asked, clock = Asked(), FakeClock()
        answers = ManagerAnswers(Path("control.sock"), clock, asked)
        try:
            await use(answers, asked, clock)
        finally:
            asked.may_answer.set()
            answers.close()

    asyncio.run(whole())


def test_a_class_that_opens_one_page_is_one_question() -> None:
    async def use(answers: ManagerAnswers, asked: Asked, clock: FakeClock) -> None:
        await asyncio.gather(*(answers.why("10.0.6.1", "a.example") for _ in range(40)))
        assert asked.questions == [("page-why", "a.example")]
        clock.advance(WHY_S)
        await answers.why("10.0.6.1", "a.example")
        await answers.why("10.0.6.2", "a.example")
        await answers.ask_review("10.0.6.2", "a.example", "lesson")
        assert len(asked.questions) == 4

    _run(use)


def test_a_failure_is_not_remembered() -> None:
    async def use(answers: ManagerAnswers, asked: Asked, _: FakeClock) -> None:
        asked.fails = True
        with pytest.raises(ControlError):
            await answers.school()
        asked.fails = False
        assert await answers.school()

    _run(use)


def test_what_is_remembered_and_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(answers: ManagerAnswers, asked: Asked, _: FakeClock) -> None:
        for n in range(MOST_KEPT + 10):
            await answers.why("10.0.6.1", f"n{n}.example")
        assert len(answers._kept) == MOST_KEPT
        asked.may_answer.clear()
        monkeypatch.setattr(manager_answers, "MOST_WAITING", MOST_OF_DEVICE + 1)
        names = [f"m{n}.example" for n in range(MOST_OF_DEVICE)]
        waiting = [asyncio.ensure_future(answers.why("10.0.6.1", name)) for name in names]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(ControlError, match="too much to do"):
            await answers.why("10.0.6.1", "further.example")
        waiting.append(asyncio.ensure_future(answers.why("10.0.6.2", "a.example")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(ControlError, match="too much to do"):
            await answers.why("10.0.6.3", "a.example")
        asked.may_answer.set()
        await asyncio.gather(*waiting)

    _run(use)
