# SPDX-License-Identifier: Apache-2.0
"""What a walk through listed names finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.lists import listed_names
from tests.support.indexes import a_list, compiled, wire

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("count", [1, 15, 16, 17, 700])
def test_what_is_listed_beneath_a_name_is_found_wherever_it_lies(
    tmp_path: Path, count: int
) -> None:
    beneath = [f"n{number:03}.a.example" for number in range(count)]
    others = [f"n{number:03}.{other}" for number in range(count)
              for other in ("b.example", "aa.example", "a.sample")]  # fmt: skip
    text = "".join(f"{one}\n" for one in (*beneath, *others))
    index = compiled(tmp_path, a_list(tmp_path, text)).index
    assert sorted(listed_names.beneath(index, wire("a.example"))) == sorted(map(wire, beneath))
    assert list(listed_names.beneath(index, wire("n000.a.example"))) == [wire("n000.a.example")]
    assert len(list(listed_names.beneath(index, wire("example")))) == 3 * count
    for nothing in ("c.example", "zz", "0.0", "x.n000.a.example"):
        assert list(listed_names.beneath(index, wire(nothing))) == []


def test_names_are_of_a_list_or_of_it_alone(tmp_path: Path) -> None:
    one, two = a_list(tmp_path, "a.example\nb.example\n"), a_list(tmp_path, "b.example\n", "b")
    index = compiled(tmp_path, one, two).index
    both = [wire("a.example"), wire("b.example")]
    assert list(listed_names.names_of(index, {"a"})) == both
    assert list(listed_names.names_of(index, {"a"}, alone=True)) == both[:1]
    assert list(listed_names.names_of(index, {"a", "b"}, alone=True)) == both
    assert list(listed_names.names_of(index, {"c"})) == []


@pytest.mark.parametrize("count", [1, 5, 700, 1_000])
def test_a_sample_is_about_as_large_as_asked_for(tmp_path: Path, count: int) -> None:
    text = "".join(f"n{number:03}.example\n" for number in range(700))
    index = compiled(tmp_path, a_list(tmp_path, text)).index
    drawn = list(listed_names.drawn(index, count))
    assert len(set(drawn)) == len(drawn)
    assert min(count, 700) <= len(drawn) <= min(2 * count + 16, 700)
    assert set(drawn) <= set(index.names())
