# SPDX-License-Identifier: Apache-2.0
"""How the releases stand is kept whole, and shown without a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.paths import SYSTEM_STATE
from filterd.feed.program_standing import (
    EndedUpdate,
    ProgramStanding,
    ProgramStandingFile,
    UpdateEnding,
    beside,
    mirror_beside,
    program_overview,
)
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from pathlib import Path

BACK = EndedUpdate(5.0, "1.1.0", "1.0.0", UpdateEnding.TAKEN_BACK, say("port 53 does not answer"))
STANDING = ProgramStanding(4.0, "1.1.0", "held", say("updates are held"), endings=(BACK,))


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    file = ProgramStandingFile(beside(tmp_path / "state"))
    assert file.read() == ProgramStanding()
    file.write(STANDING)
    assert file.read() == STANDING


def test_a_damaged_file_is_no_standing(tmp_path: Path) -> None:
    file = ProgramStandingFile(tmp_path)
    file.write(STANDING)
    path = tmp_path / "standing"
    path.write_bytes(path.read_bytes().replace(b"1.1.0", b"9.9.9"))
    assert file.read() == ProgramStanding()


def test_the_folders_stand_beside_that_of_the_daemon() -> None:
    assert str(beside(SYSTEM_STATE)) == "/var/lib/filterd-install"
    assert str(mirror_beside(SYSTEM_STATE)) == "/var/lib/filterd-update/mirror"


def test_a_status_has_the_last_update_and_what_waits(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert program_overview(state)["last"] is None
    ProgramStandingFile(beside(state)).write(STANDING)
    standing_rows = program_overview(state)
    assert (standing_rows["offered"], standing_rows["waits_for"]) == ("1.1.0", "held")
    assert (standing_rows["last"]["ending"], standing_rows["taken_back_at"]) == ("taken-back", 5.0)


@pytest.mark.parametrize(
    ("waits_for", "since"), [("held", 3.0), ("ring", 3.0), ("taken-back", None), ("", None)]
)
def test_only_what_will_be_taken_waits(tmp_path: Path, waits_for: str, since: float) -> None:
    standing = ProgramStanding(waits_for=waits_for, waiting_since=3.0)
    ProgramStandingFile(beside(tmp_path)).write(standing)
    assert program_overview(tmp_path)["waiting_since"] == since


@pytest.mark.parametrize(
    ("held", "until", "is_held"),
    [(False, None, False), (True, None, True), (True, 11.0, True), (True, 10.0, False)],
)
def test_a_hold_ends_by_itself_where_it_has_an_end(
    held: bool, until: float | None, is_held: bool
) -> None:
    assert ProgramStanding(held=held, held_until=until).is_held(10.0) is is_held
