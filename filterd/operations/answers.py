# SPDX-License-Identifier: Apache-2.0
"""Describe answers: JSON Schemas of plain data and of dataclasses."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import EnumType
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from filterd.base.state_file import ADDED
from filterd.policy import model, temporary_rules

if TYPE_CHECKING:
    from collections.abc import Collection

    from filterd.operations.parameters.scalar import Schema

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
_WORDS = {**vars(model), **vars(temporary_rules)}
"""The names that modules import for their annotations only."""


def maybe(schema: Schema) -> Schema:
    """Return the schema of a value that may be null."""
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema:
        return {**schema, "type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def rows(each: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": each}


def table(each: Schema) -> Schema:
    """Return the schema of an object whose keys are ids."""
    return {"type": "object", "additionalProperties": each}


def each(schema: Schema, *names: str) -> dict[str, Schema]:
    """Return fields of one kind, for ``record``."""
    return dict.fromkeys(names, schema)


def record(given: dict[str, Schema], optional: Collection[str] = ()) -> Schema:
    """Return the schema of an object; a later release may add fields to it."""
    return {
        "type": "object",
        "properties": given,
        "required": [name for name in given if name not in optional],
    }


def of(kind: Any) -> Schema:
    """Return the schema of what ``to_plain`` makes of a type.

    Raises:
        TypeError: it makes nothing of it.
    """
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind, localns=_WORDS)
        added = [one.name for one in fields(kind) if ADDED in one.metadata]
        return record({one.name: of(hints[one.name]) for one in fields(kind)}, added)
    if isinstance(kind, EnumType):
        return {"type": "string", "enum": [str(one.value) for one in list[Any](kind)]}
    return _of_several(get_origin(kind), get_args(kind))


def _of_several(origin: Any, inner: tuple[Any, ...]) -> Schema:
    if origin in (Union, UnionType):
        (present,) = [one for one in inner if one is not NoneType]
        return maybe(of(present))
    if origin is dict:
        return table(of(inner[1]))
    if origin in (tuple, list, frozenset):
        return rows(of(inner[0]))
    raise TypeError(origin)


def with_state(schema: Schema) -> Schema:
    """Return the schema of a thing that has a state, too."""
    return record(
        {**schema["properties"], "state": TEXT},
        [one for one in schema["properties"] if one not in schema["required"]],
    )
