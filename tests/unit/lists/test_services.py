# SPDX-License-Identifier: Apache-2.0
"""Services as lists: found like any entry, with the line where their names stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.documents import parse
from filterd.lists.compiler import compile_lists
from filterd.lists.index import Index
from filterd.lists.rules import Pin, Protection
from filterd.lists.services import list_id, service_list, unfit
from filterd.wire import name as names

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"""\
services:
  play:
    names:
      - play.example
      - www.play.example
      - exam.example
      - shared.example
"""
NAMES = [
    names.from_text(text)
    for text in ("play.example", "www.play.example", "exam.example", "shared.example")
]


def _index(folder: Path, *, pins: tuple[Pin, ...] = ()) -> Index:
    document = parse(TEXT, str(folder / "site.yaml"))
    source = service_list("play", "Play", "games", NAMES, document, ("services", "play", "names"))
    protections = (Protection(names.from_text("shared.example")),)
    target = folder / "index"
    compile_lists([source], pins=pins, protections=protections, target=target, now=0.0)
    return Index.open(target)


def _lines(index: Index, text: str) -> list[int]:
    return [
        line for hit in index.lookup(names.from_text(text)) for _, line in index.entries(hit.rank)
    ]


def test_a_name_is_found_with_its_line_and_all_beneath_it(tmp_path: Path) -> None:
    index = _index(tmp_path)
    assert _lines(index, "a.play.example") == [4]
    assert _lines(index, "a.www.play.example") == [5, 4]
    assert _lines(index, "example") == []


def test_it_is_a_list_of_its_group_and_no_third_partys(tmp_path: Path) -> None:
    index = _index(tmp_path)
    (record,) = index.lists
    assert (record.id, record.category, record.title) == (list_id("play"), "games", "Play")
    assert record.own
    assert _lines(index, "shared.example") == [7], "protection holds against others only"


def test_a_pin_holds_against_it(tmp_path: Path) -> None:
    assert _lines(_index(tmp_path), "exam.example") == [6]
    index = _index(tmp_path, pins=(Pin(names.from_text("exam.example")),))
    assert _lines(index, "exam.example") == []


def test_other_names_make_another_index(tmp_path: Path) -> None:
    digest = _index(tmp_path).lists[0].digest
    document = parse(TEXT, "site.yaml")
    source = service_list("play", "Play", "games", NAMES[:1], document, ())
    compile_lists([source], target=tmp_path / "index", now=0.0)
    assert Index.open(tmp_path / "index").lists[0].digest != digest


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("play.example", ""),
        ("com.vn", "strangers"),
        ("example", "strangers"),
        (r"a\.b.example", "no"),
    ],
)
def test_a_suffix_and_what_is_no_host_are_unfit(name: str, why: str) -> None:
    assert why in unfit(names.from_text(name))
    assert bool(unfit(names.from_text(name))) is bool(why)
