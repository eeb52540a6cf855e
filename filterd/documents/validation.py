# SPDX-License-Identifier: Apache-2.0
"""Validation of plain data by pydantic, with errors in the words of the file.

Each finding keeps its place in the file and gets a hint: the key that was
probably meant, the words that are allowed, what to write instead.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from filterd.base.errors import ConfigError, ConfigErrors
from filterd.texts.i18n import UNSAID, Sentence, did_you_mean, quoted, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

    from filterd.documents.yaml_reader import Document, Where

_MUST_BE = {
    "string_type": say("text"),
    "int_type": say("a whole number"),
    "int_from_float": say("a whole number"),
    "float_type": say("a number"),
    "bool_type": say("true or false"),
    "list_type": say("a list"),
    "tuple_type": say("a list"),
    "set_type": say("a list"),
    "frozen_set_type": say("a list"),
    "dict_type": say("a mapping of keys"),
    "model_type": say("a mapping of keys"),
    "model_attributes_type": say("a mapping of keys"),
}

_LIMITS = {
    "too_short": ("min_length", say("it needs at least {limit}")),
    "too_long": ("max_length", say("it may have at most {limit}")),
    "string_too_short": ("min_length", say("it needs at least {limit} characters")),
    "string_too_long": ("max_length", say("it may have at most {limit} characters")),
    "greater_than_equal": ("ge", say("it must be {limit} or more")),
    "less_than_equal": ("le", say("it must be {limit} or less")),
}
"""By pydantic's name of a limit, a sentence with a place for its value."""


class DocumentModel(BaseModel):
    """The base of every model of a file: no unknown keys, frozen instances.

    Its validator is built when it is first used, because most models are only parts of
    another one, whose validator contains theirs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class OrElse(NamedTuple):
    """The note at an annotation that a file may also have something short.

    It may have this in the place of the model. The JSON Schema is made when it is asked for:
    editors need it, and no start does.
    """

    model: type[BaseModel]
    short: dict[str, str]

    def __get_pydantic_json_schema__(self, *_: object) -> dict[str, Any]:
        """Return the schema of both; pydantic calls it."""
        return {"anyOf": [self.short, self.model.model_json_schema()]}


ModelT = TypeVar("ModelT", bound=BaseModel)


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
        details = [one for one in error.errors(include_url=False) if not _is_echo(one)]
        raise ConfigErrors(_translate(document, model, detail) for detail in details) from None


def refusal(reason: Sentence, hint: Sentence = UNSAID) -> PydanticCustomError:
    """Return the exception for a model's validator to raise, which carries a hint too."""
    return PydanticCustomError("refusal", "{reason}", {"reason": reason, "hint": hint})


def _is_echo(detail: ErrorDetails) -> bool:
    """Return whether a list is only too short because items in it are wrong."""
    if detail["type"] != "too_short":
        return False
    return len(detail["input"]) >= int(detail["ctx"]["min_length"])


def _translate(document: Document, model: type[BaseModel], detail: ErrorDetails) -> ConfigError:
    where = detail["loc"]
    key = _key_of(where)
    if detail["type"] == "extra_forbidden":
        hint = did_you_mean(key, sorted(_keys_at(model, where[:-1])))
        return document.error(say("unknown key '{key}'", key=key), where, hint=hint)
    if detail["type"] == "missing":
        return document.error(
            say("the key '{key}' is missing", key=key), where, hint=say("add '{key}: ...'", key=key)
        )
    reason, hint = _about_value(detail["type"], detail["input"], detail.get("ctx", {}))
    reason = reason or quoted(detail["msg"])
    sentence = say("{key}: {reason}", key=key, reason=reason) if key else reason
    return document.error(sentence, where, hint=hint)


def _about_value(kind: str, value: Any, context: dict[str, Any]) -> tuple[Sentence, Sentence]:
    """Return what is wrong with a value, and a hint; empty if pydantic's text does."""
    if kind in _MUST_BE:
        hint = say("put it in quotes") if kind == "string_type" else UNSAID
        expected, found = _MUST_BE[kind], _name_of(value)
        return say("{expected} expected, not {found}", expected=expected, found=found), hint
    if kind in ("literal_error", "enum"):
        unknown = say("'{value}' is not known", value=value)
        return unknown, did_you_mean(str(value), _allowed(context["expected"]))
    if kind in _LIMITS:
        called, sentence = _LIMITS[kind]
        return Sentence(sentence.template, {"limit": context[called]}), UNSAID
    if kind == "string_pattern_mismatch":
        form = say("it must match {pattern}", pattern=context["pattern"])
        return say("'{value}' does not have the right form", value=value), form
    return context.get("reason", UNSAID), context.get("hint", UNSAID)


def _key_of(where: Where) -> str:
    """Return the last key of a path; positions and pydantic's own notes are no keys."""
    keys = [part for part in where if isinstance(part, str) and part != "[key]"]
    return keys[-1] if keys else ""


def _allowed(expected: str) -> list[str]:
    return re.findall(r"'([^']*)'", expected)


def _name_of(value: Any) -> str:
    if value is None:
        return say("nothing")
    if isinstance(value, (dict, list)):
        return say("a mapping of keys") if isinstance(value, dict) else say("a list")
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)


def _keys_at(model: type[BaseModel], where: Where) -> set[str]:
    """Return the keys that the models at the end of this path know."""
    models = {model}
    for part in where:
        annotations = [
            field.annotation
            for one in models
            for name, field in one.model_fields.items()
            if part == (field.alias or name)
        ]
        # A position, or a key that the operator chose, leads to no other model.
        models = {found for annotation in annotations for found in _models_in(annotation)} or models
    return {field.alias or name for one in models for name, field in one.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
