# SPDX-License-Identifier: Apache-2.0
"""Set a gateway up from a browser, before anyone has an account.

Who has the *claim code*, which stands on the console and on the boot partition, may answer the
questions of a set-up. These are commands of a socket of their own, which the web process asks;
the process ends when the set-up is done::

    setup-claim {code} --> token          setup-state  --> the step and its question
    setup-answer {key, text}              setup-back        setup-finish      setup-end

Only devices of private networks are answered. Failures slow down the address that they come
from, so that a pupil can neither guess the code nor keep the teacher out.

Each use of a claim looks whether this gateway was set up in another way meanwhile: then it
is refused. While the last step is at work and when it is done, the code claims nothing: the
code that signs in is for the device that pressed the last button.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.accounts.grant import NO_GRANT, Grant
from filterd.accounts.sign_in_delays import SignInDelays, delayed_origin
from filterd.appliance.setup.interview import Interview
from filterd.appliance.setup.questions import pending
from filterd.base.addresses import is_of_a_lan
from filterd.base.errors import ConfigError, ControlError, FilterdError, TellableError
from filterd.overrides.rights.roles import Role
from filterd.texts.i18n import Sentence, quoted, say, to_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from filterd.appliance.setup.interview import Machine, PendingQuestion
    from filterd.base.clock import Clock
    from filterd.control.frames import ControlRequest
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command

CLAIM_NEEDED = "claim-needed"
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0, 1, I and O, which look alike."""
_GROUP, _GROUPS = 4, 3
_CLAIM = "claim"
_LONGEST_TEXT = 4000
_SHOWN_FOR_S = 3600.0
"""The sheet at the end, if the last button is not pressed."""
_logger = logging.getLogger("filterd.setup")


class SetupStep(StrEnum):
    """What comes next."""

    QUESTION = "question"
    REVIEW = "review"
    WORKING = "working"
    DONE = "done"


class SetupResult(NamedTuple):
    """The sheet for the router, and a code that signs in once."""

    sheet: str
    code: str


def claim_code() -> str:
    """Return a new claim code of 60 random bits, such as ``4F7K-92QX-M3TB``."""
    return "-".join(
        "".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS)
    )


