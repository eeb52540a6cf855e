# SPDX-License-Identifier: Apache-2.0
"""Schemas of dataclasses hold for what ``to_plain`` makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from filterd.base.state_file import to_plain
from filterd.operations.answers import TEXT, maybe, of, record
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


def test_a_type_of_which_nothing_is_made_is_refused() -> None:
    with pytest.raises(TypeError):
        of(complex)
