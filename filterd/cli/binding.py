# SPDX-License-Identifier: Apache-2.0
"""Make commands of operations, and the options of a command of the fields of a request.

A parameter whose type is a request stands for the fields that have a ``CommandWord``, with the
type, bounds and default of the request::

    def revoke(here: Context, asked: Revoke, json: JsonOption = False) -> None:
        answer = here.send(asked)

A command that shows a listing or says a sentence needs no function: ``tree`` names its request,
whose docstring is the help.
"""

from __future__ import annotations

from dataclasses import MISSING
from inspect import Parameter
from operator import getitem
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from filterd.base.state_file import to_plain
from filterd.base.value_class import frozen
from filterd.cli.context import Context, JsonOption, argument, option
from filterd.cli.render import show
from filterd.operations.operation import Operation
from filterd.operations.parameters.scalar import LARGEST, Whole
from filterd.operations.request import OperationRequest, RequestField, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


@frozen
class RequestOptions:
    """The options that make up a request; see ``context.Options``."""

    kind: type[OperationRequest[Any]]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The options, as Typer reads them."""
        return tuple(map(_parameter, written(self.kind)))

    def read(self, **given: Any) -> OperationRequest[Any]:
        """Return the request; what is not given has its default."""
        keys = {one.name: one.key for one in written(self.kind)}
        return self.kind.of({keys[name]: one for name, one in given.items() if one is not None})


def _parameter(field: RequestField) -> Parameter:
    word, kind = field.word, field.type
    assert word is not None
    if get_origin(kind) is tuple:
        kind = GenericAlias(list, get_args(kind)[0])
    default = Parameter.empty if field.default is MISSING else field.default
    if default in ("", ()):  # Typer shows a default; an empty one is none
        kind, default = kind | None, None
    about = word.help or f"{getattr(field.kind, 'about', '')}."
    name = word.name or f"--{field.key.replace('_', '-')}"
    drawn = (
        argument(word.metavar, about, **_bounds(field.kind))
        if word.is_argument
        else option(name, about, word.metavar or None, **_bounds(field.kind))
    )
    return Parameter(
        field.name,
        Parameter.KEYWORD_ONLY,
        default=default,
        annotation=getitem(Annotated, (kind, drawn)),
    )


def _bounds(kind: Any) -> dict[str, int]:
    if not isinstance(kind, Whole):
        return {}
    return {"min": kind.least} | ({"max": kind.most} if kind.most < LARGEST else {})


def command_of(module: ModuleType, request: str) -> Callable[..., None]:
    """Return the command of an operation, by the name of its request in a module."""
    kind = getattr(module, request)
    known = (one for one in vars(module).values() if isinstance(one, Operation))
    operation = next(one for one in known if one.request is kind)

    def command(here: Context, asked: OperationRequest[Any], json: bool = False) -> None:
        answer = here.send(asked)
        if operation.listing is not None:
            show(here, operation.listing, to_plain(answer), json=json)
        elif json or operation.sentence is None:
            here.print_json(to_plain(answer))
        else:
            here.print(operation.sentence(answer))

    command.__doc__, command.__module__ = kind.__doc__, module.__name__
    command.__annotations__ = {"here": Context, "asked": kind, "json": JsonOption}
    return command
