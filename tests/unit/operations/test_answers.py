# SPDX-License-Identifier: Apache-2.0
"""Schemas of dataclasses hold for what ``to_plain`` makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from filterd.base.state_file import to_plain
from filterd.operations.answers import (
    FLAG,
    TEXT,
    each,
    extended,
    maybe,
    of,
    record,
    rows,
    table,
    with_state,
    worked_out,
)
from filterd.policy.model import Audience, Category, Period
from filterd.policy.temporary_rules import Exam, LocalException, TargetKind

AN_EXCEPTION = LocalException(
    1, TargetKind.NAME, "a.vn", True, Audience.CLASS, "6A", "bài học", "lan", 1.0
)


@pytest.mark.parametrize(
    "thing",
    [
        AN_EXCEPTION,
        Exam(2, "lab-a", ("a.vn",), (), "thi", "lan", 1.0, 2.0, 1.0),
        Category("games", "trò chơi", "games", 12, legal_basis=("điều 1",)),
        Period(0, "tiet-1", "6A"),
    ],
)
def test_what_a_dataclass_becomes_has_its_schema(thing: Any) -> None:
    Draft202012Validator(of(type(thing))).validate(to_plain(thing))


@pytest.mark.parametrize(
    "wrong", [{"id": "1"}, {"kind": "planet"}, {"ends_at": "soon"}, {"allow": None}]
)
def test_what_differs_has_not(wrong: dict[str, Any]) -> None:
    schema = of(LocalException)
    assert not Draft202012Validator(schema).is_valid(to_plain(AN_EXCEPTION) | wrong)


def test_a_field_that_is_required_must_be_there_and_null_only_where_it_may_be() -> None:
    schema = record({"a": TEXT, "b": maybe(TEXT), "c": TEXT}, ("c",))
    assert Draft202012Validator(schema).is_valid({"a": "x", "b": None})
    assert not Draft202012Validator(schema).is_valid({"a": None, "b": None})
    assert not Draft202012Validator(schema).is_valid({"a": "x"})
    assert Draft202012Validator(maybe({"enum": ["a"], "type": "string"})).is_valid(None)


def test_a_type_stands_for_its_schema_and_a_function_for_what_it_returns() -> None:
    described = record({"a": rows(Period), "b": table(lambda: TEXT), **each(Audience, "c", "d")})
    assert worked_out(described)["properties"] == {
        "a": rows(of(Period)),
        "b": table(TEXT),
        **each(of(Audience), "c", "d"),
    }
    assert worked_out(Period) == of(Period)
    assert worked_out(TEXT) == TEXT


def test_what_stands_for_a_schema_may_be_null_too() -> None:
    schema = worked_out(record({"kind": maybe(Audience), "row": maybe(lambda: record({}))}))
    assert schema["properties"] == {
        "kind": {"anyOf": [of(Audience), {"type": "null"}]},
        "row": {"type": ["object", "null"], "properties": {}, "required": []},
    }


def test_a_dataclass_with_other_fields_has_all_of_them() -> None:
    schema = worked_out(extended(Period, {"lesson": FLAG, "more": TEXT}, ["more"]))
    assert schema["properties"] == {**of(Period)["properties"], "lesson": FLAG, "more": TEXT}
    assert schema["required"] == list(of(Period)["properties"])


def test_a_thing_with_a_state_needs_what_it_needs_and_its_state() -> None:
    schema = worked_out(with_state(LocalException))
    assert schema["required"] == [*of(LocalException)["required"], "state"]


def test_a_type_of_which_nothing_is_made_is_refused() -> None:
    with pytest.raises(TypeError):
        of(complex)
