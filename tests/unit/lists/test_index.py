# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import BadLabelError, IndexFormatError
from filterd.base.sealed_memory import SealedMemory
from filterd.lists.index import Contents, Index, ListRecord
from filterd.lists.index_format import Hit
from filterd.lists.lookalikes import LookalikeRule, Reach
from filterd.lists.rules import Claim, Effect, Scope
from tests.support.indexes import a_list, compiled, entries_of, listed, wire

if TYPE_CHECKING:
    from pathlib import Path


CLAIMS = (
    Claim(Scope.EXACT),
    Claim(Scope.SUBDOMAINS, Effect.EXCEPT, specific=True),
    Claim(Scope.SUBTREE, important=True, types=frozenset({1, 28}), types_negated=True),
    Claim(Scope.SUBTREE, denyallow=frozenset({wire("a.example.com"), wire("b.example.com")})),
    Claim(Scope.SUBTREE, types=frozenset()),
    Claim(Scope.EXACT, Effect.MARKER),
)


def contents() -> Contents:
    lists = (ListRecord("a", "ads", "Tên", "adblock", True, "0" * 64, 5),)
    claims = tuple((0, claim) for claim in CLAIMS)
    return Contents(lists, claims, ((0,), (1, 3), (2, 4, 5)), {"when": 1.5, "version": "0"})


def changed(**parts: Any) -> bytes:
    return json.dumps(json.loads(contents().dump()) | parts).encode()


def test_contents_are_read_as_they_were_written() -> None:
    assert Contents.load(contents().dump(), 3) == contents()


NEAR = Reach(frozenset((wire("com"), wire("org"))), frozenset((b"usd", b"gym")))
RULES = (
    LookalikeRule(b"i9bet#", 3, frozenset((wire("com.vn"),)), 7, 0),
    LookalikeRule(b"sin88", 1, frozenset(), 4, 1, NEAR),
    LookalikeRule(b"@@@88", 1, frozenset(), 5, 1, NEAR._replace(but=frozenset())),
)


def test_rules_are_read_as_they_were_written() -> None:
    with_rules = replace(contents(), lookalikes=RULES)
    assert Contents.load(with_rules.dump(), 3) == with_rules


def test_rules_of_an_index_of_before_reaches_are_read() -> None:
    written = [["i9bet#", 3, 0, 7, 0]]
    rules = {"suffixes": [[wire("com.vn").hex()]], "rules": written}
    assert Contents.load(changed(lookalikes=rules), 3).lookalikes == RULES[:1]
    again = json.loads(replace(contents(), lookalikes=RULES[:1]).dump())["lookalikes"]
    assert again == rules, "and an older program reads such an index"


def test_equal_contents_give_equal_octets() -> None:
    assert contents().dump() == contents().dump()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        changed(lists=[{"id": "a"}]),
        changed(claims=[[1, {"scope": 0, "effect": 0}]]),
        changed(claims=[[0, {"scope": 9, "effect": 0}]]),
        changed(sets=[[0], [1], [6]]),
        changed(sets=[[0], [1], [-1]]),
        changed(sets=[[0], [1], []]),
        changed(sets=[[0]]),
        changed(build=None),
        changed(lookalikes={"suffixes": [[]], "rules": [["sin88", 1, 0, 4, 1, 0]]}),
    ],
)
def test_damaged_contents_are_refused(text: bytes) -> None:
    with pytest.raises(IndexFormatError, match="damaged contents"):
        Contents.load(text, 3)


TEXT = "bad.com\nx.bad.com\n# comment\nworse.org\n"


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return compiled(tmp_path, a_list(tmp_path, TEXT)).index


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("bad.com", ["bad.com"]),
        ("y.bad.com", ["bad.com"]),
        ("x.bad.com", ["x.bad.com", "bad.com"]),
        ("a.b.x.bad.com", ["x.bad.com", "bad.com"]),
        ("notbad.com", []),
        ("bad.com.vn", []),
        ("bad.co", []),
        ("com", []),
        ("", []),
        (".".join(["a"] * 120) + ".worse.org", ["worse.org"]),
    ],
)
def test_lookup_finds_the_name_and_its_ancestors(
    index: Index, asked: str, names: list[str]
) -> None:
    assert listed(index, asked) == names


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (b"\x03a\x00b\x03bad\x03com\x00", True),
        (b"\x07bad\x00com\x00", False),
        (b"\x01x\x07bad\x00com\x00", False),
        (b"\x07bad.com\x00", False),
        (b"\x03BAD\x03com\x00", False),
        (b"\x01\xff\x03bad\x03com\x00", True),
        (b"\x03com\x03bad\x03com\x00", True),
    ],
)
def test_odd_octets_never_pass_for_a_listed_name(index: Index, asked: bytes, found: bool) -> None:
    assert bool(index.lookup(asked)) is found


