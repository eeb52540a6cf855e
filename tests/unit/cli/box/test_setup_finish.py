# SPDX-License-Identifier: Apache-2.0
"""A step that fails is reported, and the next one is done; test_setup has the whole of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.base.errors import StoreError
from filterd.base.state_folder import StateFolder
from filterd.cli.box import setup_finish as module
from filterd.cli.box.setup_finish import SetupFinish
from filterd.operations.accounts import OneTimeCode
from filterd.texts.i18n import Sentence, Texts, say
from tests.unit.cli.school.test_account import ROW

if TYPE_CHECKING:
    from filterd.operations.request import OperationRequest


class Lines:
    """Collects what is printed."""

    texts = Texts("en")

    def __init__(self) -> None:
        self.printed: list[str] = []

    def say(self, text: Sentence, style: str = "") -> None:
        self.printed.append(f"{style} {text}".strip())


def test_a_failing_step_is_reported_and_does_not_end_the_set_up() -> None:
    lines = Lines()
    none: Any = None  # no step asks for them
    done = SetupFinish(none, lines, none)
    with done._step():
        raise StoreError(say("the disk refused"))
    assert lines.printed == ["red the disk refused"]
    assert module.SHEET_FILE == "sheet.md"


class Desk:
    """The daemon's commands of accounts, as far as a set-up asks them."""

    def __init__(self, *accounts: str, problem: str = "") -> None:
        self.accounts, self._problem = list(accounts), problem
        self.state = StateFolder(Path("nowhere"))

    def send(self, request: OperationRequest[Any]) -> Any:
        return request.answer_of(self._ask(request.command, **request.arguments))

    def _ask(self, command: str, **given: Any) -> Any:
        if self._problem:
            raise StoreError(say("no daemon"))
        if command == "account list":
            return [{**ROW, "account": account} for account in self.accounts]
        if command == "account add":
            assert given["roles"] == ["admin"]
            self.accounts.append(given["account"])
            return {"account": given["account"]}
        return {"account": given["account"], "code": "a-code", "for_s": 900.0}


def _finished(desk: Any) -> tuple[SetupFinish, Lines]:
    lines, none = Lines(), None
    done = SetupFinish(desk, lines, none)  # type: ignore[arg-type] # no step asks for it
    done._make_account()
    return done, lines


def test_a_set_up_leaves_an_account_and_a_code_that_signs_in() -> None:
    desk = Desk()
    done, _ = _finished(desk)
    assert done.sign_in == OneTimeCode("a-code", 900.0, "admin")
    assert desk.accounts == ["admin"]


def test_a_second_set_up_makes_no_other_account_and_no_code() -> None:
    done, _ = _finished(Desk("minh"))
    assert done.sign_in is None


def test_without_a_daemon_the_command_is_named() -> None:
    done, lines = _finished(Desk(problem="x"))
    assert done.sign_in is None
    assert "sudo filterd account add admin --role admin --code" in lines.printed[-1]
