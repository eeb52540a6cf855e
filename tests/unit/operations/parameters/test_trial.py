# SPDX-License-Identifier: Apache-2.0
"""One thing is tried at a time, and files of the box only by the name of a copy."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.parameters.scalar import Fields
from filterd.operations.parameters.trial import Tried, TriedField

FIELD = TriedField()
SENT = Fields(FIELD.sent)


@pytest.mark.parametrize(
    "tried",
    [
        Tried(site="given-a"),
        Tried(list="given-a", category="games", format="hosts"),
        Tried(source="ut1-games"),
        Tried(address="https://a.example/x", category="games", format="domains", subtrees=True),
        Tried(source="urlhaus", address="https://a.example/x"),
        Tried(feed="12"),
        Tried(draft=True),
    ],
)
def test_what_is_sent_is_read_again(tried: Tried) -> None:
    assert FIELD.take(SENT.read(FIELD.arguments(tried))) == tried


@pytest.mark.parametrize(
    "given", [{}, {"draft": False}, {"category": "games"}, {"source": "a", "feed": "1"}]
)
def test_it_is_exactly_one_thing(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="one of these"):
        FIELD.take(given)


@pytest.mark.parametrize(
    "given",
    [{"site": "../../etc"}, {"site": "given-a/b"}, {"list": "/etc/shadow"}, {"source": 7}],
)
def test_a_path_is_no_name_of_a_copy(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        SENT.read(given)


def test_programs_cannot_try_files_of_the_box() -> None:
    assert set(FIELD.named) == {"source", "feed", "draft"}