@pytest.mark.parametrize(
    "asked",
    [
        b"",
        b"\x03com",
        b"\x03com\x00\x00",
        b"\x40" + b"a" * 64 + b"\0",
        b"\xc0\x0c",
        b"\x01a" * 127 + b"\x01b\0",
    ],
)
def test_what_is_no_wire_name_is_an_error(index: Index, asked: bytes) -> None:
    with pytest.raises(BadLabelError):
        index.lookup(asked)


def test_a_hit_has_labels_rank_and_set(index: Index) -> None:
    hits = index.lookup(wire("x.bad.com"))
    assert hits == (Hit(3, 1, 0), Hit(2, 0, 0))
    assert {type(hit) for hit in hits} == {Hit}


def test_entries_have_list_and_line(index: Index) -> None:
    subtree = Claim(Scope.SUBTREE)
    assert entries_of(index, "x.bad.com") == {
        ("a", "bad.com", subtree, 1),
        ("a", "x.bad.com", subtree, 2),
    }


def test_names_come_in_the_order_of_ranks(index: Index) -> None:
    names = list(index.names())
    ranked = list(index.ranked_names())
    assert ranked == [(rank, index.name(rank)) for rank, _ in sorted(ranked)]
    assert names == [name for _, name in ranked]
    assert set(names) == {wire("bad.com"), wire("x.bad.com"), wire("worse.org")}


@pytest.mark.parametrize("rank", [-1, 3, 32, 1 << 40])
def test_rank_that_does_not_exist_is_an_index_error(index: Index, rank: int) -> None:
    with pytest.raises(IndexError):
        index.name(rank)
    with pytest.raises(IndexError):
        index.entries(rank)


def test_sizes_add_up_to_the_file(tmp_path: Path) -> None:
    made = compiled(tmp_path, a_list(tmp_path, TEXT))
    padding = made.path.stat().st_size - sum(made.index.sizes().values())
    assert 0 <= padding < 64 * 9


def test_old_index_is_read_on_after_a_swap(tmp_path: Path) -> None:
    old = compiled(tmp_path, a_list(tmp_path, "old.example.com\n")).index
    new = compiled(tmp_path, a_list(tmp_path, "new.example.com\n")).index
    assert listed(old, "old.example.com") == ["old.example.com"]
    assert listed(new, "old.example.com") == []
    old.verify()


def test_closed_index_lets_go_of_the_file(index: Index) -> None:
    matcher = index.matcher
    index.close()
    assert matcher.lookup(wire("bad.com")) == (Hit(2, 0, 0),)
    with pytest.raises(AttributeError):
        index.lookup(wire("bad.com"))


@pytest.mark.parametrize("octets", [b"", b"text\n", b"\x89filterd" + bytes(500)])
def test_other_files_are_refused_by_name(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(octets)
    with pytest.raises(IndexFormatError, match="other: "):
        Index.open(path)


@pytest.mark.parametrize("is_index_at_first", [False, True])
def test_a_huge_file_in_its_place_fills_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_index_at_first: bool
) -> None:
    octets = compiled(tmp_path, a_list(tmp_path, TEXT)).path.read_bytes()

    def read(*_: object) -> None:
        raise AssertionError("more than the header is read")

    monkeypatch.setattr(SealedMemory, "of_file", read)
    path = tmp_path / "huge"
    path.write_bytes(octets if is_index_at_first else b"")
    with path.open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(IndexFormatError, match="compile the lists again"):
        Index.open(path)


def test_truncated_file_is_refused_on_opening(tmp_path: Path) -> None:
    octets = compiled(tmp_path, a_list(tmp_path, TEXT)).path.read_bytes()
    path = tmp_path / "short"
    for length in range(0, len(octets), 37):
        path.write_bytes(octets[:length])
        with pytest.raises(IndexFormatError):
            Index.open(path)


def test_verify_catches_every_flipped_octet(tmp_path: Path) -> None:
    path = compiled(tmp_path, a_list(tmp_path, TEXT)).path
    octets = path.read_bytes()
    for place in range(len(octets)):
        damaged = bytearray(octets)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(IndexFormatError):
            Index.of(SealedMemory.of(damaged, "index"), path).verify()


def test_undamaged_file_verifies(index: Index) -> None:
    index.verify()
