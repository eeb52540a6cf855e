# SPDX-License-Identifier: Apache-2.0
"""Of held versions: orders ahead of them, and what a release of the root keys covers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ExpiredError, MetadataFormatError, SignatureError, TooLargeError
from filterd.base.state_folder import StateFolder
from filterd.feed.guard.judgement import Finding, Judgement, Severity, found
from filterd.feed.held_versions import (
    FILE,
    MOST_OCTETS,
    MOST_RELEASES,
    ReleasedHold,
    content_digest,
    fetch_releases,
    other_key,
    signable,
    with_orders_of,
)
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.feed.version_files import (
    Publication,
    PublishedFile,
    publication_of,
    verify,
    write_manifest,
)
from filterd.feed.versions import Versions
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.catalogs.catalog_tables import read_canaries
from filterd.publish.signing import RELEASES, signed, until
from filterd.texts.i18n import say
from tests.support.broken_versions import an_order
from tests.support.clock import FakeClock
from tests.support.feed_folders import put_in_force, put_version
from tests.support.publisher import NOW, Publisher

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path)


def ordered(state: StateFolder, version: str, *names: str) -> Path:
    """Have a version at hand whose list is another one, and which orders these names."""
    folder = put_version(state, version, "held.example")
    (folder / "manifest.json").unlink()
    an_order("".join(f"{name}\n" for name in names).encode())(folder)
    write_manifest(folder, publication_of(folder, version))
    return folder


def test_lists_stay_and_orders_come(state: StateFolder) -> None:
    versions = put_in_force(state, "1", "casino.example")
    ordered(state, "2", "ordered.example")
    made = with_orders_of("2", versions)
    assert made is not None
    assert (made.version, verify(made.folder)) == ("-2", ())
    assert (made.folder / "lists/gambling.txt").read_text() == "casino.example\n"
    assert (made.folder / "orders/1.txt").read_text() == "ordered.example\n"
    assert [order.id for order in load_catalog(made.folder).orders] == ["order:1/CV"]
    versions.promote("-2")
    assert with_orders_of("2", versions) is None


def test_orders_that_are_over_go(state: StateFolder) -> None:
    versions = put_in_force(state, "1", "casino.example")
    ordered(state, "2", "ordered.example")
    with_orders_of("2", versions)
    versions.promote("-2")
    put_version(state, "3", "held.example")
    made = with_orders_of("3", versions)
    assert made is not None
    assert not (made.folder / "orders.yaml").exists()


def test_before_the_first_version_orders_come_beside_what_ships(state: StateFolder) -> None:
    ordered(state, "2", "ordered.example")
    made = with_orders_of("2", Versions(state.feed))
    assert made is not None
    assert verify(made.folder) == ()
    canaries = read_canaries(made.folder)
    locked = {category.id for category in load_catalog(made.folder).categories if category.locked}
    assert {"porn", "gambling", "drugs"} <= locked & canaries.keys()


@pytest.mark.parametrize("damaged", ["1/lists/gambling.txt", "2/orders/1.txt"])
def test_nothing_is_made_of_what_is_damaged(state: StateFolder, damaged: str) -> None:
    versions = put_in_force(state, "1", "casino.example")
    ordered(state, "2", "ordered.example")
    path = state.feed / "versions" / damaged
    path.write_bytes(path.read_bytes()[:-1])
    assert with_orders_of("2", versions) is None


def test_what_a_killed_process_has_left_is_made_anew(state: StateFolder) -> None:
    versions = put_in_force(state, "1", "casino.example")
    ordered(state, "2", "ordered.example")
    versions.partial_of("-2").mkdir()
    (versions.partial_of("-2") / "left.txt").write_text("x")
    made = with_orders_of("2", versions)
    assert made is not None
    assert not (made.folder / "left.txt").exists()


@pytest.mark.parametrize(
    ("new", "known", "subjects"),
    [
        (["a"], ["a"], None),
        (["b", "a"], ["a", "b"], None),
        (["a"], None, None),
        (["a"], [], None),
        (None, ["a"], None),
        (["b"], ["a"], ("+orders b",)),
        (["b", "a"], ["a"], ("+orders a", "+orders b")),
        ([], ["a"], ()),
    ],
)
def test_a_key_that_was_not_known_waits(
    new: list[str] | None, known: list[str] | None, subjects: tuple[str, ...] | None
) -> None:
    found = list(other_key(new, known))
    assert [one.subjects for one in found] == ([] if subjects is None else [subjects])
    assert all(one.severity is Severity.HELD for one in found)


RELEASE = ReleasedHold(
    7, "c" * 64, {"tables": frozenset(("-pins a", "-pins b")), "growth": frozenset()}, "x"
)


def held(kind: str, *subjects: str) -> Finding:
    return found(kind, Severity.HELD, say("nothing was found"), (), subjects)


@pytest.mark.parametrize(
    ("version", "content", "findings", "covered"),
    [
        (7, "c" * 64, [held("tables", "-pins a")], True),
        (7, "c" * 64, [held("tables", "-pins z"), held("growth")], True),
        (8, "d" * 64, [held("tables", "-pins a"), held("tables", "-pins b")], True),
        (8, "d" * 64, [held("tables", "-pins a", "-pins z")], False),
        (8, "d" * 64, [held("growth")], False),
        (8, "d" * 64, [held("tables")], False),
        (7, "c" * 64, [held("popular", "-pins a")], False),
        (6, "c" * 64, [held("tables", "-pins a")], False),
    ],
)
def test_a_release_covers_what_it_names(
    version: int, content: str, findings: list[Finding], covered: bool
) -> None:
    assert RELEASE.covers(Judgement(str(version), tuple(findings)), content) is covered


def test_the_content_is_that_of_all_files_whatever_the_number_is() -> None:
    files = (PublishedFile("a.txt", 1, "0" * 64, 9), PublishedFile("b.txt", 1, "1" * 64, 9))
    digest = content_digest(Publication("1", files))
    assert digest == content_digest(Publication("2", files))
    assert digest != content_digest(Publication("1", files[:1]))


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path / "www")


def fetched(publisher: Publisher, now: float | None = NOW) -> tuple[ReleasedHold, ...]:
    fetcher = FolderFetcher(publisher.folder, FakeClock(NOW))
    return fetch_releases(fetcher, publisher.newest_root.signed, now)


def put(publisher: Publisher, content: bytes) -> None:
    publisher.put(FILE, content)


def a_release(publisher: Publisher, role: str = "root", at: float = NOW) -> bytes:
    return signed(signable((RELEASE,), 1, until(RELEASES, at)), publisher.signers[role])


def test_releases_are_read_as_they_were_signed(publisher: Publisher) -> None:
    assert fetched(publisher) == ()
    put(publisher, a_release(publisher))
    assert fetched(publisher) == (RELEASE,)
    publisher.root_changes.release(RELEASE, publisher.signers["root"], now=NOW)
    assert fetched(publisher) == (RELEASE, RELEASE)


@pytest.mark.parametrize("role", ["targets", "timestamp", "orders"])
def test_no_other_key_releases_anything(publisher: Publisher, role: str) -> None:
    put(publisher, a_release(publisher, role))
    with pytest.raises(SignatureError):
        fetched(publisher)


def test_a_root_is_no_release_though_its_keys_have_signed_it(publisher: Publisher) -> None:
    put(publisher, publisher.root)
    with pytest.raises(MetadataFormatError):
        fetched(publisher)


def test_what_has_expired_counts_where_the_clock_is_not_known(publisher: Publisher) -> None:
    put(publisher, a_release(publisher, at=NOW - 181 * 86_400))
    with pytest.raises(ExpiredError):
        fetched(publisher)
    assert fetched(publisher, None) == (RELEASE,)


@pytest.mark.parametrize(
    "field", [None, 5, [5], [{}], [{"version": "x", "content": "", "findings": {}, "reason": ""}]]
)
def test_what_is_malformed_is_reported(publisher: Publisher, field: Any) -> None:
    metadata = signable((), 1, until(RELEASES, NOW))
    metadata.signed.unrecognized_fields["releases"] = field
    put(publisher, signed(metadata, publisher.signers["root"]))
    with pytest.raises(MetadataFormatError):
        fetched(publisher)
    put(publisher, b"{")
    with pytest.raises(MetadataFormatError):
        fetched(publisher)


def test_no_more_is_read_than_there_may_be(publisher: Publisher) -> None:
    put(publisher, b" " * (MOST_OCTETS + 1))
    with pytest.raises(TooLargeError):
        fetched(publisher)


def test_the_latest_releases_are_kept(publisher: Publisher) -> None:
    for number in range(MOST_RELEASES + 3):
        one = ReleasedHold(number, "", {}, "x")
        publisher.root_changes.release(one, publisher.signers["root"], now=NOW)
    assert [one.version for one in fetched(publisher)] == list(range(3, MOST_RELEASES + 3))
    assert json.loads((publisher.metadata / FILE).read_bytes())["signed"]["version"] == 23
