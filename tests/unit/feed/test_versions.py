# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import itertools
import json
import shutil
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import DigestError, GuardError, StoreError
from filterd.base.state_file import FileFormat
from filterd.feed import versions as versions_module
from filterd.feed.signed.version_download import take
from filterd.feed.version_files import verify
from filterd.feed.versions import Candidate, VersionPointer, Versions, base_of
from filterd.texts.i18n import say
from tests.support.dying import dies_at_disk
from tests.support.feed_versions import Publisher, a_list, contents_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PUBLISHER = Publisher()


def _contents(number: int) -> dict[str, bytes]:
    return {
        "catalog.yaml": b"lists: []\n",
        "lists/games.txt": a_list(range(number, number + 40)),
    }


def _have(versions: Versions, number: int) -> Candidate:
    return take(PUBLISHER.publish(number, _contents(number)), versions, PUBLISHER).candidate


def _in_force(folder: Path, *numbers: int) -> Versions:
    versions = Versions(folder)
    for number in numbers:
        _have(versions, number)
        versions.promote(str(number))
    return versions


def _flip(path: Path, at: int = 0) -> None:
    octets = bytearray(path.read_bytes())
    octets[at] ^= 1
    path.unlink()  # an old version may share its octets
    path.write_bytes(octets)


def test_at_first_nothing_is_in_force(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    assert versions.in_force() == VersionPointer()
    assert versions.current() is None
    assert versions.folders() == ()


def test_a_candidate_is_in_force_once_it_is_promoted(tmp_path: Path) -> None:
    versions = _in_force(tmp_path, 1)
    candidate = _have(versions, 2)
    assert versions.in_force().current == "1"
    versions.promote("2")
    assert versions.current() == candidate
    assert contents_of(Versions(tmp_path)) == _contents(2)


def test_the_last_three_stay_and_others_go(tmp_path: Path) -> None:
    versions = _in_force(tmp_path, 1, 2, 3, 4)
    versions.prune()
    assert versions.in_force().previous == ("3", "2")
    assert sorted(path.name for path in (tmp_path / "versions").iterdir()) == ["2", "3", "4"]


NIGHTS = [f"web-{n:012x}" for n in range(3)]


def _activated(folder: Path, *ids: str) -> Versions:
    versions = Versions(folder)
    for one in ids:
        versions.folder_of(one).mkdir(parents=True)
        versions.promote(one, checked=True)
    return versions


def test_fresh_names_of_a_night_take_the_place_of_earlier_ones(tmp_path: Path) -> None:
    ids = [NIGHTS[0], NIGHTS[1], *(f"{NIGHTS[1]}-{n:06x}" for n in range(6))]
    versions = _activated(tmp_path, *ids)
    assert versions.in_force().previous == (NIGHTS[1], NIGHTS[0])


def test_after_the_next_night_the_way_back_is_the_newest_of_the_night_before(
    tmp_path: Path,
) -> None:
    fresh = f"{NIGHTS[1]}-00000f"
    versions = _activated(tmp_path, NIGHTS[0], NIGHTS[1], fresh, NIGHTS[2])
    assert versions.in_force().previous == (fresh, NIGHTS[0])


def test_the_version_of_a_feed_is_its_own_base() -> None:
    assert base_of("412") == "412"
    assert base_of(f"{NIGHTS[1]}-00000f") == base_of(NIGHTS[1]) == NIGHTS[1]


def test_a_candidate_stays_while_it_is_wanted(tmp_path: Path) -> None:
    versions = _in_force(tmp_path, 1)
    candidate = _have(versions, 2)
    versions.partial_of("3").mkdir()
    versions.prune("2")
    assert candidate.folder.is_dir()
    assert not versions.partial_of("3").exists()
    versions.prune()
    assert not candidate.folder.exists()


def _roll_back(versions: Versions) -> str | None:
    target = versions.way_back(lambda _: True)
    versions.rollback(target)
    return target


def test_a_rollback_puts_the_one_before_in_force_and_refuses_the_bad_one(tmp_path: Path) -> None:
    versions = _in_force(tmp_path, 1, 2, 3)
    assert _roll_back(versions) == "2"
    assert contents_of(versions) == _contents(2)
    with pytest.raises(GuardError, match="version 3 of the feed was refused"):
        versions.promote("3")
    versions.allow("3")
    versions.promote("3")
    assert versions.in_force() == VersionPointer(current="3", previous=("2", "1"))


def test_a_rollback_passes_over_what_is_damaged(tmp_path: Path) -> None:
    versions = _in_force(tmp_path, 1, 2, 3)
    _flip(versions.folder_of("2") / "lists/games.txt")
    assert _roll_back(versions) == "1"
    assert contents_of(versions) == _contents(1)


def test_a_rollback_passes_over_what_is_not_trusted_any_more(tmp_path: Path) -> None:
    versions = _in_force(tmp_path, 1, 2, 3)
    assert versions.way_back(lambda path: path.name != "2") == "1"
    assert versions.way_back(lambda _: False) is None


def test_without_one_before_a_rollback_leads_to_what_ships(tmp_path: Path) -> None:
    versions = _in_force(tmp_path, 1)
    assert _roll_back(versions) is None
    assert versions.in_force() == VersionPointer(refused=("1",))


def test_a_held_version_stays_until_it_is_let_go(tmp_path: Path) -> None:
    versions = _in_force(tmp_path, 1)
    _have(versions, 2)
    versions.hold("exams until Friday")
    with pytest.raises(GuardError, match="exams until Friday"):
        versions.promote("2")
    assert versions.in_force().current == "1"
    versions.hold(None)
    versions.promote("2")
    assert versions.in_force().current == "2"


def test_a_held_version_may_be_rolled_back(tmp_path: Path) -> None:
    versions = _in_force(tmp_path, 1, 2)
    versions.hold("exams")
    assert _roll_back(versions) == "1"
    assert versions.in_force().held == "exams"


def test_refused_versions_are_remembered_and_not_without_end(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    for number in range(120):
        versions.refuse(str(number))
    versions.refuse("119")
    assert versions.in_force().refused == tuple(map(str, range(20, 120)))


@pytest.mark.parametrize("damage", ["flip", "shorten", "lose", "prolong", "manifest"])
def test_a_damaged_candidate_is_not_put_in_force(tmp_path: Path, damage: str) -> None:
    versions = _in_force(tmp_path, 1)
    folder = _have(versions, 2).folder
    path = folder / "lists/games.txt"
    if damage == "flip":
        _flip(path, 100)
    elif damage == "lose":
        path.unlink()
    elif damage == "manifest":
        path = folder / "manifest.json"
        path.write_bytes(b"{}")
    else:
        path.write_bytes(path.read_bytes()[:-1] if damage == "shorten" else path.read_bytes() * 2)
    assert verify(folder) == (path.relative_to(folder).as_posix(),)
    with pytest.raises(DigestError, match="missing or damaged"):
        versions.promote("2")
    assert contents_of(versions) == _contents(1)


def test_every_flipped_octet_of_the_pointer_leaves_the_version_in_force(tmp_path: Path) -> None:
    versions = _in_force(tmp_path, 1, 2)
    versions.refuse("9")
    state, pointer = versions.in_force(), tmp_path / "in-force.json"
    octets = pointer.read_bytes()
    for at in range(len(octets)):
        pointer.write_bytes(octets)
        _flip(pointer, at)
        assert versions.in_force() == state


OLD = b"""{
 "state": {
  "current": 12,
  "previous": [
   11,
   10
  ],
  "refused": [
   9
  ],
  "held": "tu\\u1ea7n thi"
 },
 "sha256": "2a67525d2ab1f489ef74eb508045e37a313101f17dafecb4c53cd3d11dac2686"
}"""
"""As releases up to 0.1 wrote the pointer."""
HELD = VersionPointer("12", ("11", "10"), ("9",), "tuần thi")


def _read_by_0_1(path: Path) -> VersionPointer | None:
    """Read a pointer by the rules of release 0.1, to which a rollback leads."""
    try:
        data = json.loads(path.read_bytes()[: 1 << 16])
        state = data["state"]
        digest = hashlib.sha256(json.dumps(state, sort_keys=True).encode("ascii")).hexdigest()
        if data["sha256"] != digest:
            return None
        numbers = {key: tuple(state[key]) for key in ("previous", "refused")}
        if not {type(one) for one in (state["current"], *sum(numbers.values(), ()))} <= {int}:
            return None
        lists = {key: tuple(map(str, some)) for key, some in numbers.items()}
        return VersionPointer(current=str(state["current"]), held=state["held"], **lists)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def test_a_pointer_is_read_from_and_by_the_release_before(tmp_path: Path) -> None:
    versions, paths = Versions(tmp_path), [tmp_path / "in-force.json"]
    paths[0].write_bytes(OLD)
    paths.append(tmp_path / "in-force.copy.json")
    assert versions.in_force() == HELD
    versions.mend()
    assert versions.in_force() == HELD
    assert [path.read_bytes() for path in paths] == [OLD, OLD]
    versions.refuse("13")
    versions.hold("tuần\nthi 'học kì'")
    state = replace(HELD, refused=("9", "13"), held="tuần\nthi 'học kì'")
    assert versions.in_force() == state
    assert [_read_by_0_1(path) for path in paths] == [state, state]


def test_control_in_the_form_of_other_files_the_release_before_would_lose_the_pointer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = Versions(tmp_path)
    monkeypatch.setattr(
        versions_module, "POINTER", FileFormat(VersionPointer, magic=b"filterd feed-pointer ")
    )
    versions.refuse("13")
    assert versions.in_force().refused == ("13",)
    assert _read_by_0_1(tmp_path / "in-force.json") is None


def test_a_pointer_in_the_form_of_other_files_is_read(tmp_path: Path) -> None:
    plain = FileFormat(VersionPointer, magic=b"filterd feed-pointer ")
    plain.save(tmp_path / "in-force.json", HELD)
    assert Versions(tmp_path).in_force() == HELD


def test_every_flipped_octet_of_an_old_pointer_leaves_its_copy_to_count(tmp_path: Path) -> None:
    versions, pointer = Versions(tmp_path), tmp_path / "in-force.json"
    (tmp_path / "in-force.copy.json").write_bytes(OLD)
    for at in range(len(OLD)):
        pointer.write_bytes(OLD)
        _flip(pointer, at)
        assert versions.in_force() == HELD


def test_control_without_its_digest_a_flipped_pointer_would_be_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pointer = tmp_path / "in-force.json"
    pointer.write_bytes(OLD.replace(b"12", b"13", 1))
    assert Versions(tmp_path).in_force() == VersionPointer()
    undigested = FileFormat(
        VersionPointer, magic=b"x", legacy=lambda octets: json.loads(octets)["state"]
    )
    monkeypatch.setattr(versions_module, "POINTER", undigested)
    assert Versions(tmp_path).in_force().current == "13"


@pytest.mark.parametrize("name", ["in-force.json", "in-force.copy.json"])
def test_a_pointer_that_is_damaged_or_has_stayed_behind_is_written_anew(
    tmp_path: Path, name: str
) -> None:
    versions = _in_force(tmp_path, 1, 2)
    now, path = versions.in_force(), tmp_path / name
    sound = path.read_bytes()
    for damaged in (b"", sound[:-9], sound.replace(b"2", b"3", 1)):
        path.write_bytes(damaged)
        versions.mend()
        assert versions.in_force() == now
        assert path.read_bytes() == sound


def test_a_copy_that_has_stayed_behind_is_not_believed(tmp_path: Path) -> None:
    versions = _in_force(tmp_path, 1)
    behind = (tmp_path / "in-force.copy.json").read_bytes()
    versions.refuse("2")
    (tmp_path / "in-force.copy.json").write_bytes(behind)
    versions.mend()
    (tmp_path / "in-force.json").unlink()
    assert versions.in_force().refused == ("2",)


def test_what_was_checked_before_is_promoted_whatever_became_of_its_folder(
    tmp_path: Path,
) -> None:
    versions = _in_force(tmp_path, 1)
    (_have(versions, 2).folder / "catalog.yaml").unlink()
    with pytest.raises(DigestError):
        versions.promote("2")
    versions.promote("2", checked=True)
    assert versions.in_force().current == "2"


@pytest.mark.parametrize("rubbish", [b"", b"null", b"[]", b"{}", b"[" * 60_000, b"\xff"])
def test_with_both_pointers_lost_the_next_version_is_the_first(
    tmp_path: Path, rubbish: bytes
) -> None:
    versions = _in_force(tmp_path, 1)
    for name in ("in-force.json", "in-force.copy.json"):
        (tmp_path / name).write_bytes(rubbish)
    assert versions.in_force() == VersionPointer()
    taken = take(PUBLISHER.publish(2, _contents(2)), versions, PUBLISHER)
    assert taken.linked == ["catalog.yaml"]
    versions.promote("2")
    assert contents_of(versions) == _contents(2)


def test_a_disk_that_refuses_leaves_the_version_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = _in_force(tmp_path, 1)
    _have(versions, 2)

    def refuse(*_: object) -> None:
        raise StoreError(say("the disk is full"))

    with monkeypatch.context() as patched:
        patched.setattr("filterd.base.state_file.write_atomically", refuse)
        with pytest.raises(StoreError):
            versions.promote("2")
    assert contents_of(versions) == _contents(1)


@pytest.mark.parametrize("change", ["promote", "rollback", "prune"])
def test_killed_at_any_step_the_old_or_the_new_version_is_in_force(
    tmp_path: Path, change: str
) -> None:
    before = tmp_path / "before"
    _have(_in_force(before, 1, 2, 3), 4)
    for number in itertools.count():
        folder = tmp_path / f"{change}-{number}"
        shutil.copytree(before, folder)
        versions = Versions(folder)
        works: dict[str, Callable[[], object]] = {
            "promote": partial(versions.promote, "4"),
            "rollback": partial(versions.rollback, "2"),
            "prune": versions.prune,
        }
        work = works[change]
        died = dies_at_disk(work, number)
        expected = {"promote": ("3", "4"), "rollback": ("3", "2"), "prune": ("3",)}[change]
        assert versions.in_force().current in (expected if died else expected[-1:])
        state = versions.in_force()
        for one in (state.current, *state.previous):
            assert verify(versions.folder_of(one or "0")) == ()
        work()  # again, after the power is back
        versions.prune()
        if change == "prune":
            assert sorted(p.name for p in (folder / "versions").iterdir()) == ["1", "2", "3"]
        if not died:
            break
    assert number > 2
