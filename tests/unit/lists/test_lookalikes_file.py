# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.errors import ConfigErrors
from filterd.lists.lookalikes_file import FILE, read_lookalikes
from filterd.wire import name as names

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
suffixes:
  gambling: [com, com.vn]
  scam: [top]
lookalikes:
  - {shape: "i9bet#", category: gambling, digits: 3}
  - {shape: freefire, category: scam}
"""
KNOWN = ["gambling", "scam"]


def test_rules_are_lists_of_third_parties_one_for_each_category(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(GOOD)
    (gambling, scam), problems = read_lookalikes(tmp_path, KNOWN)
    (rule,) = gambling.lookalikes
    assert not problems
    assert (gambling.id, gambling.category, gambling.own) == (
        "lookalike:gambling",
        "gambling",
        False,
    )
    assert (rule.shape, rule.digits, rule.line) == (b"i9bet#", 3, 5)
    assert rule.suffixes == {names.from_text("com"), names.from_text("com.vn")}
    assert scam.lookalikes[0].digits == 1


def test_a_folder_without_rules_has_none(tmp_path: Path) -> None:
    assert read_lookalikes(tmp_path, KNOWN) == ((), [])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"i9bet#"', '"I9bet#"', "is not a shape of a label"),
        ('"i9bet#"', '"9#"', "is not a shape of a label"),
        ('"i9bet#"', '"i9##bet"', "is not a shape of a label"),
        ('"i9bet#"', "i9bet" + 40 * "x", "is not a shape of a label"),
        ('"i9bet#"', '"(i9bet)+"', "is not a shape of a label"),
        ("digits: 3", "digits: 70", "digits"),
        ("digits: 3", "digit: 3", "unknown key 'digit'"),
    ],
)
def test_a_value_that_no_rule_has_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    (tmp_path / FILE).write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigErrors, match=f"lookalikes.yaml:5:.*{told}"):
        read_lookalikes(tmp_path, KNOWN)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  scam: [top]", "  scams: [top]", "'scams' is not a category"),
        ("[top]", "[.top]", "'.top' is not a suffix"),
        ("freefire, category: scam", "freefire, category: games", "'games' has no suffixes"),
        ("freefire, category: scam", '"i9bet#", category: gambling', "this shape occurs twice"),
    ],
)
def test_what_depends_on_another_place_is_told_too(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    (tmp_path / FILE).write_text(GOOD.replace(old, new))
    lists, problems = read_lookalikes(tmp_path, KNOWN)
    assert lists == ()
    assert told in str(problems[0])
