# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from filterd.errors import DigestError, ExpiredError, MissingFileError
from filterd.feed.arrival import Moment
from filterd.feed.deltas import pack
from filterd.feed.fetchers import FolderFetcher
from filterd.publish.signing import NewTarget
from filterd.publish.verification import verify
from tests.support.clock import FakeClock
from tests.support.packages_offered import Maker
from tests.support.publisher import DAY_S, NOW, Publisher

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"a.example\n"


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path / "www")


def publish(publisher: Publisher, content: bytes, told: bytes = CONTENT) -> bytes:
    custom = {"path": "a.txt", "length": len(told), "sha256": hashlib.sha256(told).hexdigest()}
    packed = pack(content)
    publisher.repository.publish(
        [NewTarget("a.txt.zst", packed, custom)], publisher.signers, now=NOW
    )
    return packed


def fetcher(publisher: Publisher) -> FolderFetcher:
    return FolderFetcher(publisher.folder, FakeClock(NOW))


def test_all_of_a_publication_is_fetched_and_unpacked(publisher: Publisher) -> None:
    packed, seen = publish(publisher, CONTENT), list[tuple[int, int]]()
    examined = verify(
        publisher.root, fetcher(publisher), Moment(NOW), lambda *step: seen.append(step)
    )
    assert examined.octets == len(packed)
    assert examined.verified.publication.version == "2"
    assert seen == [(1, 1)]


def test_packages_of_the_program_are_fetched_as_well(publisher: Publisher) -> None:
    maker = Maker(publisher.folder.parent, publisher)
    package = maker.offer("0.2.0")
    examined = verify(publisher.root, fetcher(publisher), Moment(NOW))
    assert [one.version for one in examined.packages] == ["0.2.0"]
    assert (examined.octets, "program" in examined.expiries) == (package.stat().st_size, True)
    [stored] = (publisher.folder / "targets/program").iterdir()
    stored.unlink()
    with pytest.raises(MissingFileError):
        verify(publisher.root, fetcher(publisher), Moment(NOW))


def test_a_packed_file_with_another_content_is_found(publisher: Publisher) -> None:
    publish(publisher, CONTENT.upper())
    with pytest.raises(DigestError, match="not the one that was signed"):
        verify(publisher.root, fetcher(publisher), Moment(NOW))


def test_a_missing_file_and_an_expired_one_are_found(publisher: Publisher) -> None:
    publish(publisher, CONTENT)
    with pytest.raises(ExpiredError):
        verify(publisher.root, fetcher(publisher), Moment(NOW + 40 * DAY_S))
    for path in (publisher.folder / "targets").iterdir():
        path.unlink()
    with pytest.raises(MissingFileError):
        verify(publisher.root, fetcher(publisher), Moment(NOW))
