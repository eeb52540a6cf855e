# SPDX-License-Identifier: Apache-2.0
"""YAML files as people write them: read within bounds, checked, every error with its place.

What is read is a small YAML: one UTF-8 document of at most 1 MiB, collections
at most 20 deep, no anchors, aliases, tags or directives, no key twice. Values
are built straight from the parser's events, so that a bound is met before
anything of that size exists, and neither an alias bomb nor 3,000 brackets cost
more than their own octets.

Plain scalars follow the core schema of YAML 1.2 (§10.3.2), not PyYAML's 1.1:
``10:30``, ``no``, ``off`` and a MAC address stay text. Keys are always text, so
``1:`` and ``"1":`` are the same key.

Only the process that compiles, and commands for people, may import this
module: it brings PyYAML and pydantic, which the serving process must not carry.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from filterd.errors import ConfigError, ConfigErrors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pydantic_core import ErrorDetails

MAX_SIZE_OCTETS = 1 << 20
MAX_DEPTH = 20

Where = tuple[str | int, ...]
"""A way into a document: keys and 0-based positions, ``("networks", 0, "grade")``."""

# libyaml reads the same language some forty times faster; where it was not
# built, PyYAML's own parser yields the same events.
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"  # YAML 1.2 §5.1
)
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEAN = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 40


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content as plain data, and where each part of it stands.

    ``data`` is made of dict (text keys), list, str, int, float, bool and None.
    ``places`` maps each :data:`Where` to its 1-based line and column: of the
    key in a mapping, of the item in a sequence.
    """

    path: str
    data: Any
    places: dict[Where, tuple[int, int]]

    def place(self, where: Where) -> tuple[int, int]:
        """Return line and column of ``where``, or of the nearest part around it that exists."""
        known: Where = ()
        for part in where:
            if (*known, part) in self.places:
                known = (*known, part)
        return self.places.get(known, (1, 1))

    def error(self, reason: str, where: Where = (), *, hint: str = "") -> ConfigError:
        """Return (not raise) an error that points at ``where`` in this file."""
        line, column = self.place(where)
        return ConfigError(reason, path=self.path, line=line, column=column, hint=hint)


class DocumentModel(BaseModel):
    """The base of every model of a file: an unknown key is an error, and it never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


ModelT = TypeVar("ModelT", bound=BaseModel)


def load(path: Path) -> Document:
    """Read a YAML file within the bounds of this module.

    Raises:
        ConfigError: the file cannot be read, is no YAML, or oversteps a bound.
    """
    return parse(_read(path), str(path))


def parse(content: bytes, path: str) -> Document:
    """Turn the octets of a YAML file into a document; ``path`` is what errors call it.

    Raises:
        ConfigError: they are no YAML, or overstep a bound.
    """
    if len(content) > MAX_SIZE_OCTETS:
        raise ConfigError("the file is larger than 1 MiB", path=path, hint="split it up")
    text = _decode(content, path)
    return _Builder(path, text).document()


def validate(document: Document, model: type[ModelT]) -> ModelT:
    """Check a document against a pydantic model.

    Types are strict: ``port: "53"`` is no number and ``name: 5`` no text.
    Sequences become tuples or sets as the model wants.

    Raises:
        ConfigErrors: all that is wrong, each with its place, key and a hint.
    """
    try:
        # By way of JSON, because there pydantic's strict mode still turns
        # sequences into tuples and text into enumerations and dates.
        return model.model_validate_json(json.dumps(document.data), strict=True)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise ConfigErrors(_translate(document, model, one) for one in details) from None


def refusal(reason: str, hint: str = "") -> PydanticCustomError:
    """Return what a model's validator raises, so that the reader also gets a hint."""
    return PydanticCustomError("refusal", "{reason}", {"reason": reason, "hint": hint})


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint for a word that is none of the known ones; ``""`` where none are known."""
    words = list(known)
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known: {', '.join(words)}" if words else ""


# Octets to plain data.


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_SIZE_OCTETS + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=str(path)) from error


def _decode(content: bytes, path: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        _refuse_character("an octet that is not UTF-8", before, path)
    if odd := _UNPRINTABLE.search(text):
        _refuse_character(f"the character U+{ord(odd[0]):04X}", text[: odd.start()], path)
    return text


def _refuse_character(what: str, before: str, path: str) -> NoReturn:
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    raise ConfigError(
        f"{what} cannot stand in a YAML file",
        path=path,
        line=line,
        column=column,
        hint="save the file as UTF-8 text",
    )


class _Builder:
    """Builds plain data from the parser's events. Recursion ends at MAX_DEPTH."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._places: dict[Where, tuple[int, int]] = {}

    def document(self) -> Document:
        next(self._events)  # the start of the stream
        data: Any = None
        event = self._next()
        if isinstance(event, yaml.DocumentStartEvent):
            data = self._only_document(event)
        return Document(self._path, data, self._places)

    def _only_document(self, start: yaml.DocumentStartEvent) -> Any:
        if start.version or start.tags:
            self._refuse(start, "a YAML directive is not allowed", "remove the line with '%'")
        data = self._value(self._next(), (), 0)
        self._next()  # the end of the document
        after = self._next()
        if isinstance(after, yaml.DocumentStartEvent):
            self._refuse(after, "a second document begins", "keep one document a file")
        return data

    def _next(self) -> Any:
        try:
            return next(self._events)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
            reason = error.problem or error.context or "this is no YAML"
            raise self._error(line, column, reason, _syntax_hint(reason)) from None
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            # PyYAML lets some of its own slips escape, such as chr() on "\UFFFFFFFF".
            raise self._error(0, 0, "this is no YAML", " ".join(str(error).split())) from None

    def _value(self, event: Any, where: Where, depth: int) -> Any:
        self._places.setdefault(where, (event.start_mark.line + 1, event.start_mark.column + 1))
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._refuse(event, "anchors and aliases are off", "write the value out again")
        if event.tag is not None:
            self._refuse(event, f"the tag {event.tag} is not allowed", "remove it")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if depth == MAX_DEPTH:
            self._refuse(event, f"nested more than {MAX_DEPTH} deep", "flatten it")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(where, depth + 1)
        return self._mapping(where, depth + 1)

    def _sequence(self, where: Where, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._value(event, (*where, len(items)), depth))
        return items

    def _mapping(self, where: Where, depth: int) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event)
            if key in entries:
                first = self._places[(*where, key)][0]
                self._refuse(event, f"the key '{key}' stands twice", f"first in line {first}")
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
            self._places[(*where, key)] = (line, column)
            entries[key] = self._value(self._next(), (*where, key), depth)
        return entries

    def _key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent) or event.anchor or event.tag:
            self._refuse(event, "a key must be plain text", "")
        return self._printable(event)

    def _scalar(self, event: yaml.ScalarEvent) -> str | int | float | bool | None:
        text = self._printable(event)
        if not event.implicit[0]:  # quoted or a block: always text
            return text
        if text in _NULL:
            return None
        if text in _BOOLEAN:
            return _BOOLEAN[text]
        whole, real = _INTEGER.fullmatch(text), _FLOAT.fullmatch(text)
        if (whole or real) and len(text) > _LONGEST_NUMBER:
            self._refuse(event, "the number has too many digits", "text goes in quotes")
        if whole:
            return int(text, 0) if text.startswith(("0o", "0x")) else int(text)
        return float(text) if real else text

    def _printable(self, event: Any) -> str:
        value: str = event.value
        if odd := _UNPRINTABLE.search(value):  # by way of an escape such as "\e"
            self._refuse(event, f"the character U+{ord(odd[0]):04X} is not allowed", "remove it")
        return value

    def _refuse(self, event: Any, reason: str, hint: str) -> NoReturn:
        mark = event.start_mark
        raise self._error(mark.line + 1, mark.column + 1, reason, hint)

    def _error(self, line: int, column: int, reason: str, hint: str) -> ConfigError:
        return ConfigError(reason, path=self._path, line=line, column=column, hint=hint)


