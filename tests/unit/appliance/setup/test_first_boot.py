# SPDX-License-Identifier: Apache-2.0
"""The holder of the code sets the gateway up; a pupil without it does not."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.accounts.sign_in_delays import SlowDownError, delayed_origin
from filterd.appliance.setup import first_boot as module
from filterd.appliance.setup.first_boot import CLAIM_NEEDED, FirstBoot, SetupResult, claim_code
from filterd.appliance.setup.interview import Interview, Machine, SchoolLink
from filterd.base.errors import ConfigError, ControlError
from filterd.control.frames import ControlRequest
from filterd.daemon.handlers.control_caller import Caller
from filterd.texts.i18n import Sentence, say
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

CODE = "4F7K-92QX-M3TB"
WEB = Caller(4711, "filterd-web", frozenset(), address="192.168.6.20")
PUPIL = replace(WEB, address="192.168.6.66")
MACHINE = Machine(links=(SchoolLink("192.168.6.0/24", "eth0", "192.168.6.1"),))


class Box:
    """A gateway that is not set up, and what pages ask of it."""

    def __init__(self) -> None:
        self.clock, self.answered = FakeClock(), dict[str, str]()
        self.problem: ConfigError | None = None
        self.is_set_up = False
        self.boot = FirstBoot(
            MACHINE, {"school": "Cũ"}, CODE, self.finish, self.clock, lambda: self.is_set_up
        )
        self.token = ""

    def finish(self, interview: Interview, tell: Callable[[Sentence], None]) -> SetupResult:
        if self.problem is not None:
            raise self.problem
        self.answered = dict(interview.answers)
        tell(say("The service is running, and starts with the machine."))
        return SetupResult("the sheet", "a-code")

    async def ask(self, command: str, caller: Caller = WEB, **arguments: Any) -> Any:
        caller = replace(caller, token=self.token if caller is WEB else caller.token)
        request = ControlRequest(command, arguments, act_for=caller.token, address=caller.address)
        caller = replace(caller, grant=self.boot.granting(request, caller))
        answer: Any = await self.boot.commands()[command](arguments, caller)
        return answer

    async def claim(self, code: str = CODE, caller: Caller = WEB) -> None:
        self.token = (await self.ask("setup-claim", caller, code=code))["token"]

    async def answer_all(self) -> None:
        while (state := await self.ask("setup-state"))["step"] == "question":
            key = state["question"]["key"]
            typed = {"classes": "6A", "lists": "3"}.get(key, "")
            await self.ask("setup-answer", key=key, text=typed)


def run(work: Callable[[Box], Coroutine[Any, Any, None]]) -> Box:
    box = Box()

    async def whole() -> None:
        await work(box)

    asyncio.run(whole())
    return box


def test_a_school_is_set_up_question_by_question() -> None:
    async def work(box: Box) -> None:
        await box.claim("4f7k 92qx m3tb")
        state = await box.ask("setup-state")
        assert (state["step"], state["question"]["key"], state["number"]) == (
            "question",
            "language",
            1,
        )
        await box.answer_all()
        state = await box.ask("setup-state")
        assert state["step"] == "review"
        assert {"key": "school", "answer": "Cũ"} in state["answers"]
        assert not box.answered, "nothing is written before the last button"
        await box.ask("setup-finish")
        while (state := await box.ask("setup-state"))["step"] == "working":
            await asyncio.sleep(0)
        assert (state["step"], state["sheet"], state["code"]) == ("done", "the sheet", "a-code")
        assert len(state["lines"]) == 1
        await box.ask("setup-end")
        assert box.boot.ended.is_set()

    assert run(work).answered["classes"] == "6A"


def test_going_back_asks_again_with_the_answer_as_default() -> None:
    async def work(box: Box) -> None:
        await box.claim()
        await box.ask("setup-answer", key="language", text="en")
        await box.ask("setup-answer", key="school", text="Trường A")
        await box.ask("setup-answer", key="school", text="sent twice")
        await box.ask("setup-back")
        question = (await box.ask("setup-state"))["question"]
        assert (question["key"], question["default"]) == ("school", "Trường A")

    run(work)


def test_a_wrong_answer_is_refused_and_asked_again() -> None:
    async def work(box: Box) -> None:
        await box.claim()
        for wrong in ("klingon", "x" * 5000, "@/etc/shadow"):
            with pytest.raises(ConfigError):
                await box.ask("setup-answer", key="language", text=wrong)
        assert (await box.ask("setup-state"))["question"]["key"] == "language"

    run(work)


def test_what_cannot_be_written_is_reported_and_answers_can_change() -> None:
    async def work(box: Box) -> None:
        await box.claim()
        await box.answer_all()
        box.problem = ConfigError(say("that is too long"))
        await box.ask("setup-finish")
        while (state := await box.ask("setup-state"))["step"] == "working":
            await asyncio.sleep(0)
        assert (state["step"], len(state["lines"])) == ("review", 1)
        await box.ask("setup-back")
        assert (await box.ask("setup-state"))["step"] == "question"

    run(work)


def test_a_pupil_without_the_code_claims_nothing_and_does_not_keep_the_teacher_out() -> None:
    async def work(box: Box) -> None:
        for command in ("setup-state", "setup-answer", "setup-back", "setup-finish", "setup-end"):
            with pytest.raises(ControlError) as refused:
                await box.ask(command, PUPIL, key="language", text="vi")
            assert refused.value.code == CLAIM_NEEDED
        for _ in range(5):
            with pytest.raises(ControlError):
                await box.claim("AAAA-BBBB-CCCC", PUPIL)
        with pytest.raises(SlowDownError):
            await box.claim(CODE, PUPIL)
        await box.claim()
        assert (await box.ask("setup-state"))["step"] == "question"

    run(work)


def test_a_pupil_on_the_same_link_does_not_keep_the_teacher_out() -> None:
    async def work(box: Box) -> None:
        for _ in range(5):
            with pytest.raises(ControlError):
                await box.claim("AAAA-BBBB-CCCC", replace(PUPIL, address="fe80::66%eth0"))
        with pytest.raises(SlowDownError):
            await box.claim(CODE, replace(PUPIL, address="fe80::66%eth0"))
        await box.claim(CODE, replace(WEB, address="fe80::5%eth0"))
        assert box.token

    run(work)


def test_control_where_a_link_is_one_origin_a_pupil_keeps_the_teacher_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = delayed_origin("fe80::%eth0", 0)
    monkeypatch.setattr(module, "delayed_origin", lambda *_: one)

    async def work(box: Box) -> None:
        for _ in range(5):
            with pytest.raises(ControlError):
                await box.claim("AAAA-BBBB-CCCC", replace(PUPIL, address="fe80::66%eth0"))
        with pytest.raises(SlowDownError):
            await box.claim(CODE, replace(WEB, address="fe80::5%eth0"))

    run(work)


def test_control_without_the_code_the_first_pupil_to_connect_owns_the_school(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_bare", lambda _: b"")

    async def work(box: Box) -> None:
        await box.claim("AAAA-BBBB-CCCC", PUPIL)
        assert box.token

    run(work)


@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8::1", "", "x"])
def test_only_private_networks_are_answered(address: str) -> None:
    async def work(box: Box) -> None:
        with pytest.raises(ControlError, match="this network"):
            await box.claim(CODE, replace(PUPIL, address=address))

    run(work)


def test_a_second_claim_takes_the_set_up_to_another_device() -> None:
    async def work(box: Box) -> None:
        await box.claim()
        first = box.token
        await box.claim()
        box.token = first
        with pytest.raises(ControlError):
            await box.ask("setup-state")

    run(work)


def test_once_set_up_in_another_way_the_code_claims_nothing() -> None:
    async def work(box: Box) -> None:
        box.is_set_up = True
        with pytest.raises(ControlError, match="already"):
            await box.claim()
        assert box.boot.ended.is_set()

    run(work)


USES: dict[str, dict[str, Any]] = {
    "setup-state": {},
    "setup-answer": {"key": "language", "text": "vi"},
    "setup-back": {},
    "setup-finish": {},
    "setup-end": {},
    "setup-claim": {"code": CODE},
}


def test_each_use_is_in_the_table() -> None:
    assert USES.keys() == Box().boot.commands().keys()


@pytest.mark.parametrize("command", USES)
def test_a_claim_of_before_a_set_up_in_another_way_does_nothing_more(command: str) -> None:
    async def work(box: Box) -> None:
        await box.claim()
        await box.answer_all()
        box.is_set_up = True
        with pytest.raises(ControlError, match="already"):
            await box.ask(command, **USES[command])
        assert (box.boot.ended.is_set(), box.answered) == (True, {})

    run(work)


def test_control_a_gateway_that_does_not_look_is_finished_by_the_old_claim() -> None:
    async def work(box: Box) -> None:
        await box.claim()
        await box.answer_all()
        box.boot._is_set_up = lambda: False
        box.is_set_up = True
        await box.ask("setup-finish")
        while (state := await box.ask("setup-state"))["step"] == "working":
            await asyncio.sleep(0)
        assert state["code"] == "a-code"

    run(work)


def test_the_code_ends_with_success_and_the_first_claim_has_the_result() -> None:
    async def work(box: Box) -> None:
        await box.claim()
        await box.answer_all()
        await box.ask("setup-finish")
        first = box.token
        with pytest.raises(ControlError, match="already"):
            await box.claim()  # at work
        while (await box.ask("setup-state"))["step"] == "working":
            await asyncio.sleep(0)
        box.is_set_up = True
        for caller in (WEB, PUPIL):
            with pytest.raises(ControlError, match="already"):
                await box.claim(CODE, caller)
        assert box.token == first
        assert (await box.ask("setup-state"))["code"] == "a-code"

    run(work)


def test_after_a_failed_set_up_the_code_claims_again() -> None:
    async def work(box: Box) -> None:
        await box.claim()
        await box.answer_all()
        box.problem = ConfigError(say("that is too long"))
        await box.ask("setup-finish")
        while (await box.ask("setup-state"))["step"] == "working":
            await asyncio.sleep(0)
        await box.claim()
        assert (await box.ask("setup-state"))["step"] == "review"

    run(work)


def test_codes_are_readable_and_differ() -> None:
    codes = {claim_code() for _ in range(50)}
    assert len(codes) == 50
    assert all(re.fullmatch(r"([2-9A-HJ-NP-Z]{4}-){2}[2-9A-HJ-NP-Z]{4}", code) for code in codes)
