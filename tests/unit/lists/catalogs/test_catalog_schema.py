# SPDX-License-Identifier: Apache-2.0
"""The values of the four files of a blocklists folder, each where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigErrors
from filterd.documents import parse, validate
from filterd.lists.catalogs.catalog_schema import (
    CatalogFile,
    CategoriesFile,
    PinsFile,
    ProtectFile,
    list_id,
    service_list,
    unfit,
)
from filterd.lists.compiler import compile_lists
from filterd.lists.index import Index
from filterd.lists.rules import Pin, Protection
from filterd.wire import name as names

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.documents import DocumentModel

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
        ("com.vn", "anyone can register"),
        ("example", "anyone can register"),
        (r"a\.b.example", "no"),
    ],
)
def test_a_suffix_and_what_is_no_host_are_unfit(name: str, why: str) -> None:
    assert why in unfit(names.from_text(name))
    assert bool(unfit(names.from_text(name))) is bool(why)


CATEGORY = {
    "id": "games",
    "name": "{vi: Trò chơi, en: Games}",
    "description": "{vi: Trực tuyến., en: Online.}",
    "legal_basis": "[]",
}
LIST = {
    "id": "starter-games",
    "title": "Games",
    "category": "games",
    "format": "domains",
    "file": "starter/games.txt",
}
SOURCE = {
    "id": "their-games",
    "title": "Games",
    "category": "games",
    "format": "hosts",
    "address": "https://lists.example/games",
    "homepage": "https://lists.example/",
    "licence": "MIT",
    "attribution": "Somebody",
}
PIN = {"name": "exam.example.vn", "reason": "exams"}
KINDS: dict[str, tuple[type[DocumentModel], str, dict[str, str]]] = {
    "category": (CategoriesFile, "categories:", CATEGORY),
    "list": (CatalogFile, "lists:", LIST),
    "source": (CatalogFile, "lists: []\nsources:", SOURCE),
    "pin": (PinsFile, "pins:", PIN),
    "protection": (ProtectFile, "protections:", PIN),
}


def read(kind: str, **changes: str) -> DocumentModel:
    """Check a file of one entry of this kind, with some of its keys written otherwise."""
    model, head, entry = KINDS[kind]
    lines = [f"    {key}: {value}" for key, value in {**entry, **changes}.items()]
    text = "\n".join([head, "  -", *lines])
    return validate(parse(text.encode(), "file.yaml"), model)


@pytest.mark.parametrize("kind", KINDS)
def test_the_required_fields_of_an_entry_are_enough(kind: str) -> None:
    read(kind)


@pytest.mark.parametrize(
    ("written", "meant"), [("false", False), ("true", True), ("ordered", "ordered")]
)
def test_locked_is_yes_no_or_ordered(written: str, meant: bool | str) -> None:
    file = read("category", locked=written)
    assert isinstance(file, CategoriesFile)
    assert file.categories[0].locked == meant


@pytest.mark.parametrize(
    ("written", "wire"),
    [
        ("exam.example.vn", b"\x04exam\x07example\x02vn\x00"),
        ("EXAM.example.vn.", b"\x04exam\x07example\x02vn\x00"),
        ("Trường.example", b"\x11xn--trng-rib8295b\x07example\x00"),
        ("xn--trng-rib8295b.example", b"\x11xn--trng-rib8295b\x07example\x00"),
    ],
)
def test_a_name_is_read_into_its_one_wire_form(written: str, wire: bytes) -> None:
    file = read("pin", name=written)
    assert isinstance(file, PinsFile)
    assert file.pins[0].name == wire


WRONG = [
    ("category", "min_age", "21", "it must be 18 or less"),
    ("category", "min_age", '"12"', "a whole number expected, not '12'"),
    ("category", "rating", "13+", "'13+' is not known"),
    ("category", "locked", "sometimes", "'sometimes' is not known (true, false or ordered)"),
    ("category", "locked", "1", "'1' is not known"),
    ("category", "name", "{vi: Trò chơi}", "the key 'en' is missing"),
    ("category", "id", "Games!", "id: "),
    ("category", "legal_basis", "law", "a list expected"),
    ("list", "format", "host", "'host' is not a format (did you mean 'hosts'?)"),
    ("list", "file", "../games.txt", "a file in this folder is expected"),
    ("list", "file", "/etc/passwd", "a file in this folder is expected"),
    ("list", "file", "7", "a file in this folder is expected"),
    ("list", "own", '"yes"', "true or false expected"),
    ("source", "address", "http://lists.example/games", "address: "),
    ("source", "license", "MIT", "unknown key 'license' (did you mean 'licence'?)"),
    ("pin", "name", "exam example", "is not a host name"),
    ("pin", "name", "https://exam.example/x", "is a URL"),
    ("pin", "name", "vn", "is a top-level domain"),
    ("pin", "name", '"*.example.vn"', "name: "),
    ("pin", "name", "192.0.2.1", "is an address"),
    ("pin", "name", "7", "put it in quotes"),
    ("protection", "except_categories", "games", "a list expected"),
]


@pytest.mark.parametrize(("kind", "key", "value", "says"), WRONG)
def test_a_wrong_value_is_reported_with_its_key_and_a_hint(
    kind: str, key: str, value: str, says: str
) -> None:
    with pytest.raises(ConfigErrors) as caught:
        read(kind, **{key: value})
    (problem,) = caught.value.errors
    assert says in str(problem)
