# SPDX-License-Identifier: Apache-2.0
"""Return the policy in force and the overrides, from the daemon or else from the disk.

``offline_site`` reads the disk. It is imported late: no command for which a daemon
answers waits for YAML, pydantic and SQLite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from filterd import control
from filterd.base.errors import ControlError, StoreError
from filterd.cli.context import Context
from filterd.cli.school_clock import school_clock
from filterd.daemon import policy_reader
from filterd.operations.clock import ReadClock
from filterd.operations.history import ReadOverrides
from filterd.overrides.changes.effects import THINGS, from_plain
from filterd.policy.effective_policy import EffectiveState, at
from filterd.policy.model import Policy
from filterd.policy.temporary_rules import Overrides
from filterd.policy.unknown_time import known_or_least, of_facts
from filterd.texts.i18n import say
from filterd.texts.rows import SchoolClock

if TYPE_CHECKING:
    from filterd.operations.request import AnswerT, OperationRequest


def in_force(here: Context) -> EffectiveState:
    """Return the effective state.

    Raises:
        FilterdError: it cannot be read, from the daemon or from the disk.
    """
    answer = send_or_none(here, ReadClock())
    time = offline().policy_time(here) if answer is None else of_facts(answer)
    policy, overrides = policy_in_force(here), set_now(here)
    moment = at(policy, overrides, *time)
    return EffectiveState(policy, overrides, moment, policy_clock(here, answer))


def policy_clock(here: Context, answer: Mapping[str, Any] | None = None) -> SchoolClock:
    """Return the clock of the school as policy goes by it: at the last known time, if need be.

    Args:
        here: where the daemon is.
        answer: of the daemon about the clock, if it was asked already.

    Raises:
        ControlError: a daemon runs, and cannot say.
    """
    clock = school_clock(here)
    answer = answer or send_or_none(here, ReadClock())
    return clock if answer is None else clock._replace(now=known_or_least(answer))


def set_now(here: Context) -> Overrides:
    """Return the overrides, ended ones too.

    Raises:
        FilterdError: it cannot be read, from the daemon or from the disk.
    """
    answer = send_or_none(here, ReadOverrides())
    return offline().store(here).current() if answer is None else _received(here, answer)


def set_at(here: Context, when: float) -> Overrides | None:
    """Return the overrides of a past time; None where only the disk has them.

    Raises:
        FilterdError: it cannot be read, from the daemon or from the disk.
    """
    answer = send_or_none(here, ReadOverrides(at=when))
    return offline().store(here).at(when) if answer is None else _received(here, answer)


def _received(here: Context, answer: Mapping[str, Any]) -> Overrides:
    """Return the overrides of the daemon's answer.

    Raises:
        ControlError: it is of another version.
    """
    plain = {key: answer[key] for key in (*THINGS, "number") if key in answer}
    try:
        return from_plain(plain)
    except (KeyError, TypeError, ValueError) as error:
        where = here.state.control_socket
        raise ControlError(
            say("{where}: filterd has another version; restart it", where=where)
        ) from error


def policy_in_force(here: Context) -> Policy:
    """Return the compiled policy that a running daemon has, else that of the site's files.

    Raises:
        FilterdError: there is none.
    """
    return policy_reader.in_force(here.config, here.state)


def policy_of_files(here: Context) -> Policy:
    """Return the policy of the site's files; that in force where this user may not read the lists.

    Raises:
        FilterdError: there is none.
    """
    return policy_reader.of_readable_files(here.config, here.state)


def read_or_send(
    here: Context, read: Callable[[], AnswerT], request: OperationRequest[AnswerT]
) -> AnswerT:
    """Return what the disk has; the daemon is asked where this user may not read the disk.

    Raises:
        FilterdError: it cannot be read, and no daemon runs that has it.
    """
    try:
        return read()
    except StoreError:
        answer = send_or_none(here, request)
        if answer is None:
            raise
        return answer


def send_or_none(here: Context, request: OperationRequest[AnswerT]) -> AnswerT | None:
    """Return the daemon's answer to a request, None where none runs; see ``send_else``."""
    return send_else(here, lambda: None, cast("OperationRequest[AnswerT | None]", request))


def send_else(
    here: Context, otherwise: Callable[[], AnswerT], request: OperationRequest[AnswerT]
) -> AnswerT:
    """Return the daemon's answer, or the result of ``otherwise`` where no daemon runs.

    Raises:
        ControlError: one runs, and cannot answer, or not this user.
    """
    try:
        return here.send(request)
    except ControlError:
        if control.is_running(here.state.control_socket):
            raise
    return otherwise()


def offline() -> Any:
    """Return ``offline_site``, imported now."""
    from filterd.cli import offline_site  # noqa: PLC0415 -- see above

    return offline_site
