# SPDX-License-Identifier: Apache-2.0
"""Small files of an appliance: a damaged one is made anew, or counts as empty."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import StoreError
from filterd.base.state_file import FileFormat
from filterd.feed import appliance_files
from filterd.feed.appliance_files import (
    ID_OCTETS,
    LEFT_OUT_S,
    ApplianceFolder,
    FollowFile,
    FollowState,
    LeftOut,
    TimeFloor,
    Wanted,
    followed_lists,
    missing_lists,
    with_command,
    with_left_out,
)
from filterd.lists.catalogs.catalog import shipped_sources
from filterd.lists.hostname import key_from_text
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def kept(tmp_path: Path) -> ApplianceFolder:
    return ApplianceFolder(tmp_path / "feed")


def test_the_id_is_made_once_and_only_its_owner_reads_it(kept: ApplianceFolder) -> None:
    made = kept.appliance_id()
    assert len(made) == ID_OCTETS
    assert ApplianceFolder(kept.folder).appliance_id() == made
    assert kept.id_path.stat().st_mode & 0o777 == 0o600


def test_no_two_appliances_have_the_same_id(tmp_path: Path) -> None:
    ids = {ApplianceFolder(tmp_path / str(number)).appliance_id() for number in range(20)}
    assert len(ids) == 20


@pytest.mark.parametrize("damage", [b"", b"\xff" * 40, b"00" * 15, b"00" * 17, b"0" * 100_000])
def test_a_damaged_id_is_made_anew(kept: ApplianceFolder, damage: bytes) -> None:
    kept.appliance_id()
    kept.id_path.write_bytes(damage)
    made = kept.appliance_id()
    assert len(made) == ID_OCTETS
    assert kept.appliance_id() == made


def test_an_id_that_cannot_be_kept_is_reported(tmp_path: Path) -> None:
    (tmp_path / "feed").write_bytes(b"in the way")
    with pytest.raises(StoreError):
        ApplianceFolder(tmp_path / "feed").appliance_id()


def test_when_a_run_ended_is_remembered(kept: ApplianceFolder) -> None:
    assert kept.done_at() is None
    kept.remember(1_800_000_000.25)
    assert kept.done_at() == 1_800_000_000.25


def test_a_time_of_an_earlier_release_is_read_and_written_in_the_new_form(
    kept: ApplianceFolder,
) -> None:
    kept.folder.mkdir()
    kept.last_run_path.write_bytes(b'{"done_at": 1800000000.25}')
    assert kept.done_at() == 1_800_000_000.25
    kept.remember(1_800_000_001.0)
    assert kept.last_run_path.read_bytes().startswith(b"filterd feed-run 1\n")


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x00" * 30,
        b"[]",
        b'{"done_at": null}',
        b'{"done_at": true}',
        b'{"done_at": NaN}',
        b'{"done_at": 1e999}',
        b'{"done_at": ' + b"9" * 900 + b"}",
        b"[" * 1_000,
    ],
)
def test_a_damaged_time_is_none(kept: ApplianceFolder, damage: bytes) -> None:
    kept.remember(1.0)
    kept.last_run_path.write_bytes(damage)
    assert kept.done_at() is None


YEAR_S = 366 * 86_400.0
LATER = RELEASED_AT + 40 * 86_400.0


def test_before_anything_is_known_it_is_the_release(tmp_path: Path) -> None:
    assert TimeFloor(tmp_path).read() == RELEASED_AT


def test_a_time_that_goes_on_is_kept(tmp_path: Path) -> None:
    floor = TimeFloor(tmp_path)
    floor.note(LATER)
    assert TimeFloor(tmp_path).read() == LATER
    floor.note(0.0)
    assert floor.read() == LATER


def test_a_jump_of_more_than_a_year_is_kept_only_once_something_was_signed_then(
    tmp_path: Path,
) -> None:
    floor, far = TimeFloor(tmp_path), LATER + 20 * YEAR_S
    floor.note(LATER)
    floor.note(far, signed_at=LATER)
    assert floor.read() == LATER
    floor.note(far, signed_at=far - 86_400)
    assert floor.read() == far


def test_it_is_not_written_at_every_run(tmp_path: Path) -> None:
    floor = TimeFloor(tmp_path)
    floor.note(LATER)
    floor.note(LATER + 600)
    assert floor.read() == LATER


def test_one_flipped_bit_makes_no_time_that_never_comes(tmp_path: Path) -> None:
    floor, path = TimeFloor(tmp_path), tmp_path / "time-floor"
    floor.note(LATER)
    octets = path.read_bytes()
    for place in range(8 * len(octets)):
        flipped = bytearray(octets)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        assert floor.read() == RELEASED_AT


def test_a_file_is_read_from_and_by_the_release_before(tmp_path: Path) -> None:
    floor, path = TimeFloor(tmp_path), tmp_path / "time-floor"
    path.write_bytes(b"1798934400 4fa53fde")
    assert floor.read() == LATER == 1_798_934_400
    path.write_bytes(b"1798934401 4fa53fde")  # its checksum is of another time
    assert floor.read() == RELEASED_AT
    floor.note(LATER)
    assert path.read_bytes() == b"1798934400 4fa53fde"
    plain = FileFormat(appliance_files._Believed, magic=b"filterd feed-time ")
    plain.save(path, appliance_files._Believed(LATER + 5.0))
    assert floor.read() == LATER + 5.0


@pytest.mark.parametrize("damage", [b"", b"nan", b"inf", b"\xff\xfe", b"9" * 400, b"1e300"])
def test_a_damaged_file_gives_nothing(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "time-floor").write_bytes(damage)
    assert TimeFloor(tmp_path).read() == RELEASED_AT


ONE = LeftOut("mistake.example", "ut1-games", "a school", 0.0, LEFT_OUT_S)
GAMES = next(source for source in shipped_sources() if source.id == "ut1-games")


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = FollowFile(tmp_path)
    assert file.read() == FollowState()
    own = Wanted("lists-example-1", "https://lists.example/a", "games", "hosts", subtrees=True)
    state = FollowState((Wanted("abpvn"), own), (ONE,), (own,))
    file.write(state)
    assert file.read() == state
    assert followed_lists(tmp_path) == (own.id, "abpvn"), "one will come with the next run"
    assert missing_lists(tmp_path) == (own.id, "abpvn")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "abpvn.txt").write_text("a.example\n")
    assert missing_lists(tmp_path) == (own.id,)


def test_a_list_is_followed_once() -> None:
    state = with_command(FollowState(), Wanted("abpvn"), Wanted("urlhaus"))
    assert with_command(state, Wanted("abpvn")).by_command == (Wanted("urlhaus"), Wanted("abpvn"))


def test_an_entry_is_left_out_of_its_list_or_of_the_merged_one_until_it_ends() -> None:
    for name in ("ut1-games", "feed-ut1-games", "feed-games"):
        state = with_left_out(FollowState(), replace(ONE, list=name))
        keys = {key_from_text("mistake.example")}
        assert state.exclusions([GAMES], LEFT_OUT_S - 1) == {"ut1-games": keys}
        assert state.exclusions([GAMES], LEFT_OUT_S) == {}
    assert with_left_out(FollowState(), replace(ONE, list="abpvn")).exclusions([GAMES], 0) == {}


def test_the_same_command_renews_it_and_what_is_over_goes() -> None:
    state = with_left_out(FollowState(), ONE)
    other = replace(ONE, name="other.example", at=LEFT_OUT_S / 2, until=2 * LEFT_OUT_S)
    again = replace(ONE, at=LEFT_OUT_S / 2, until=LEFT_OUT_S * 1.5)
    assert with_left_out(with_left_out(state, other), again).left_out == (other, again)
    late = replace(other, at=LEFT_OUT_S, until=3 * LEFT_OUT_S)
    assert with_left_out(state, late).left_out == (late,)
