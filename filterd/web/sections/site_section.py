# SPDX-License-Identifier: Apache-2.0
"""Describe a part of ``site.yaml`` that pages edit. Pure.

A section takes the data of the file and a form, and returns edits (``appliance.setup.site_edit``).
A form has the whole of its entry: what is left out is taken out of the file. Whether the
values agree with each other and with the rest is checked when the file is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from filterd.base.errors import ConfigError
from filterd.base.value_class import frozen
from filterd.operations.parameters.scalar import Fields, Flag, Parameter, Schema, Text, Whole
from filterd.policy.field_checks import shown
from filterd.policy.model import GRADES
from filterd.texts.i18n import UNSAID, Sentence, say

Plain = dict[str, Any]
Edits = list[dict[str, Any]]
Values = Mapping[str, Any]
Choices = Callable[[Plain], list[tuple[str, str]]]

ITEM, REMOVE = "item", "remove"
IDENTIFIER = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"


@frozen
class Lines:
    """Lines of text; a program sends a list, a form one text."""

    most: int = 200
    longest: int = 300

    @property
    def schema(self) -> Schema:
        """Its JSON Schema."""
        each = {"type": "string", "maxLength": self.longest}
        return {"type": "array", "items": each, "maxItems": self.most}

    def read(self, value: Any) -> list[str]:
        """Return checked lines; see ``Parameter``."""
        lines = value.splitlines() if isinstance(value, str) else value
        if not isinstance(lines, list) or len(lines) > self.most:
            raise ConfigError(say("{least} to {most} values", least=0, most=self.most))
        one = Text(self.longest)
        return [text for line in lines if (text := one.read(line).strip())]


@frozen
class SiteField:
    """A field of a form.

    Attributes:
        name: of the parameter.
        label, help: shown with it.
        reads: checks what is sent.
        choices: values to choose from and their texts, from the data of the site.
    """

    name: str
    label: Sentence
    reads: Parameter
    help: Sentence = UNSAID
    choices: Choices | None = None

    @property
    def kind(self) -> Literal["text", "lines", "number", "choice", "flag", "week"]:
        """How it is drawn; lines to choose from are the lessons of a week."""
        match self.reads:
            case Lines():
                return "week" if self.choices else "lines"
            case Whole():
                return "number"
            case Flag():
                return "flag"
        return "choice" if self.choices else "text"


@frozen(kw_only=True)
class SiteSection:
    """A part of the site.

    Attributes:
        id: in addresses.
        operation: the name of the operation that edits it.
        title, about: shown above it.
        fields: of its form.
        values: returns what the form shows, of an item if the section has several.
        edits: returns the edits for a form.
        items: returns the items that are there; None where the section is one form.
        item: the label and pattern of a new item's id; None where there are no new ones.
    """

    id: str
    operation: str
    title: Sentence
    about: Sentence
    fields: tuple[SiteField, ...]
    values: Callable[[Plain, str], Values]
    edits: Callable[[Plain, Values], Edits]
    items: Callable[[Plain], list[str]] | None = None
    item: tuple[Sentence, str] | None = None

    @property
    def parameters(self) -> Fields:
        """The parameters of its operation."""
        named: dict[str, Parameter] = {}
        if self.items is not None:
            named[ITEM] = Text(300, self.item[1] if self.item else "", least=1)
        named |= {field.name: field.reads for field in self.fields}
        if self.item is not None:
            named[REMOVE] = Flag()
        return Fields(named, (ITEM,) if self.items is not None else ())


def edit(value: Any, *path: str) -> dict[str, Any]:
    """Return an edit that sets the value at a path; None takes it out."""
    return {"path": list(path), "value": value}


def mapping(data: Plain, *path: str) -> Plain:
    """Return the mapping of the file at a path, empty for none."""
    found: Any = data
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def items_of(data: Plain, key: str) -> list[Any]:
    """Return the items of a list of the file, none where it is no list."""
    found = data.get(key)
    return found if isinstance(found, list) else []


def texts_of(value: Any) -> list[str]:
    """Return a list of the file as lines."""
    return [str(one) for one in value] if isinstance(value, list) else []


def seat_value(seat: str) -> int | str:
    """Return a class or grade as people write it: a number without quotes."""
    return int(seat) if seat.isdigit() else seat


def seats(data: Plain) -> list[tuple[str, str]]:
    """Return the classes and grades to choose from, and none."""
    return [("", "—"), *((one, one) for one in (*mapping(data, "classes"), *GRADES))]


def some_items(held: Plain, key: str, wanted: list[str]) -> Any:
    """Return a list of the file; one that is empty stays if it stood there."""
    return wanted if wanted or held.get(key) == [] else None


def pairs(lines: list[str]) -> dict[str, str]:
    """Return lines of a word and the rest as a mapping.

    Raises:
        ConfigError: a line has one word only, or one has the word of another.
    """
    found: dict[str, str] = {}
    for line in lines:
        key, _, rest = line.partition(" ")
        if not rest.strip() or key in found:
            raise no_such_line(line)
        found[key] = rest.strip()
    return found


def no_such_line(line: str) -> ConfigError:
    """Return the error for a line that does not have the form of the others."""
    return ConfigError(say("{line} does not have the form of these lines", line=shown(line)))
