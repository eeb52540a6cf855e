# SPDX-License-Identifier: Apache-2.0
"""An operation of the API: its parameters, roles, answer, and how it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from filterd.overrides.roles import Role
from filterd.web.parameters import NOTHING, Fields, Schema

if TYPE_CHECKING:
    from filterd.i18n import Sentence
    from filterd.web.visitor import Visitor

EVERYONE = frozenset(Role)
ADMINS = frozenset((Role.ADMIN,))
TEACHERS = frozenset((Role.TEACHER, Role.ADMIN))

Run = Callable[["Visitor", dict[str, Any]], Awaitable[Any]]
Method = Literal["GET", "POST", "PUT", "DELETE"]
ROWS: Schema = {"type": "array", "items": {"type": "object"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation.

    Attributes:
        name: its ``operationId``, and the address of its form (``/do/NAME``).
        method, path: of the API, beneath ``/api/v1``; ``{key}`` is a parameter.
        about: one line of English, for the description.
        run: does it with checked values; returns plain data.
        fields: in the query (GET, DELETE) or the body; those in the path are among them.
        roles: that may do it. The manager refuses others, pages do not show it to them.
        answer: the JSON Schema of what ``run`` returns.
        commands: of ``filterd`` that it stands for, such as ``log search``.
        tag: its group in the description.
        done: the sentence that a page shows after a change, of what ``run`` returned.
        is_shown_once: whether that page has what ``run`` returned, as ``Visitor.made``.
        is_stream: ``run`` returns an async iterator of events (SSE).
        largest_octets: of its body, where that is more than ``request_guard`` lets pass.
        media_types: ``run`` returns a ``MadeFile`` of one of these; none for data.
    """

    name: str
    method: Method
    path: str
    about: str
    run: Run
    fields: Fields = NOTHING
    roles: frozenset[Role] = EVERYONE
    answer: Schema = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    tag: str = "school"
    done: Callable[[Any, Visitor], Sentence] | None = None
    is_shown_once: bool = False
    is_stream: bool = False
    largest_octets: int = 0
    media_types: tuple[str, ...] = ()

    @property
    def is_change(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"


def asks(command: str) -> Run:
    """Return what sends the checked values to a command of the manager."""

    async def run(visitor: Visitor, given: dict[str, Any]) -> Any:
        return await visitor.ask(command, **given)

    return run
