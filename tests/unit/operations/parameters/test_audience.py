# SPDX-License-Identifier: Apache-2.0
"""An audience is one grade, class, tier, network or client, or everybody."""

from __future__ import annotations

from itertools import combinations

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.parameters.audience import FOR_WHOM, ChangeAudience

WORDS = {
    "grade": "8",
    "class": "6A",
    "tier": "primary",
    "room": "lab-a",
    "client": "10.0.6.21",
    "network": "library",
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("everybody", {"audience": "everybody", "whom": ""}),
        ("class:6A", {"audience": "class", "whom": "6A"}),
        ("client:10.0.6.21", {"audience": "client", "whom": "10.0.6.21"}),
    ],
)
def test_an_audience_is_read(text: str, found: dict[str, str]) -> None:
    assert ChangeAudience.take({"for_whom": text}).payload == found
    assert ChangeAudience.take({}).payload == {"audience": "everybody", "whom": ""}


@pytest.mark.parametrize("name", WORDS)
def test_words_and_fields_say_the_same(name: str) -> None:
    field = {"room": "network"}.get(name, name)
    given = {"for_whom": FOR_WHOM.read(f"{field}:{WORDS[name]}")}
    assert ChangeAudience.read_words(**{name: WORDS[name]}) == ChangeAudience.take(given)
    assert given == {}


def test_a_class_may_stand_where_a_grade_does() -> None:
    assert ChangeAudience.read_words(grade="6A") == ChangeAudience.read_words(**{"class": "6A"})


@pytest.mark.parametrize(("first", "second"), [*combinations(WORDS, 2)])
def test_there_is_one_audience(first: str, second: str) -> None:
    with pytest.raises(ConfigError, match=f"--{first} and --{second} exclude each other"):
        ChangeAudience.read_words(**{first: WORDS[first], second: WORDS[second]})
