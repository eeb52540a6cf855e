# SPDX-License-Identifier: Apache-2.0
"""An id is made once and kept; what is damaged is made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.errors import StoreError
from filterd.feed.appliance_id import ID_OCTETS, ApplianceFolder

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


def test_an_id_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
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
