# SPDX-License-Identifier: Apache-2.0
"""An update is a row of the history, and sets nothing."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from filterd.errors import ChangeError
from filterd.feed.program_standing import UpdateEnding
from filterd.i18n import Texts
from filterd.overrides.change_fields import ChangeFields
from filterd.overrides.descriptions import Teller
from filterd.overrides.program_notes import NoteProgramUpdate
from filterd.rows import SchoolClock
from filterd.words import UPDATE_ENDING

BACK = {"version": "1.1.0", "before": "1.0.0", "ending": "taken-back"}


def test_a_note_has_both_releases_and_the_end() -> None:
    assert NoteProgramUpdate.read(ChangeFields(dict(BACK))) == NoteProgramUpdate(*BACK.values())


def test_every_end_has_words() -> None:
    assert set(UPDATE_ENDING) == set(UpdateEnding)


@pytest.mark.parametrize("wrong", [{"version": "1 1"}, {"before": 7}, {"ending": "well"}])
def test_anything_else_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ChangeError):
        NoteProgramUpdate.read(ChangeFields(BACK | wrong))


def test_the_history_shows_it_in_a_sentence() -> None:
    row = {"kind": "program-update", "payload": BACK, "before": {}, "after": {}}
    told = Teller(Texts("en"), SchoolClock(ZoneInfo("UTC"), 0.0)).row(row)
    assert told == "release 1.1.0 of filterd: taken back (before: 1.0.0)"