def _syntax_hint(problem: str) -> str:
    if "\\t" in problem or "tab" in problem:
        return "indent with spaces, never with tabs"
    if "mapping values are not allowed" in problem:
        return "text that holds ': ' goes in quotes; check the indentation"
    return "check indentation, quotes and brackets around this place"


# What pydantic says, in the words of the file.

_MUST_BE = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
}


def _translate(document: Document, model: type[BaseModel], detail: ErrorDetails) -> ConfigError:
    where, kind = detail["loc"], detail["type"]
    key = _key_of(where)
    context = detail.get("ctx", {})
    hint = str(context.get("hint", ""))
    if kind == "extra_forbidden":
        hint = did_you_mean(key, sorted(_keys_at(model, where[:-1])))
        return document.error(f"unknown key '{key}'", where, hint=hint)
    if kind == "missing":
        return document.error(f"the key '{key}' is missing", where, hint=f"add '{key}: ...'")
    if kind in _MUST_BE:
        reason = f"{_MUST_BE[kind]} expected, not {_name_of(detail['input'])}"
        hint = "put it in quotes" if kind == "string_type" else ""
    elif kind in ("literal_error", "enum"):
        word = str(detail["input"])
        reason, hint = f"'{word}' is not known", did_you_mean(word, _allowed(context["expected"]))
    else:
        reason = detail["msg"].removeprefix("Value error, ")
    return document.error(f"{key}: {reason}" if key else reason, where, hint=hint)


def _key_of(where: Where) -> str:
    """Return the last key of the way; positions, and pydantic's own notes, are no keys."""
    keys = [part for part in where if isinstance(part, str) and part != "[key]"]
    return keys[-1] if keys else ""


def _allowed(expected: str) -> list[str]:
    return re.findall(r"'([^']*)'", expected)


def _name_of(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        return "a mapping of keys" if isinstance(value, dict) else "a list"
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)


def _keys_at(model: type[BaseModel], where: Where) -> set[str]:
    """Return the keys that the models found by this way know."""
    models = {model}
    for part in where:
        annotations = [
            field.annotation
            for one in models
            for name, field in one.model_fields.items()
            if part == (field.alias or name)
        ]
        # A position, or a key that the operator chose, leads to no other model.
        models = {found for one in annotations for found in _models_in(one)} or models
    return {field.alias or name for one in models for name, field in one.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
