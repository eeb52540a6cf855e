# SPDX-License-Identifier: Apache-2.0
"""Which files may be a version, and what a disk has made of a folder."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import MetadataFormatError
from filterd.feed import version_files as layout
from filterd.feed.signed.version_download import take
from filterd.feed.version_files import (
    MAX_VERSION_OCTETS,
    PublishedDelta,
    PublishedFile,
    digits,
    is_file_path,
    is_of,
    is_ordered,
    read_publication,
    role_of,
    sha256_of,
    signers_of,
    verify,
    write_manifest,
)
from filterd.feed.versions import Versions
from tests.support.feed_versions import Publisher, a_list

if TYPE_CHECKING:
    from pathlib import Path


OLD, NEW = "0" * 64, "1" * 64
GAMES = PublishedFile("lists/games.txt", 20, NEW, 9)
DELTA = PublishedDelta("lists/games.txt", digits(OLD), digits(NEW), 5)

Targets = list[tuple[str, int, Any]]


def _signed(*published: PublishedFile | PublishedDelta) -> Targets:
    return [(one.target, one.packed_octets, one.custom) for one in published]


def test_what_is_published_is_read_as_it_was_written() -> None:
    publication = read_publication(7, _signed(DELTA, GAMES))
    assert publication == layout.Publication("7", (GAMES,), (DELTA,))
    assert publication.octets == 20


def test_targets_have_the_names_of_their_files() -> None:
    assert GAMES.target == "lists/games.txt.zst"
    delta = PublishedDelta("lists/games.txt", digits("ab" * 32), digits("cd" * 32), 5)
    assert delta.target == "deltas/lists/games.txt/abababababababab-cdcdcdcdcdcdcdcd.zst"


def test_files_are_sorted_however_they_were_signed() -> None:
    files = [PublishedFile(path, 1, NEW, 1) for path in ("b.yaml", "a.yaml", "lists/a.txt")]
    paths = [file.path for file in read_publication(1, _signed(*files)).files]
    assert paths == ["a.yaml", "b.yaml", "lists/a.txt"]


def test_deltas_to_other_contents_are_of_no_use_and_of_no_harm() -> None:
    stale = PublishedDelta("lists/games.txt", digits(NEW), digits(OLD), 5)
    orphan = PublishedDelta("lists/none.txt", digits(OLD), digits(NEW), 5)
    assert read_publication(1, _signed(GAMES, stale, orphan)).deltas == ()


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../catalog.yaml",
        "lists/../../x",
        "lists//x",
        "lists/",
        ".hidden",
        "lists/.x.tmp",
        "a\\b",
        "a\nb",
        "A.yaml",
        "danh-sách.txt",
        "-rf",
        "a/b/c/d/e",
        "x" * 121,
        "deltas/x",
        "manifest.json",
        None,
        7,
        ["a"],
    ],
)
def test_no_path_leads_elsewhere(path: Any) -> None:
    assert not is_file_path(path)
    custom = {"path": path, "length": 20, "sha256": NEW}
    with pytest.raises(MetadataFormatError, match="the last good version stays"):
        read_publication(1, [(f"{path}.zst", 9, custom)])


def test_paths_of_a_feed_are_taken() -> None:
    assert all(map(is_file_path, ("catalog.yaml", "lists/games.txt", "orders/2026-09.txt")))


@pytest.mark.parametrize(
    "changed",
    [
        {"length": -1},
        {"length": 2.0},
        {"length": True},
        {"length": "20"},
        {"length": MAX_VERSION_OCTETS + 1},
        {"sha256": "1" * 63},
        {"sha256": "X" * 64},
        {"sha256": "1" * 63 + "\n"},
        {"sha256": None},
        {"more": 1},
    ],
)
def test_nonsense_is_refused_though_it_is_signed(changed: dict[str, Any]) -> None:
    with pytest.raises(MetadataFormatError):
        read_publication(1, [(GAMES.target, 9, {**GAMES.custom, **changed})])


@pytest.mark.parametrize("custom", [None, {}, {"path": "lists/games.txt"}])
def test_a_target_without_data_is_refused(custom: dict[str, Any] | None) -> None:
    with pytest.raises(MetadataFormatError):
        read_publication(1, [(GAMES.target, 9, custom)])


@pytest.mark.parametrize(
    "contents",
    ["", "0-1", f"{digits(OLD)}-", f"{OLD}-{NEW}", f"{digits(OLD)}{digits(NEW)}", "g" * 16 + "-"],
)
def test_a_difference_that_does_not_say_of_what_is_refused(contents: str) -> None:
    with pytest.raises(MetadataFormatError, match="neither a file nor a delta"):
        read_publication(1, [(f"deltas/lists/games.txt/{contents}.zst", 9, None)])


@pytest.mark.parametrize("path", ["", "..", "/etc", "lists/../../x", "deltas/x", "manifest.json"])
def test_no_difference_leads_elsewhere(path: str) -> None:
    name = DELTA.target.rpartition("/")[2]
    with pytest.raises(MetadataFormatError, match="leads elsewhere"):
        read_publication(1, [(f"deltas/{path}/{name}", 9, None)])


def test_a_target_does_not_go_by_the_name_of_another() -> None:
    with pytest.raises(MetadataFormatError, match="another file has this name"):
        read_publication(1, [("lists/porn.txt.zst", 9, GAMES.custom)])


def test_a_file_is_published_once() -> None:
    with pytest.raises(MetadataFormatError, match="published twice"):
        read_publication(1, _signed(GAMES, GAMES))


def test_nothing_is_a_file_and_a_folder_at_once() -> None:
    inside = PublishedFile("lists/games.txt/x", 1, NEW, 1)
    with pytest.raises(MetadataFormatError, match="a file and a folder"):
        read_publication(1, _signed(GAMES, inside))


def test_all_files_together_are_bounded() -> None:
    half = MAX_VERSION_OCTETS // 2
    files = [PublishedFile(path, half, NEW, 1) for path in ("a", "b")]
    assert read_publication(1, _signed(*files)).octets == MAX_VERSION_OCTETS
    with pytest.raises(MetadataFormatError, match="larger than a feed may be"):
        read_publication(1, _signed(*files, PublishedFile("c", 1, NEW, 1)))


def test_there_are_not_more_targets_than_a_feed_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MAX_FILES", 1)
    files = [PublishedFile(path, 1, NEW, 1) for path in ("a", "b")]
    with pytest.raises(MetadataFormatError, match="more targets"):
        read_publication(1, _signed(*files))


def test_a_hostile_name_leads_no_terminal_astray() -> None:
    with pytest.raises(MetadataFormatError) as refused:
        read_publication(1, [("\x1b[2J\n" * 200, 9, None)])
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 1000


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=70),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
_CUSTOM = st.dictionaries(st.sampled_from(("path", "length", "sha256", "from", "to")), _ANYTHING)


@given(st.lists(st.tuples(st.text(), st.integers(0), st.none() | _CUSTOM), min_size=1))
def test_whatever_is_signed_is_read_or_refused(targets: Targets) -> None:
    with pytest.raises(MetadataFormatError):
        read_publication(1, targets)


@pytest.mark.parametrize(
    ("name", "ordered"),
    [
        ("orders/x.txt.zst", True),
        ("orders/deep/x.txt.zst", True),
        ("orders.yaml.zst", True),
        ("lists/orders.txt.zst", False),
        ("ordersx/x.txt.zst", False),
        ("deltas/orders/x.txt/1-2.zst", False),  # what comes out of it is the law's to sign
    ],
)
def test_only_what_the_law_orders_is_the_laws(name: str, ordered: bool) -> None:
    assert is_ordered(name) is ordered


def test_every_name_has_one_role_that_may_sign_it() -> None:
    names = ("program/a.deb", "program/deep/a.deb", "orders/x.txt.zst", "lists/program/a.zst")
    assert [*map(role_of, names)] == ["program", "program", "orders", "targets"]


PUBLISHER = Publisher()
CONTENTS = {"catalog.yaml": b"lists: []\n", "lists/games.txt": a_list(range(40))}


def _folder(tmp_path: Path) -> Path:
    """Return the folder of a version that was taken."""
    publication = PUBLISHER.publish(1, CONTENTS)
    return take(publication, Versions(tmp_path), PUBLISHER).candidate.folder


def test_a_folder_is_of_the_publication_that_it_was_taken_from_and_of_no_other(
    tmp_path: Path,
) -> None:
    folder = _folder(tmp_path)
    publication = PUBLISHER.publish(1, CONTENTS)
    assert is_of(folder, publication)
    assert not is_of(folder, replace(publication, files=publication.files[1:]))
    other = {**CONTENTS, "catalog.yaml": b"lists: [] \n"}
    assert not is_of(folder, PUBLISHER.publish(1, other))


def test_a_folder_that_is_damaged_is_of_no_publication(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "catalog.yaml").unlink()
    assert verify(folder) == ("catalog.yaml",)
    assert not is_of(folder, PUBLISHER.publish(1, CONTENTS))


def test_every_flipped_octet_of_a_manifest_is_noticed_or_harmless(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    octets = (folder / "manifest.json").read_bytes()
    wrong = folder / "lists/games.txt"
    wrong.unlink()
    wrong.write_bytes(b"another content")
    for at in range(len(octets)):
        flipped = bytes((octets[at] ^ 1,))
        (folder / "manifest.json").write_bytes(octets[:at] + flipped + octets[at + 1 :])
        assert verify(folder)


def test_a_manifest_that_lost_an_octet_names_no_other_key_than_signed_it(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    path = folder / "manifest.json"
    publication = replace(PUBLISHER.publish(1, CONTENTS), signers={"orders": ("ab12",)})
    write_manifest(folder, publication)
    octets = path.read_bytes()
    for at in range(len(octets)):
        path.write_bytes(octets[:at] + bytes((octets[at] ^ 1,)) + octets[at + 1 :])
        assert signers_of(folder) in (None, {"orders": ["ab12"]})


def test_one_of_release_0_1_has_no_digest_and_is_read(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    data = json.loads((folder / "manifest.json").read_bytes())
    del data["digest"]
    (folder / "manifest.json").write_text(json.dumps(data, indent=0))
    assert verify(folder) == ()
    assert is_of(folder, PUBLISHER.publish(1, CONTENTS))


def test_what_is_no_plain_file_has_no_digest(tmp_path: Path) -> None:
    assert sha256_of(tmp_path) is None
    assert sha256_of(tmp_path / "none") is None
