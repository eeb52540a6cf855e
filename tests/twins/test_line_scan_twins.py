# SPDX-License-Identifier: Apache-2.0
"""Both twins accept the same lines; skimmed or parsed, a list is the same."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.native import live_only
from filterd.lists import intake
from filterd.lists.formats import FORMATS, PLAIN_LINES, PlainLine
from filterd.lists.formats.parsed import BLOCK_SUBTREE
from filterd.lists.intake import plainly_skim
from tests.support.indexes import a_list
from tests.support.intakes import taken

if TYPE_CHECKING:
    from pathlib import Path

native: Any = live_only("filterd.lists._matcher")
pytestmark = pytest.mark.usefixtures("needs_native")

PLAIN = SimpleNamespace(skim=plainly_skim)
SHAPES = sorted({(one.before, one.after) for shapes in PLAIN_LINES.values() for one in shapes})
SPECIAL = (frozenset((b"vn\0com\0", b"local\0localhost\0")), frozenset((b"ck\0", b"jp\0kobe\0")))

label = st.one_of(
    st.sampled_from(
        ["a", "ab", "com", "vn", "ck", "kobe", "jp", "x" * 63, "x" * 64, "xn--a", "a--b", "9", ""]
    ),
    st.text("ab-_09xn", min_size=1, max_size=20),
)
name = st.lists(label, min_size=1, max_size=6).map(".".join)
wild = st.text("aA.-_*=|^/ #09\xe1\u20ac\U0001f600\0\x7f", max_size=12)


@st.composite
def line(draw: st.DrawFn) -> str:
    before, after = draw(st.sampled_from(SHAPES))
    text: str = before + draw(st.one_of(name, name, wild)) + after
    return draw(st.sampled_from([text, text, text, text.upper(), text[1:], text + " ", text[:-1]]))


def outcome(module: Any, lines: list[str], shape: PlainLine, first: int) -> object:
    left, records = list(lines), [b"one before"]
    module.skim(left, shape, first, 7, SPECIAL, records)
    return left, records


@given(lines=st.lists(line(), max_size=30), shape=st.sampled_from(SHAPES), first=st.integers(1, 99))
def test_twins_take_the_same_lines(lines: list[str], shape: tuple[str, str], first: int) -> None:
    how = PlainLine(*shape, BLOCK_SUBTREE)
    assert outcome(native, lines, how, first) == outcome(PLAIN, lines, how, first)


@pytest.mark.parametrize("octets", [252, 253, 254])
def test_twins_agree_on_the_longest_name(octets: int) -> None:
    lines = [("a." * 200)[-octets:].removeprefix(".")[: octets - 1] + "z"]
    how = PlainLine("", "", BLOCK_SUBTREE)
    assert outcome(native, lines, how, 1) == outcome(PLAIN, lines, how, 1)


NAMES = (
    "a.example", "b.a.example", "com.vn", "x.com.vn", "localhost", "localhost.localdomain",
    "xn--n.example", "xn--ngbc5azd.example", "a--b.example", "1.2.3.4", "x.9", "UPPER.Example",
    "a..b", ".a.b", "a.b.", "-a.b", "_a.b", "a.ck", "www.ck", "*.a.b", "=a.b", "b.a.b-",
    "x" * 63 + ".b", "x" * 64 + ".b", "a" + ".b" * 126, "a" + ".b" * 127, "", "# a.b", "a.b # c",
)  # fmt: skip


@pytest.mark.parametrize("list_format", FORMATS)
@pytest.mark.parametrize("module", [native, PLAIN])
def test_a_list_is_the_same_skimmed_and_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, list_format: str, module: Any
) -> None:
    rng = random.Random(list_format)
    shapes = [("", ""), ("@@||", "^"), ("||", "^$badfilter"), ("0.0.0.0  ", ""), *SHAPES]
    lines = [before + one + after for before, after in shapes for one in NAMES]
    rng.shuffle(lines)
    source = a_list(tmp_path, "\n".join(lines) + "\n", form=list_format)
    monkeypatch.setattr(intake, "skim", module.skim)
    skimmed, counted_of_skimmed = taken(source)
    monkeypatch.setattr(intake, "PLAIN_LINES", {})
    parsed, counted = taken(source)
    assert claimed(skimmed) == claimed(parsed)
    assert counted_of_skimmed == counted
    assert skimmed.reports == parsed.reports


def claimed(made: intake.Intake) -> list[tuple[bytes, object]]:
    """Return keys, claims and lines: ids of claims are given as they come."""
    tail = slice(-9, None)
    return sorted(
        (record[:-9] + record[tail][5:], repr(made.claims[int.from_bytes(record[tail][1:5])]))
        for record in made.records
    )
