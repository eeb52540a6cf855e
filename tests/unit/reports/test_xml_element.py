# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from filterd.reports.xml_element import WORD, add_child, new_element, remove_from_parent, text_of


def test_a_child_is_added_behind_the_others_and_removed_again() -> None:
    row = new_element(f"{WORD}tr")
    first, second = add_child(row, "a"), add_child(row, "b", {"key": "value"})
    assert [one.tag for one in row] == ["a", "b"]
    assert second.get("key") == "value"
    remove_from_parent(first)
    assert [one.tag for one in row] == ["b"]


def test_an_element_without_a_parent_stays_as_it_is() -> None:
    alone = new_element("a")
    remove_from_parent(alone)
    assert alone.getparent() is None


def test_the_text_of_an_element_is_that_of_its_runs_alone() -> None:
    paragraph = new_element(f"{WORD}p")
    for tag, text in (("t", "one "), ("instrText", "PAGE"), ("t", "two")):
        add_child(paragraph, f"{WORD}{tag}").text = text
    assert text_of(paragraph) == "one two"
