# SPDX-License-Identifier: Apache-2.0
"""Errors of pydantic have place, key and hint, all at once."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import Field, field_validator

from filterd.base.errors import ConfigErrors
from filterd.documents import DocumentModel, did_you_mean, parse, refusal, validate
from filterd.texts.i18n import say


class Network(DocumentModel):
    id: str
    cidrs: tuple[str, ...] = ()
    starts_at: int = Field(alias="from", default=0)


class Site(DocumentModel):
    school: str
    language: Literal["vi", "en"] = "vi"
    ports: frozenset[int] = frozenset()
    enabled: bool = True
    networks: tuple[Network, ...] = ()
    rooms: dict[str, Network] = Field(default_factory=dict)

    @field_validator("school")
    @classmethod
    def _is_named(cls, value: str) -> str:
        if value == "?":
            raise refusal(say("a school has a name"), say("write it as on its sign {}"))
        return value


def _problems(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        validate(parse(text.encode(), "s.yaml"), Site)
    return [str(error) for error in caught.value.errors]


def test_a_good_document_becomes_its_model() -> None:
    text = "school: A\nports: [53, 53]\nnetworks: [{id: a, cidrs: [b], from: 3}]\n"
    site = validate(parse(text.encode(), "s.yaml"), Site)
    assert site.ports == {53}
    assert site.networks[0].cidrs == ("b",)
    assert site.networks[0].starts_at == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("school: A\nschol: B\n", "s.yaml:2:1: unknown key 'schol' (did you mean 'school'?)"),
        (
            "school: A\nnetworks:\n  - id: a\n    cidr: [x]\n",
            "s.yaml:4:5: unknown key 'cidr' (did you mean 'cidrs'?)",
        ),
        (
            "school: A\nrooms:\n  id: {id: a, fron: 1}\n",
            "s.yaml:3:15: unknown key 'fron' (did you mean 'from'?)",
        ),
        (
            "school: A\nnetworks: [{id: a, xyz: 1}]\n",
            "s.yaml:2:20: unknown key 'xyz' (known: cidrs, from, id)",
        ),
        ("language: vi\n", "s.yaml:1:1: the key 'school' is missing (add 'school: ...')"),
        (
            "school: A\nnetworks:\n  - cidrs: []\n",
            "s.yaml:3:5: the key 'id' is missing (add 'id: ...')",
        ),
        ("school: 5\n", "s.yaml:1:1: school: text expected, not 5 (put it in quotes)"),
        ("school: A\nports: [53, '80']\n", "s.yaml:2:13: ports: a whole number expected, not '80'"),
        ("school: A\nports:\n", "s.yaml:2:1: ports: a list expected, not nothing"),
        ("school: A\nenabled: 'no'\n", "s.yaml:2:1: enabled: true or false expected, not 'no'"),
        ("school: A\nenabled: off\n", "s.yaml:2:1: enabled: true or false expected, not 'off'"),
        ("school: A\nlanguage: vn\n", "s.yaml:2:1: language: 'vn' is not known (known: vi, en)"),
        (
            "school: A\nnetworks: {id: a}\n",
            "s.yaml:2:1: networks: a list expected, not a mapping of keys",
        ),
        ("school: '?'\n", "s.yaml:1:1: school: a school has a name (write it as on its sign {})"),
        ("", "s.yaml:1:1: a mapping of keys expected, not nothing"),
        ("- a\n", "s.yaml:1:1: a mapping of keys expected, not a list"),
    ],
)
def test_each_mistake_has_its_place_key_and_hint(text: str, problem: str) -> None:
    assert _problems(text) == [problem]


def test_all_mistakes_are_reported_at_once() -> None:
    text = "school: 5\nlanguage: vn\nextra: 1\n"
    assert [line.split(":")[1] for line in _problems(text)] == ["1", "2", "3"]


def test_a_long_value_of_many_lines_stays_one_short_line() -> None:
    (problem,) = _problems("school: A\nports: |\n" + "  x\n" * 200)
    assert "\n" not in problem
    assert len(problem) < 500


def test_a_word_unlike_all_others_gets_the_whole_list() -> None:
    assert did_you_mean("zzz", ["vi", "en"]) == "known: vi, en"


def test_nothing_known_gives_no_hint() -> None:
    assert did_you_mean("zzz", []) == ""
