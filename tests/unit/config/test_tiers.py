# SPDX-License-Identifier: Apache-2.0
"""Grades, tiers and ages as schools have them."""

from __future__ import annotations

import pytest

from filterd.base.errors import ConfigErrors
from filterd.config.tiers import AGE_OF_GRADE, DEFAULTS, ServiceEntry
from filterd.documents import parse, validate
from filterd.policy.model import GRADES, TIER_OF_GRADE, TIERS


def test_every_grade_has_a_tier_and_an_age() -> None:
    assert set(TIER_OF_GRADE) == set(AGE_OF_GRADE) == set(GRADES)
    assert set(TIER_OF_GRADE.values()) == set(TIERS)


@pytest.mark.parametrize(
    ("grade", "tier", "age"),
    [
        ("preschool", "preschool", 3),
        ("1", "primary", 6),
        ("5", "primary", 10),
        ("6", "lower-secondary", 11),
        ("9", "lower-secondary", 14),
        ("10", "upper-secondary", 15),
        ("12", "upper-secondary", 17),
        ("continuing", "continuing", 15),
        ("staff", "staff", 18),
        ("guest", "guest", 3),
    ],
)
def test_tier_and_age_follow_the_class(grade: str, tier: str, age: int) -> None:
    assert (TIER_OF_GRADE[grade], AGE_OF_GRADE[grade]) == (tier, age)


def test_the_defaults_set_everything() -> None:
    assert None not in DEFAULTS.model_dump().values()


def _service(**changes: str) -> ServiceEntry:
    keys = {"name": "Thi", "group": "education", "names": "[thi.example]", **changes}
    text = "".join(f"{key}: {value}\n" for key, value in keys.items())
    return validate(parse(text.encode(), "site.yaml"), ServiceEntry)


def test_one_text_is_the_name_in_both_languages() -> None:
    assert _service().name.model_dump() == {"vi": "Thi", "en": "Thi"}
    assert _service(name="{vi: Thi, en: Exam}").name.en == "Exam"


def test_names_are_wire_names() -> None:
    assert _service(names="[THI.example]").names == (b"\3thi\7example\0",)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("names", "[]", "names: it needs at least 1"),
        ("names", "[com.vn]", "'com.vn' is a public suffix, under which anyone can register names"),
        ("names", "['*.thi.example']", "a name needs no"),
        ("names", "[https://thi.example/]", "is the address of a page"),
        ("min_age", "19", "it must be 18 or less"),
        ("group", "Education", "group: "),
        ("name", "{vi: Thi}", "the key 'en' is missing"),
        ("domains", "[a.example]", "unknown key 'domains'"),
    ],
)
def test_a_wrong_value_is_reported(key: str, value: str, says: str) -> None:
    with pytest.raises(ConfigErrors) as caught:
        _service(**{key: value})
    assert says in str(caught.value)
