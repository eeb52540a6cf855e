# SPDX-License-Identifier: Apache-2.0
"""Make commands of the control socket from handlers of typed requests."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

from filterd.base.errors import ConfigError, ControlError
from filterd.base.state_file import to_plain
from filterd.operations.request import OperationRequest
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command

RequestT = TypeVar("RequestT", bound=OperationRequest[Any])
AnswerT = TypeVar("AnswerT")
_ALREADY_PLAIN = (dict, list, str)


def handled(
    kind: type[RequestT], handler: Callable[[RequestT, Caller], Awaitable[Any]]
) -> dict[str, Command]:
    """Return the command of a request, by its name.

    Args:
        kind: what the command takes; a request that is none is refused before the handler.
        handler: does it; its answer is plain data or dataclasses.
    """

    async def command(given: dict[str, Any], caller: Caller) -> Any:
        answer = await handler(_read(kind, given), caller)
        return answer if isinstance(answer, _ALREADY_PLAIN) else to_plain(answer)

    return {kind.command: command}


def streamed(
    kind: type[RequestT], handler: Callable[[RequestT, Caller], AsyncGenerator[Any, None]]
) -> dict[str, Command]:
    """Return the command of a request that is answered by a stream, by its name."""

    async def command(given: dict[str, Any], caller: Caller) -> AsyncGenerator[Any, None]:
        async with aclosing(handler(_read(kind, given), caller)) as values:
            async for value in values:
                yield value

    return {kind.command: command}


def _read(kind: type[RequestT], given: dict[str, Any]) -> RequestT:
    """Return a request within its bounds.

    Raises:
        ControlError: it is none.
    """
    try:
        return kind.read_sent(given)
    except ConfigError as error:
        raise ControlError(
            say("`{command}`: {reason}", command=kind.command, reason=error.reason)
        ) from error
