# SPDX-License-Identifier: Apache-2.0
"""Make the options of a command of the fields of a request.

A parameter whose type is a request stands for the fields that have a ``CommandWord``, with the
type, bounds and default of the request::

    def revoke(here: Context, asked: Revoke, json: JsonOption = False) -> None:
        answer = here.send(asked)
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from inspect import Parameter
from operator import getitem
from types import GenericAlias
from typing import Annotated, Any, get_args, get_origin

from filterd.cli.context import argument, option
from filterd.operations.parameters.scalar import LARGEST, Whole
from filterd.operations.request import OperationRequest, RequestField, written


@dataclass(frozen=True, slots=True)
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


def _parameter(one: RequestField) -> Parameter:
    word, kind = one.word, one.type
    assert word is not None
    if get_origin(kind) is tuple:
        kind = GenericAlias(list, get_args(kind)[0])
    default = Parameter.empty if one.default is MISSING else one.default
    if default in ("", ()):  # Typer shows a default; an empty one is none
        kind, default = kind | None, None
    about = word.help or f"{getattr(one.kind, 'about', '')}."
    name = word.name or f"--{one.key.replace('_', '-')}"
    drawn = (
        argument(word.metavar, about, **_bounds(one.kind))
        if word.is_argument
        else option(name, about, word.metavar or None, **_bounds(one.kind))
    )
    return Parameter(
        one.name,
        Parameter.KEYWORD_ONLY,
        default=default,
        annotation=getitem(Annotated, (kind, drawn)),
    )


def _bounds(kind: Any) -> dict[str, int]:
    if not isinstance(kind, Whole):
        return {}
    return {"min": kind.least} | ({"max": kind.most} if kind.most < LARGEST else {})
