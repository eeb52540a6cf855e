# SPDX-License-Identifier: Apache-2.0
"""Describe and check plain values of operations: texts, numbers, flags, lists.

``schema`` is what the description of the API has (JSON Schema 2020-12); ``read`` takes what a
program sent as JSON, or the text of a form or a query, within bounds.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from filterd.base.errors import ConfigError
from filterd.base.value_class import frozen
from filterd.policy.field_checks import shown
from filterd.texts.i18n import say

Schema = dict[str, Any]
LARGEST = (1 << 53) - 1
"""The largest whole number that every program reads exactly (RFC 8259 §6)."""


class Parameter(Protocol):
    """A kind of value."""

    @property
    def schema(self) -> Schema:
        """Its JSON Schema."""

    def read(self, value: Any) -> Any:
        """Return a checked value.

        Raises:
            ConfigError: it is none of this kind.
        """


@frozen
class Text:
    """A text of one line, or of several; ``pattern`` is a whole match."""

    longest: int = 253
    pattern: str = ""
    least: int = 0
    about: str = ""
    lines: bool = False

    @property
    def schema(self) -> Schema:
        """Its JSON Schema."""
        found: Schema = {"type": "string", "maxLength": self.longest}
        if self.least:
            found["minLength"] = self.least
        if self.pattern:
            found["pattern"] = f"^(?:{self.pattern})$"
        return described(found, self.about)

    def read(self, value: Any) -> str:
        """Return a checked text; see ``Parameter``."""
        if not isinstance(value, str) or not self.least <= len(value) <= self.longest:
            raise ConfigError(
                say("a text of {least} to {most} characters", least=self.least, most=self.longest)
            )
        if any(ord(one) < 32 and not (self.lines and one in "\r\n\t") for one in value):
            raise ConfigError(say("a text without control characters"))
        if self.pattern and re.fullmatch(self.pattern, value) is None:
            raise ConfigError(
                say("{text} does not have the form {form}", text=shown(value), form=self.pattern)
            )
        return value


@frozen
class Whole:
    """A whole number."""

    least: int = 0
    most: int = LARGEST
    about: str = ""

    @property
    def schema(self) -> Schema:
        """Its JSON Schema."""
        found = {"type": "integer", "minimum": self.least, "maximum": self.most}
        return described(found, self.about)

    def read(self, value: Any) -> int:
        """Return a checked number; see ``Parameter``."""
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,16}", value, re.ASCII):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int or not self.least <= value <= self.most:
            raise ConfigError(
                say("a whole number from {least} to {most}", least=self.least, most=self.most)
            )
        return int(value)


@frozen
class Flag:
    """True or false; a form has ``on``."""

    about: str = ""

    @property
    def schema(self) -> Schema:
        """Its JSON Schema."""
        return described({"type": "boolean"}, self.about)

    def read(self, value: Any) -> bool:
        """Return a checked flag; see ``Parameter``."""
        found = (
            {"true": True, "on": True, "false": False}.get(value, value)
            if isinstance(value, str)
            else value
        )
        if not isinstance(found, bool):
            raise ConfigError(say("true or false"))
        return found


@frozen
class Choice:
    """One of some words."""

    words: tuple[str, ...]
    about: str = ""

    @property
    def schema(self) -> Schema:
        """Its JSON Schema."""
        return described({"type": "string", "enum": list(self.words)}, self.about)

    def read(self, value: Any) -> str:
        """Return a checked word; see ``Parameter``."""
        if not isinstance(value, str) or value not in self.words:
            raise ConfigError(say("one of {known}", known=", ".join(self.words)))
        return value


@frozen
class Several:
    """A list; a form has it as the lines of a text."""

    each: Parameter
    most: int
    least: int = 0
    about: str = ""

    @property
    def schema(self) -> Schema:
        """Its JSON Schema."""
        found: Schema = {"type": "array", "items": self.each.schema, "maxItems": self.most}
        if self.least:
            found["minItems"] = self.least
        return described(found, self.about)

    def read(self, value: Any) -> list[Any]:
        """Return a checked list; see ``Parameter``."""
        if isinstance(value, str):
            value = [one.strip() for one in re.split(r"[\r\n,]+", value) if one.strip()]
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            raise ConfigError(say("{least} to {most} values", least=self.least, most=self.most))
        return [self.each.read(one) for one in value]


@frozen
class Fields:
    """The named parameters of an operation; ``required`` must be there."""

    named: Mapping[str, Parameter]
    required: tuple[str, ...] = ()

    @property
    def schema(self) -> Schema:
        """The JSON Schema of a body."""
        found: Schema = {
            "type": "object",
            "properties": {name: one.schema for name, one in self.named.items()},
            "additionalProperties": False,
        }
        return found | ({"required": list(self.required)} if self.required else {})

    def only(self, names: Collection[str]) -> Fields:
        """Return those of the fields that have these names."""
        return Fields(
            {name: one for name, one in self.named.items() if name in names},
            tuple(name for name in self.required if name in names),
        )

    def read(self, given: Any) -> dict[str, Any]:
        """Return checked values; an empty text stands for a field that is not there.

        Raises:
            ConfigError: a field is wrong, unknown or missing.
        """
        if not isinstance(given, Mapping):
            raise ConfigError(say("an object with fields"))
        if unknown := [name for name in given if name not in self.named]:
            raise ConfigError(say("there is no field {name}", name=shown(unknown[0])))
        found = {}
        for name, kind in self.named.items():
            if name not in given or given[name] in ("", None):
                if name in self.required:
                    raise ConfigError(say("the field {name} is missing", name=name))
                continue
            try:
                found[name] = kind.read(given[name])
            except ConfigError as error:
                raise ConfigError(
                    say("{name}: {reason}", name=name, reason=error.reason), hint=error.hint
                ) from None
        return found


NOTHING = Fields({})


def described(schema: Schema, about: str) -> Schema:
    """Return a schema with what a value is, where that is said."""
    return {**schema, "description": about} if about else schema