class FirstBoot:
    """A set-up by pages.

    Args:
        machine: what was found.
        before: the answers that the site has already.
        code: the claim code.
        finish: writes the site and puts it in service; it reports each step. It runs in a
            thread, and raises FilterdError if the site is not written.
        clock: for the delays.
        is_set_up: returns whether someone has set this gateway up in another way.
    """

    def __init__(
        self,
        machine: Machine,
        before: Mapping[str, str],
        code: str,
        finish: Callable[[Interview, Callable[[Sentence], None]], SetupResult],
        clock: Clock,
        is_set_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self._interview = Interview(machine, dict(before))
        self._code, self._finish, self._is_set_up = code, finish, is_set_up
        self._delays = SignInDelays(clock)
        self._token, self._turn = "", asyncio.Lock()
        self._work: asyncio.Task[None] | None = None
        self._lines: list[Sentence] = []
        self._result: SetupResult | None = None
        self.ended = asyncio.Event()

    def commands(self) -> dict[str, Command]:
        """Return the commands by name."""
        return {
            "setup-claim": self._claim,
            "setup-state": self._state,
            "setup-answer": self._answer,
            "setup-back": self._back,
            "setup-finish": self._begin,
            "setup-end": self._end,
        }

    def granting(self, request: ControlRequest, caller: Caller) -> Grant:
        """Return what a device may do; see ``control_server.Granting``.

        Raises:
            ControlError: it is not of a private network, or the token is not the claim's.
        """
        if not is_of_a_lan(caller.address):
            raise ControlError(say("a set-up is for devices of this network only"))
        self._check_open()
        if request.command == "setup-claim":
            return NO_GRANT
        if not self._token or not hmac.compare_digest(caller.token.encode(), self._token.encode()):
            error = ControlError(say("enter the code that stands on the console first"))
            error.code = CLAIM_NEEDED
            raise error
        return Grant("setup", frozenset((Role.ADMIN,)))

    def _check_open(self) -> None:
        """Refuse what comes after a set-up in another way, and end.

        Raises:
            ControlError: there was one.
        """
        is_own = self._result is not None or self._is_at_work
        if not is_own and self._is_set_up():
            self.ended.set()
            raise _set_up_already()

    @property
    def _is_at_work(self) -> bool:
        return self._work is not None and not self._work.done()

    async def _claim(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Begin, or go on with, the set-up on this device; the device before is out."""
        if self._result is not None or self._is_at_work:
            raise _set_up_already()
        origin = delayed_origin(caller.address, caller.uid)
        self._delays.attempt(_CLAIM, origin)
        if not hmac.compare_digest(_bare(request.get("code")), _bare(self._code)):
            _logger.warning("a wrong claim code from %s", origin.key)
            raise ControlError(say("this is not the code"))
        self._delays.passed(_CLAIM, origin)
        self._token = secrets.token_urlsafe(32)
        _logger.info("claimed from %s", origin.key)
        return {"token": self._token}

    async def _state(self, _: dict[str, Any], __: Caller) -> dict[str, Any]:
        one = pending(self._interview)
        state: dict[str, Any] = {
            "step": self._step(one),
            "language": self._interview.get("language"),
            "number": len(self._interview.answers) + 1,
            "lines": list(map(to_plain, self._lines)),
        }
        if state["step"] is SetupStep.QUESTION and one is not None:
            state["question"] = _question(one)
        if state["step"] is SetupStep.REVIEW:
            state["answers"] = self._answers()
        if self._result is not None:
            state |= self._result._asdict()
        return state

    def _step(self, question: PendingQuestion | None) -> SetupStep:
        if self._result is not None:
            return SetupStep.DONE
        if self._is_at_work:
            return SetupStep.WORKING
        return SetupStep.REVIEW if question is None else SetupStep.QUESTION

    def _answers(self) -> list[dict[str, Any]]:
        """Return what was answered, for a last look."""
        return [{"key": key, "answer": text} for key, text in self._interview.answers.items()]

    async def _answer(self, request: dict[str, Any], _: Caller) -> None:
        key, text = request.get("key"), request.get("text")
        if not isinstance(text, str) or len(text) > _LONGEST_TEXT:
            raise ConfigError(say("that is too long"))
        if text.startswith("@"):
            raise ConfigError(say("a file cannot be named here"), hint=say("such as: 6A 6B 7A-7D"))
        async with self._turn:
            one = pending(self._interview)
            if one is None or one.key != key or self._step(one) is not SetupStep.QUESTION:
                return  # sent twice, or by the button for back: the page shows what is asked now
            await asyncio.to_thread(one.accept, text)

    async def _back(self, _: dict[str, Any], __: Caller) -> None:
        async with self._turn:
            is_asking = self._step(None) is SetupStep.REVIEW  # neither at work nor done
            if is_asking:
                self._interview.go_back()

    async def _begin(self, _: dict[str, Any], __: Caller) -> None:
        async with self._turn:
            if self._step(pending(self._interview)) is SetupStep.REVIEW:
                self._lines = []
                self._work = asyncio.get_running_loop().create_task(self._worked())

    async def _worked(self) -> None:
        loop = asyncio.get_running_loop()

        def tell(sentence: Sentence) -> None:
            loop.call_soon_threadsafe(self._lines.append, sentence)

        try:
            self._result = await asyncio.to_thread(self._finish, self._interview, tell)
            loop.call_later(_SHOWN_FOR_S, self.ended.set)
        except FilterdError as error:
            is_sentence = isinstance(error, TellableError)
            self._lines.append(error.sentence if is_sentence else quoted(str(error)))
        except Exception:
            _logger.exception("the set-up failed")
            self._lines.append(say("filterd made a mistake here; its journal has the details"))

    async def _end(self, _: dict[str, Any], __: Caller) -> None:
        if self._result is not None:
            self.ended.set()


def _set_up_already() -> ControlError:
    return ControlError(say("This gateway is set up already."))


def _question(question: PendingQuestion) -> dict[str, Any]:
    choices = [{"answer": two.answer, "text": to_plain(two.text)} for two in question.choices]
    return {
        "key": question.key,
        "text": to_plain(question.text),
        "help": to_plain(question.question.help) if question.question.help else None,
        "choices": choices,
        "default": question.default,
        "is_open": question.question.is_open or not question.choices,
    }


def _bare(code: Any) -> bytes:
    """Return a code as it counts: in capitals, without what people put between groups."""
    text = code if isinstance(code, str) else ""
    return "".join(one for one in text[:64].upper() if one in _LETTERS).encode()
