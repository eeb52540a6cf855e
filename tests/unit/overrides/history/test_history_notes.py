# SPDX-License-Identifier: Apache-2.0
"""A note is a row of the history that sets nothing, without a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from filterd.base.errors import ChangeError
from filterd.base.state_folder import StateFolder
from filterd.feed.program_standing import UpdateEnding
from filterd.overrides.changes.change_kinds import _KINDS, MADE_ELSEWHERE, NEED_A_REASON, parse
from filterd.overrides.changes.effects import ChangeEffect, CheckedChange
from filterd.overrides.descriptions import Describer
from filterd.overrides.history.history_notes import (
    NoteAccount,
    NoteProgramUpdate,
    NoteRefusal,
    NoteRemoval,
    NoteSiteEdit,
    NoteTrial,
    NoteView,
)
from filterd.overrides.history.store import Store
from filterd.overrides.rights.read_access import View
from filterd.texts import words
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "0" * 64
NOTES: dict[str, tuple[dict[str, Any], CheckedChange, str]] = {
    "account": (
        {"what": "added", "account": "hoa", "roles": ["teacher"]},
        NoteAccount("added", "hoa", ("teacher",)),
        "account hoa added (teacher)",
    ),
    "site-edit": (
        {"keys": ["networks.lab", "log"], "digest": DIGEST},
        NoteSiteEdit(("log", "networks.lab"), DIGEST),
        "site.yaml: networks.lab, log",
    ),
    "program-update": (
        {"version": "1.1.0", "before": "1.0.0", "ending": "taken-back"},
        NoteProgramUpdate("1.1.0", "1.0.0", "taken-back"),
        "release 1.1.0 of filterd: taken back (before: 1.0.0)",
    ),
    "exam-trial": ({"room": "lab-a"}, NoteTrial("lab-a"), "a trial run in room lab-a"),
    "review-refusal": (
        {"name": "a.example", "seat": "6A"},
        NoteRefusal("a.example", "6A"),
        "refused to open a.example for class 6A",
    ),
    "log-view": (
        {"view": "names", "days": ["2026-11-27"], "class_id": ""},
        NoteView(View.NAMES, ("2026-11-27",)),
        "looked at the names that a tier asked for (2026-11-27)",
    ),
    "log-removal": (
        {"what": "day", "day": "2026-11-27"},
        NoteRemoval("day", "2026-11-27"),
        "a day was removed from the log (2026-11-27)",
    ),
}


@pytest.mark.parametrize("kind", NOTES)
def test_a_note_is_read_reported_in_a_sentence_and_sets_nothing(kind: str) -> None:
    payload, note, sentence = NOTES[kind]
    context: Any = None
    assert parse(kind, payload) == note
    assert note.effect(context) == ChangeEffect()
    row = {"kind": kind, "payload": payload, "before": {}, "after": {}}
    assert Describer(Texts("en"), SchoolClock(ZoneInfo("UTC"), 0.0)).row(row) == sentence


def test_notes_stand_in_a_history_that_verifies_and_an_undo_passes_by(tmp_path: Path) -> None:
    store = Store(StateFolder(tmp_path), FakeClock())
    store.start()
    block = {"target_kind": "name", "target": "a.example", "allow": False}
    store.change("exception", block, author="minh", reason="x")
    for kind, (payload, _, _) in NOTES.items():
        store.change(kind, payload, author="web:minh", reason="asked for")
    assert {row.effect() for row in store.rows(len(NOTES))} == {ChangeEffect()}
    assert [row.kind for row in store.rows(2, views=False)] == ["log-removal", "review-refusal"]
    with pytest.raises(ChangeError, match="has changed nothing"):
        store.change("undo", {"number": 2}, author="minh", reason="")
    assert store.change("undo", {}, author="minh", reason="").overrides.exceptions == ()
    assert store.verify().is_sound


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        *(
            ("account", one)
            for one in (
                {"what": "stolen"},
                {"account": ""},
                {"account": "a b"},
                {"roles": ["root"]},
                {"label": "a\nb"},
                {"password": "x"},
            )
        ),
        *(("site-edit", {"keys": one}) for one in ("log", [""], [1])),
        ("site-edit", {"digest": "x"}),
        *(("program-update", one) for one in ({"version": "1 1"}, {"before": 7}, {"ending": "a"})),
        *(("log-view", one) for one in ({"view": "all"}, {"days": ["x"]}, {"class_id": "6\n"})),
        ("log-view", {"name": "a.example"}),
        *(("log-removal", one) for one in ({"what": "some"}, {"day": "x"}, {"name": "a"})),
    ],
)
def test_anything_else_is_refused(kind: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ChangeError):
        parse(kind, NOTES[kind][0] | wrong)


def test_every_word_of_a_note_has_its_text() -> None:
    assert all("{account}" in text for text in words.ACCOUNT_CHANGE.values())
    assert set(words.UPDATE_ENDING) == set(UpdateEnding)


def test_only_notes_set_nothing() -> None:
    """A kind that forgot its effect would be recorded, and never be in force."""
    without = {kind for kind, one in _KINDS.items() if one.effect is CheckedChange.effect}
    assert without == set(NOTES)


def test_notes_cannot_be_asked_for_as_a_change() -> None:
    """The unit of root that updates filterd asks for its own."""
    assert set(NOTES) - {"program-update"} <= set(MADE_ELSEWHERE)
    assert "log-removal" in NEED_A_REASON


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("site-edit", {"keys": ["k" * 130, "a"], "digest": DIGEST}),
        ("account", {"what": "token-revoked", "account": "hoa", "label": "x" * 90}),
    ],
)
def test_a_note_has_texts_up_to_their_bounds(kind: str, payload: dict[str, Any]) -> None:
    change = parse(kind, payload)
    if isinstance(change, NoteSiteEdit):
        assert change.keys == ("a", "k" * 130)
    else:
        assert isinstance(change, NoteAccount)
        assert change.label == "x" * 60


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("site-edit", {"keys": ["a"], "digest": 5}),
        ("site-edit", {"keys": ["a"], "digest": None}),
        ("site-edit", {"keys": ["k" * 131], "digest": DIGEST}),
        ("site-edit", {"keys": [5], "digest": DIGEST}),
        ("log-view", {"view": "names", "days": [5], "class_id": ""}),
    ],
)
def test_a_value_of_another_kind_is_refused_with_its_name(kind: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ChangeError, match=r"is not a|missing"):
        parse(kind, wrong)
