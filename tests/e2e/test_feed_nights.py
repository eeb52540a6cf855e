# SPDX-License-Identifier: Apache-2.0
"""Nights of a feed: built, signed, served, fetched by a school, compiled."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import DigestError
from filterd.base.paths import shipped
from filterd.feed.signed.version_download import take
from filterd.feed.version_files import verify
from filterd.feed.versions import Versions
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.compiler import compile_lists
from filterd.lists.index import Index
from filterd.publish.signing import targets_of
from filterd.publish.version_build import build_version
from tests.support.evidence_folder import write_contact
from tests.support.feed_versions import sha256
from tests.support.indexes import wire
from tests.support.publisher import Publisher, Site, served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.feed.signed.version_download import Taken
    from tests.support.publisher import Server

pytestmark = pytest.mark.long

SOURCE = "blocklistproject-phishing"
SCAM = [f"{sha256(b'%d' % number)[:12]}.example" for number in range(3_000)]


class _Nights:
    """A publisher and a school."""

    def __init__(self, folder: Path, server: Server, publisher: Publisher) -> None:
        self._folder, self.server, self._publisher = folder, server, publisher
        self._catalog = Path(shutil.copytree(shipped("blocklists"), folder / "catalog"))
        write_contact(self._catalog)
        self._built = list[Path]()
        self._site = Site(folder / "site", publisher.root)
        self.versions = Versions(folder / "site")

    def publish(self, *scam: str) -> int:
        """Build and publish a version with these names."""
        text = self._folder / "phishing.txt"
        text.write_text("\n".join(scam))
        built = self._folder / f"built-{len(self._built)}"
        build_version(self._catalog, {SOURCE: text}, built, today="2027-01-15")
        targets = targets_of(built, self._built)
        self._built.insert(0, built)
        self.server.asked.clear()
        signers = self._publisher.signers
        return self._publisher.repository.publish(targets, signers, now=self._publisher.now)

    def sync(self) -> Taken:
        """Take what is published, as a school does."""
        verified = self._site.refresh(self.server.url)
        taken = take(verified.publication, self.versions, verified.fetch)
        self.versions.promote(verified.publication.version)
        self.versions.prune()
        return taken

    def index(self) -> Index:
        """Compile what is in force by the code that compiles what ships."""
        current = self.versions.current()
        assert current is not None
        catalog = load_catalog(current.folder)
        target = self._folder / f"index-{current.version}"
        compile_lists(
            catalog.compiled,
            pins=catalog.pins,
            protections=catalog.protections,
            target=target,
            now=1.0,
        )
        return Index.open(target)


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[_Nights]:
    publisher = Publisher(tmp_path / "public")
    with served(publisher.folder) as server:
        yield _Nights(tmp_path, server, publisher)


def test_a_school_takes_what_was_published_and_compiles_it(nights: _Nights) -> None:
    version = nights.publish(*SCAM)
    taken = nights.sync()
    assert taken.candidate.version == str(version)
    index = nights.index()
    assert index.lookup(wire(SCAM[0]))
    assert index.lookup(wire("www.pornhub.com"))
    assert not index.lookup(wire("new.example"))


def test_the_next_night_costs_the_difference(nights: _Nights) -> None:
    nights.publish(*SCAM)
    whole = nights.sync().fetched_octets
    nights.publish(*SCAM[7:], "new.example")
    taken = nights.sync()
    assert taken.by_delta == ["additions.yaml", "lists/feed-scam.txt"]
    assert taken.in_full == []
    assert taken.fetched_octets < 0.02 * whole
    assert nights.index().lookup(wire("new.example"))
    assert not nights.index().lookup(wire(SCAM[0]))


def test_after_some_nights_away_a_difference_is_still_enough(nights: _Nights) -> None:
    nights.publish(*SCAM)
    nights.sync()
    for number in range(1, 5):
        nights.publish(*SCAM[number:])
    assert nights.sync().by_delta == ["additions.yaml", "lists/feed-scam.txt"]
    assert len(nights.versions.in_force().previous) == 1


def test_a_night_without_news_costs_metadata_alone(nights: _Nights) -> None:
    nights.publish(*SCAM)
    nights.sync()
    nights.publish(*SCAM)
    taken = nights.sync()
    assert (taken.fetched_octets, taken.by_delta, taken.in_full) == (0, [], [])
    assert not [path for path, _ in nights.server.asked if "targets/" in path]


def test_a_target_that_was_exchanged_on_the_server_is_refused(
    nights: _Nights, tmp_path: Path
) -> None:
    nights.publish(*SCAM)
    nights.sync()
    nights.publish(*SCAM[1:])
    targets = tmp_path / "public/targets"
    shutil.copytree(targets, tmp_path / "honest")
    for path in targets.rglob("*feed-scam*"):
        for one in [path] if path.is_file() else path.iterdir():
            one.write_bytes(bytes(one.stat().st_size))
    for path in targets.glob("deltas/lists/feed-scam.txt/*"):
        path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(DigestError):
        nights.sync()
    current = nights.versions.current()
    assert current is not None
    assert verify(current.folder) == ()
    assert nights.index().lookup(wire(SCAM[0]))
    shutil.rmtree(targets)
    shutil.copytree(tmp_path / "honest", targets)
    nights.sync()
    assert not nights.index().lookup(wire(SCAM[0]))
