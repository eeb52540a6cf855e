# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import StoreError
from filterd.base.state_file import IDS, Decoders, FileFormat, digest, to_json, to_plain
from filterd.texts.i18n import Sentence, say

if TYPE_CHECKING:
    from pathlib import Path


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Leaf:
    name: bytes
    colour: Colour
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    leaves: tuple[Leaf, ...]
    words: frozenset[str]
    by_id: dict[str, int]


TREE = Tree((Leaf(b"\0a", Colour.RED, 1.5),), frozenset({"b", "a"}), {"x": 1})
WORDS = {"Leaf": Leaf, "Colour": Colour}


def a_format(version: bytes = b"1") -> FileFormat[Tree]:
    return FileFormat(
        Tree,
        magic=b"tree ",
        version=version,
        title=say("tree"),
        remedy=say("plant it again"),
        words=WORDS,
    )


def test_a_value_is_what_json_knows_and_comes_back() -> None:
    plain = to_plain(TREE)
    assert plain == {
        "leaves": [{"name": "0061", "colour": "red", "until": 1.5}],
        "words": ["a", "b"],
        "by_id": {"x": 1},
    }
    assert Decoders(WORDS).of(Tree)(plain) == TREE


def test_json_is_one_line_with_letters_as_they_are() -> None:
    assert to_json({"a": "Trường\n"}) == '{"a":"Trường\\n"}'


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"name": "00", "colour": "blue", "until": None},
        {"name": "0", "colour": "red", "until": None},
        {"name": "00", "colour": "red", "until": "soon"},
        {"name": "00", "colour": "red", "until": True},
        {"name": "00", "colour": "red", "until": float("inf")},
        {"name": "00", "colour": "red", "until": 10**400},
        {"name": "00", "colour": "red", "until": None, "more": 1},
        None,
    ],
)
def test_what_is_none_of_the_kind_is_refused(plain: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Decoders(WORDS).of(Leaf)(plain)


def test_a_saved_value_loads(tmp_path: Path) -> None:
    a_format().save(tmp_path / "tree", TREE)
    assert a_format().load(tmp_path / "tree") == TREE


def test_errors_say_what_the_file_should_be_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"^x: this is not a tree; plant it again$"):
        a_format().parse(b"shrub 1\n", "x")
    with pytest.raises(StoreError, match="another version of filterd; plant it again"):
        a_format(b"2").parse(a_format().dump(TREE), "x")
    with pytest.raises(StoreError, match="cannot be read: No such file"):
        a_format().load(tmp_path / "none")


def test_equal_values_have_one_digest() -> None:
    assert digest(TREE) == digest(Tree(TREE.leaves, frozenset(["a", "b"]), {"x": 1}))
    assert digest(TREE) != digest(TREE.leaves[0])


def test_a_sentence_comes_back_with_what_it_was_made_from() -> None:
    said = say("{path}: cannot be read: {why}", path="a", why=say("no"))
    back = Decoders({}).of(Sentence)(to_plain(said))
    assert (back, back.template, back.values["why"].template) == (said, said.template, "no")


def test_a_text_is_no_list_and_true_no_number() -> None:
    with pytest.raises(TypeError):
        Decoders({}).of(tuple[str, ...])("ab")
    with pytest.raises(TypeError):
        Decoders({}).of(int)(True)


def test_a_name_of_a_file_that_is_no_utf_8_is_kept(tmp_path: Path) -> None:
    value = Tree((), frozenset(["a\udcff"]), {})
    a_format().save(tmp_path / "tree", value)
    assert a_format().load(tmp_path / "tree") == value


OLD = b'{"leaves": [], "words": ["a"], "by_id": {}}'


def with_legacy() -> FileFormat[Tree]:
    return FileFormat(Tree, magic=b"tree ", words=WORDS, legacy=json.loads, most_octets=500)


def test_the_form_of_an_earlier_release_is_read_and_the_next_write_is_the_new_one(
    tmp_path: Path,
) -> None:
    path, tree = tmp_path / "tree", Tree((), frozenset({"a"}), {})
    path.write_bytes(OLD)
    assert with_legacy().read(path) == tree
    with_legacy().save(path, tree)
    assert path.read_bytes().startswith(b"tree 1\n")
    assert with_legacy().read(path) == tree
    with pytest.raises(StoreError, match="this is not a tree"):
        a_format().parse(OLD, "x")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"[" * 499, b"\xff", OLD.replace(b"[]", b"7"), OLD + b" " * 500]
)
def test_what_is_of_no_release_is_read_as_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tree").write_bytes(content)
    assert with_legacy().read(tmp_path / "tree") is None
    assert with_legacy().read(tmp_path / "none") is None


def test_no_octet_of_the_new_form_can_be_flipped_into_the_old_one() -> None:
    content = with_legacy().dump(TREE)
    for at in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises(StoreError):
            with_legacy().parse(bytes(flipped), "x")


@dataclass(frozen=True)
class _Kept:
    now: str | None = field(default=None, metadata={IDS: True})
    before: tuple[str, ...] = field(default=(), metadata={IDS: True})


@pytest.mark.parametrize(
    ("kept", "plain"),
    [
        (_Kept("12", ("11", "-10")), {"now": 12, "before": [11, -10]}),
        (_Kept("followed-20261123", ("0",)), {"now": "followed-20261123", "before": [0]}),
        (_Kept("007", ("-0", "9" * 30)), {"now": "007", "before": ["-0", "9" * 30]}),
        (_Kept(), {"now": None, "before": []}),
    ],
)
def test_ids_of_versions_are_numbers_in_files_where_they_can_be(kept: _Kept, plain: Any) -> None:
    assert to_plain(kept) == plain
    decode = Decoders({}).of(_Kept)
    assert decode(plain) == kept
    assert decode({"now": kept.now, "before": list(kept.before)}) == kept
    with pytest.raises(TypeError):
        decode({**plain, "now": True})
