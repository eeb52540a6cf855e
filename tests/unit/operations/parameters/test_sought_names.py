# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError, FilterdError
from filterd.operations.parameters.scalar import Fields
from filterd.operations.parameters.sought_names import ALL_NAMES, SoughtNames, SoughtNamesField
from tests.support.policies import wire

FIELD = SoughtNamesField()
NAME = wire("a.example")


def sent(given: dict[str, Any]) -> SoughtNames:
    return FIELD.take(Fields(FIELD.sent).read(given))


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, ALL_NAMES),
        ({"name": "a.example"}, SoughtNames(NAME)),
        ({"name": "*.a.example"}, SoughtNames(NAME, True)),
        ({"name": "a.example", "subtree": True}, SoughtNames(NAME, True)),
        ({"name": "tok", "contains": True}, SoughtNames(part="tok")),
        ({"contains": True, "subtree": True}, ALL_NAMES),
    ],
)
def test_a_written_name_is_the_same_on_the_socket(
    given: dict[str, Any], names: SoughtNames
) -> None:
    found = FIELD.take(Fields(FIELD.named).read(given))
    assert found == names
    assert sent(FIELD.arguments(found)) == names


def test_a_part_is_sought_in_lower_case() -> None:
    assert sent({"part": "TikTok"}) == SoughtNames(part="tiktok")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"name": "tok", "contains": True, "subtree": True}, "exclude each other"),
        ({"name": "tiếng", "contains": True}, "letters a to z only"),
        ({"name": "a..example"}, "a..example"),
    ],
)
def test_what_is_no_name_and_no_part_is_refused(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(FilterdError, match=problem):
        FIELD.take(given)


@pytest.mark.parametrize(
    "given",
    [
        {"name": "zz"},
        {"name": "ff"},
        {"name": NAME.hex() + "00"},
        {"name": 5},
        {"name": "00" * 300},
        {"match": "like"},
        {"part": "a b"},
        {"part": "\x1b[2J"},
        {"part": "café"},
        {"part": "a" * 254},
        {"part": 7},
    ],
)
def test_what_the_socket_has_in_another_form_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        sent(given)
