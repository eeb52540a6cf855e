# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from filterd.base import paths
from filterd.base.errors import DigestError, MissingFileError, StoreError
from filterd.feed.signed import version_download
from filterd.feed.signed.deltas import pack
from filterd.feed.signed.version_download import SPARE_OCTETS, take
from filterd.feed.version_files import verify
from filterd.feed.versions import VersionPointer, Versions
from tests.support.dying import dies_at_disk
from tests.support.feed_versions import Contents, Publisher, a_list, contents_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from filterd.feed.version_files import Publication

FIRST: Contents = {
    "catalog.yaml": b"lists: [games]\n",
    "lists/games.txt": a_list(range(400)),
    "lists/porn.txt": a_list(range(1000, 1050)),
    "old.yaml": b"gone tomorrow\n",
}
SECOND: Contents = {
    "catalog.yaml": b"lists: [games]\n",
    "lists/games.txt": a_list(range(2, 402)),
    "lists/porn.txt": a_list(range(1000, 1050)),
    "pins.yaml": a_list(range(5)),
}


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


def _first(folder: Path, publisher: Publisher) -> Versions:
    """Have the first version in force."""
    versions = Versions(folder)
    take(publisher.publish(1, FIRST), versions, publisher)
    versions.promote("1")
    publisher.asked.clear()
    return versions


def _flip(path: Path) -> None:
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)


def test_the_first_version_is_fetched_whole(tmp_path: Path, publisher: Publisher) -> None:
    versions = Versions(tmp_path)
    taken = take(publisher.publish(1, FIRST), versions, publisher)
    assert taken.in_full == sorted(FIRST)
    assert taken.candidate.folder == versions.folder_of("1")
    assert versions.in_force() == VersionPointer()
    versions.promote("1")
    assert contents_of(versions) == FIRST


def test_the_next_one_costs_what_has_changed(tmp_path: Path, publisher: Publisher) -> None:
    versions = _first(tmp_path, publisher)
    publication = publisher.publish(2, SECOND)
    taken = take(publication, versions, publisher)
    assert taken.linked == ["catalog.yaml", "lists/porn.txt"]
    assert taken.by_delta == ["lists/games.txt"]
    assert taken.in_full == ["pins.yaml"]
    assert publisher.asked == [publication.deltas[1].target, "pins.yaml.zst"]
    assert taken.fetched_octets == sum(len(publisher.targets[one]) for one in publisher.asked)
    assert contents_of(versions) == FIRST
    versions.promote("2")
    assert contents_of(versions) == SECOND


def test_what_has_not_changed_takes_no_room_twice(tmp_path: Path, publisher: Publisher) -> None:
    versions = _first(tmp_path, publisher)
    take(publisher.publish(2, SECOND), versions, publisher)
    one, two = (versions.folder_of(number) / "lists/porn.txt" for number in ("1", "2"))
    assert one.samefile(two)


