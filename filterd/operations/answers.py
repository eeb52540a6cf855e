# SPDX-License-Identifier: Apache-2.0
"""Describe answers: JSON Schemas of plain data and of dataclasses.

In a description a type stands for the schema of what ``to_plain`` makes of it, and a function for
the schema that it returns. Only the description of the API has these worked out: it takes time.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import EnumType
from functools import cache
from types import FunctionType, NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from filterd.base.state_file import ADDED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import TypeAlias

    from filterd.operations.parameters.scalar import Schema

    Described: TypeAlias = Schema | type | Callable[[], Schema]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": TEXT}
ANY: Schema = {}
OBJECT: Schema = {"type": "object"}
AT: Schema = {"type": "number", "description": "Unix time in seconds"}
SENTENCE: Schema = {
    "type": ["array", "string"],
    "description": "A sentence of the catalogue: its English template and values",
}
VERSION: Schema = {"type": ["integer", "string"], "description": "The id of a version of lists"}

_PLAIN = {str: TEXT, int: WHOLE, float: NUMBER, bool: FLAG, bytes: TEXT, Any: ANY}


def maybe(described: Described) -> Described:
    """Return the schema of a value that may be null."""
    if isinstance(described, dict):
        return _or_null(described)
    return lambda: _or_null(worked_out(described))


def rows(each: Described) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": each}


def table(each: Described) -> Schema:
    """Return the schema of an object whose keys are ids."""
    return {"type": "object", "additionalProperties": each}


def each(schema: Described, *names: str) -> dict[str, Described]:
    """Return fields of one kind, for ``record``."""
    return dict.fromkeys(names, schema)


def record(given: Mapping[str, object], optional: Collection[str] = ()) -> Schema:
    """Return the schema of an object; a later release may add fields to it."""
    return {
        "type": "object",
        "properties": given,
        "required": [name for name in given if name not in optional],
    }


def extended(
    kind: type, more: Mapping[str, object], optional: Collection[str] = ()
) -> Callable[[], Schema]:
    """Return the schema of a dataclass with all its fields, and others.

    Args:
        kind: the dataclass.
        more: further fields, or other schemas of some of its own.
        optional: which may be absent.
    """
    return lambda: record({**of(kind)["properties"], **more}, optional)


def with_state(kind: type) -> Callable[[], Schema]:
    """Return the schema of a dataclass that has a state, too."""

    def described() -> Schema:
        schema = of(kind)
        optional = [one for one in schema["properties"] if one not in schema["required"]]
        return record({**schema["properties"], "state": TEXT}, optional)

    return described


def worked_out(described: Any) -> Any:
    """Return a schema in which nothing stands for another."""
    if isinstance(described, dict):
        return {key: worked_out(one) for key, one in described.items()}
    if isinstance(described, list):
        return [worked_out(one) for one in described]
    if isinstance(described, FunctionType):
        return worked_out(described())
    return of(described) if isinstance(described, type) else described


def of(kind: Any) -> Schema:
    """Return the schema of what ``to_plain`` makes of a type.

    Raises:
        TypeError: it makes nothing of it.
    """
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind, localns=_words())
        added = [field.name for field in fields(kind) if ADDED in field.metadata]
        return record({field.name: of(hints[field.name]) for field in fields(kind)}, added)
    if isinstance(kind, EnumType):
        return {"type": "string", "enum": [str(one.value) for one in list[Any](kind)]}
    return _of_several(get_origin(kind), get_args(kind))


@cache
def _words() -> dict[str, Any]:
    """Return the names that modules import for their annotations only."""
    from filterd.policy import model, temporary_rules  # noqa: PLC0415 -- no command needs them

    return {**vars(model), **vars(temporary_rules)}


def _of_several(origin: Any, inner: tuple[Any, ...]) -> Schema:
    if origin in (Union, UnionType):
        (present,) = [one for one in inner if one is not NoneType]
        return _or_null(of(present))
    if origin is dict:
        return table(of(inner[1]))
    if origin in (tuple, list, frozenset):
        return rows(of(inner[0]))
    raise TypeError(origin)


def _or_null(schema: Schema) -> Schema:
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema:
        return {**schema, "type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}
