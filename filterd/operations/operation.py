# SPDX-License-Identifier: Apache-2.0
"""Describe an operation: a thing that a school does, with its roles and its faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from filterd.base.value_class import frozen
from filterd.overrides.rights.roles import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.operations.answers import Described
    from filterd.operations.parameters.scalar import Fields
    from filterd.operations.request import OperationRequest
    from filterd.texts.i18n import Sentence
    from filterd.texts.rows import Listing

EVERYONE = frozenset(Role)
ADMINS = frozenset((Role.ADMIN,))
TEACHERS = frozenset((Role.TEACHER, Role.ADMIN))

Method = Literal["GET", "POST", "PUT", "DELETE"]


@frozen(kw_only=True)
class Operation:
    """One operation.

    Attributes:
        name: its ``operationId``, and the address of its form (``/do/NAME``).
        method, path: of the API, beneath ``/api/v1``; ``{key}`` is a parameter.
        about: one line of English, for the description.
        request: what the manager is asked; those of its fields in ``path`` are there, the others
            in the query (GET, DELETE) or the body.
        answer: describes the answer; see ``answers``.
        roles: to which it is shown. What the manager lets them do is judged by its effect.
        commands: of ``filterd`` that it stands for, such as ``log search``.
        tag: its group in the description.
        listing: by which a command shows an answer of rows.
        sentence: of the answer, what a command and a page say when it is done.
    """

    name: str
    method: Method
    path: str
    about: str
    request: type[OperationRequest[Any]]
    answer: Described
    roles: frozenset[Role] = EVERYONE
    commands: tuple[str, ...] = ()
    tag: str = "school"
    listing: Listing | None = None
    sentence: Callable[[Any], Sentence] | None = None

    @property
    def fields(self) -> Fields:
        """What a program sends."""
        return self.request.fields()

    @property
    def is_change(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"