def test_a_file_system_without_links_gets_copies(
    tmp_path: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = _first(tmp_path, publisher)

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    taken = take(publisher.publish(2, SECOND), versions, publisher)
    assert taken.linked == ["catalog.yaml", "lists/porn.txt"]
    assert verify(taken.candidate.folder) == ()
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_version_that_is_whole_costs_nothing(tmp_path: Path, publisher: Publisher) -> None:
    versions = _first(tmp_path, publisher)
    taken = take(publisher.publish(1, FIRST), versions, publisher)
    assert taken.kept == sorted(FIRST)
    assert publisher.asked == []


def test_a_flipped_octet_of_the_old_version_means_a_full_download(
    tmp_path: Path, publisher: Publisher
) -> None:
    versions = _first(tmp_path, publisher)
    _flip(versions.folder_of("1") / "lists/games.txt")
    _flip(versions.folder_of("1") / "lists/porn.txt")
    taken = take(publisher.publish(2, SECOND), versions, publisher)
    assert taken.by_delta == []
    assert taken.in_full == ["lists/games.txt", "lists/porn.txt", "pins.yaml"]
    versions.promote("2")
    assert contents_of(versions) == SECOND


def test_a_damaged_version_in_force_is_mended(tmp_path: Path, publisher: Publisher) -> None:
    versions = _first(tmp_path, publisher)
    _flip(versions.folder_of("1") / "lists/games.txt")
    assert take(publisher.publish(1, FIRST), versions, publisher).in_full == ["lists/games.txt"]
    assert contents_of(versions) == FIRST


def test_a_content_of_an_older_version_is_used_again(tmp_path: Path, publisher: Publisher) -> None:
    versions = _first(tmp_path, publisher)
    take(publisher.publish(2, SECOND), versions, publisher)
    versions.promote("2")
    publisher.asked.clear()
    assert take(publisher.publish(3, FIRST), versions, publisher).linked == sorted(FIRST)
    assert publisher.asked == []


def test_a_missing_difference_is_made_up_for(tmp_path: Path, publisher: Publisher) -> None:
    versions = _first(tmp_path, publisher)
    publication = publisher.publish(2, SECOND)
    delta = publication.deltas[1].target
    del publisher.targets[delta]
    taken = take(publication, versions, publisher)
    assert (taken.failed_deltas, taken.by_delta) == ([delta], [])
    assert verify(taken.candidate.folder) == ()


def test_a_difference_that_leads_elsewhere_is_made_up_for(
    tmp_path: Path, publisher: Publisher
) -> None:
    versions = _first(tmp_path, publisher)
    publication = publisher.publish(2, SECOND)
    delta = publication.deltas[1].target
    for wrong in (b"rubbish", pack(a_list(range(3, 403)))):
        publisher.targets[delta] = wrong
        taken = take(publication, versions, publisher)
        assert taken.failed_deltas == [delta]
        assert verify(taken.candidate.folder) == ()
        shutil.rmtree(taken.candidate.folder)


@pytest.mark.parametrize(("less", "way"), [(1, "by_delta"), (0, "in_full")])
def test_a_difference_is_fetched_only_where_it_is_smaller(
    tmp_path: Path, publisher: Publisher, less: int, way: str
) -> None:
    versions = _first(tmp_path, publisher)
    publication = publisher.publish(2, SECOND)
    [file] = [one for one in publication.files if one.path == "lists/games.txt"]
    octets = file.packed_octets - less
    deltas = tuple(replace(delta, packed_octets=octets) for delta in publication.deltas)
    taken = take(replace(publication, deltas=deltas), versions, publisher)
    assert "lists/games.txt" in getattr(taken, way)


def test_another_content_than_the_signed_one_is_refused(
    tmp_path: Path, publisher: Publisher
) -> None:
    versions = _first(tmp_path, publisher)
    publication = publisher.publish(2, SECOND)
    publisher.targets["pins.yaml.zst"] = pack(a_list(range(1, 6)))
    with pytest.raises(DigestError, match=r"pins\.yaml"):
        take(publication, versions, publisher)
    assert not versions.folder_of("2").exists()
    assert contents_of(versions) == FIRST
    publisher.publish(2, SECOND)
    assert take(publication, versions, publisher).in_full == ["pins.yaml"]


def test_what_does_not_come_leaves_all_as_it_is(tmp_path: Path, publisher: Publisher) -> None:
    versions = _first(tmp_path, publisher)
    publication = publisher.publish(2, SECOND)
    del publisher.targets["pins.yaml.zst"]
    with pytest.raises(MissingFileError):
        take(publication, versions, publisher)
    assert contents_of(versions) == FIRST


def test_what_came_for_one_version_serves_the_next(tmp_path: Path, publisher: Publisher) -> None:
    versions = _first(tmp_path, publisher)
    publication = publisher.publish(2, SECOND)
    del publisher.targets["pins.yaml.zst"]
    with pytest.raises(MissingFileError):
        take(publication, versions, publisher)
    publisher.asked.clear()
    third = publisher.publish(3, {**SECOND, "old.yaml": b"there again\n"})
    taken = take(third, versions, publisher)
    assert "lists/games.txt" in taken.linked
    assert publisher.asked == ["old.yaml.zst", "pins.yaml.zst"]


def test_what_an_attempt_left_beside_the_files_is_removed(
    tmp_path: Path, publisher: Publisher
) -> None:
    versions = Versions(tmp_path)
    left = versions.partial_of("1") / "lists" / "more"
    left.mkdir(parents=True)
    (left / ".games.txt.7.tmp").write_bytes(b"half")
    (versions.partial_of("1") / "link").symlink_to(left)
    take(publisher.publish(1, FIRST), versions, publisher)
    versions.promote("1")
    assert contents_of(versions) == FIRST
    assert not (versions.folder_of("1") / "lists/more").exists()


def _room(octets: int) -> Callable[[Path], int]:
    return lambda _folder: octets


def test_a_disk_that_would_be_filled_is_not_begun_with(
    tmp_path: Path, publisher: Publisher
) -> None:
    versions = _first(tmp_path, publisher)
    publication = publisher.publish(2, SECOND)
    written = sum(len(SECOND[path]) for path in ("lists/games.txt", "pins.yaml"))
    enough = 3 * written + SPARE_OCTETS
    with pytest.raises(StoreError, match="MB of free space"):
        take(publication, versions, publisher, free=_room(enough - 1))
    assert publisher.asked == []
    take(publication, versions, publisher, free=_room(enough))
    assert publisher.asked


def test_nothing_to_write_needs_no_room(tmp_path: Path, publisher: Publisher) -> None:
    versions = _first(tmp_path, publisher)
    take(publisher.publish(1, FIRST), versions, publisher, free=_room(0))


def test_a_disk_that_refuses_is_named(tmp_path: Path, publisher: Publisher) -> None:
    (tmp_path / "versions").write_bytes(b"a file in the way")
    with pytest.raises(StoreError, match=r"1\.partial: cannot be written"):
        take(publisher.publish(1, FIRST), Versions(tmp_path), publisher)


def test_a_disk_that_gives_back_something_else_is_noticed(
    tmp_path: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgets(path: Path, content: bytes) -> None:
        paths.write_atomically(path, content[:-1] + b"?")

    versions = _first(tmp_path, publisher)
    with monkeypatch.context() as patched:
        patched.setattr(version_download, "write_atomically", forgets)
        with pytest.raises(StoreError, match="does not return"):
            take(publisher.publish(2, SECOND), versions, publisher)
    assert not versions.folder_of("2").exists()
    assert contents_of(versions) == FIRST


def test_progress_ends_at_what_was_to_be_fetched(tmp_path: Path, publisher: Publisher) -> None:
    steps = list[tuple[int, int]]()
    versions = _first(tmp_path, publisher)
    taken = take(
        publisher.publish(2, SECOND),
        versions,
        publisher,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert steps[-1] == (taken.fetched_octets, taken.fetched_octets)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def _sync(publication: Publication, versions: Versions, publisher: Publisher) -> None:
    take(publication, versions, publisher)
    versions.promote(publication.version)
    versions.prune()


def _points_first(publication: Publication, versions: Versions, publisher: Publisher) -> None:
    """Do the same in the wrong order."""
    versions._point(VersionPointer(current=publication.version, previous=("1",)))
    _sync(publication, versions, publisher)


def _is_old_or_new(versions: Versions) -> bool:
    current = versions.current()
    if current is None or verify(current.folder):
        return False
    return contents_of(versions) == (FIRST if current.version == "1" else SECOND)


@pytest.mark.parametrize("sync", [_sync, pytest.param(_points_first, marks=pytest.mark.long)])
def test_killed_at_any_step_the_old_or_the_new_version_is_whole(
    tmp_path: Path, publisher: Publisher, sync: Callable[..., None]
) -> None:
    before = tmp_path / "before"
    _first(before, publisher)
    publication = publisher.publish(2, SECOND)
    mixes = 0
    for number in itertools.count():
        folder = tmp_path / str(number)
        shutil.copytree(before, folder)
        versions = Versions(folder)
        died = dies_at_disk(partial(sync, publication, versions, publisher), number)
        mixes += not _is_old_or_new(versions)
        whole = len(list((folder / "versions").glob("2*/lists/games.txt")))
        publisher.asked.clear()
        _sync(publication, versions, publisher)  # again, after the power is back
        assert contents_of(versions) == SECOND
        assert ("deltas/lists/games.txt" in "".join(publisher.asked)) == (not whole)
        assert not list(folder.rglob("*.tmp"))
        shutil.rmtree(folder)
        if not died:
            break
    assert number > 20
    assert bool(mixes) == (sync is _points_first)  # the wrong order is found out
