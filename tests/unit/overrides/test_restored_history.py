# SPDX-License-Identifier: Apache-2.0
"""Two histories become one, and what was removed of persons stays removed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd.errors import StoreError
from filterd.overrides import restored_history
from filterd.overrides.effects import ChangeEffect, from_plain, to_plain
from filterd.overrides.history_chain import FROM_BACKUP, GENESIS, HistoryRow, replay
from filterd.overrides.restored_history import BackupOrigin, Deletions, RestoredHistory
from filterd.policy.model import DAY_S
from tests.support.changes import Book, an_exception
from tests.support.policies import NOW

if TYPE_CHECKING:
    from filterd.policy.temporary_rules import Overrides

MAC, CLIENT = "02:00:00:00:00:01", {"audience": "client", "whom": "10.0.6.7"}
ORIGIN = BackupOrigin("ab" * 16, 1.0)


def restored(here: Book, backup: list[HistoryRow], origin: BackupOrigin = ORIGIN) -> Overrides:
    """Do what the store does, in memory."""
    found = plan(here, backup, origin)
    here.rows = [*(backup if found.adopts else here.rows), found.row]
    here.replay = replay(here.rows)
    assert here.replay.first_bad is None, here.replay.problem
    return here.overrides


def plan(here: Book, backup: list[HistoryRow], origin: BackupOrigin = ORIGIN) -> RestoredHistory:
    about = here.rows, here.overrides, backup, origin
    return restored_history.restored(*about, author="root", at=here.now)


def targets(overrides: Overrides) -> list[str]:
    return [one.target for one in overrides.exceptions]


@pytest.fixture
def here() -> Book:
    book = Book()
    book.make("exception", **an_exception(target="a.example"))
    return book


def test_a_history_that_goes_on_gets_one_row_that_sets_things_back(here: Book) -> None:
    backup = list(here.rows)
    here.make("revoke", id=1)
    here.make("exception", **an_exception(target="b.example"))
    found = plan(here, backup)
    assert (found.adopts, len(found.left)) == (False, 2)
    assert targets(restored(here, backup)) == ["a.example"]
    assert [row.number for row in here.rows] == [1, 2, 3, 4]
    assert here.rows[-1].kind == FROM_BACKUP


def test_a_restore_can_be_undone(here: Book) -> None:
    backup = list(here.rows)
    here.make("exception", **an_exception(target="b.example"))
    restored(here, backup)
    here.make("undo", number=here.rows[-1].number)
    assert targets(here.overrides) == ["a.example", "b.example"]


def test_an_empty_box_takes_the_history_of_the_backup(here: Book) -> None:
    fresh = Book()
    assert plan(fresh, here.rows)[::2] == (True, ())
    assert targets(restored(fresh, here.rows)) == ["a.example"]
    assert json.loads(fresh.rows[-1].payload)["head"] == ""


def test_another_history_is_left_and_its_last_change_is_noted(here: Book) -> None:
    other = Book()
    other.make("exception", **an_exception(target="c.example"))
    last = other.rows[-1].hash
    assert plan(other, here.rows).left == tuple(other.rows)
    assert targets(restored(other, here.rows)) == ["a.example"]
    assert json.loads(other.rows[-1].payload)["head"] == last


def test_the_same_restore_is_found_again(here: Book) -> None:
    assert restored_history.done_before(here.rows, ORIGIN) is None
    restored(here, list(here.rows))
    assert restored_history.done_before(here.rows, ORIGIN) is here.rows[-1]
    assert restored_history.done_before(here.rows, BackupOrigin("cd" * 16, 1.0)) is None


def test_things_that_ended_meanwhile_do_not_come_back(here: Book) -> None:
    here.make("exception", **an_exception(target="b.example", ends_at=here.now + 60))
    backup = list(here.rows)
    here.now += 61
    assert targets(restored(Book(here.now), backup)) == ["a.example"]


_REMOVALS: list[tuple[list[tuple[str, dict[str, Any]]], tuple[str, dict[str, Any]]]] = [
    (
        [("device-name", {"mac": MAC, "name": "máy của An"})],
        ("device-name", {"mac": MAC, "name": ""}),
    ),
    ([("exception", an_exception(target="x.example", **CLIENT))], ("revoke", {"id": 2})),
    (
        [("room-devices", {"room": "lab", "macs": [MAC]})],
        ("room-devices", {"room": "lab", "macs": ["02:00:00:00:00:09"]}),
    ),
    (
        [("class-lend", {"class_id": "6a", "to": "minh", "ends_at": NOW + 9e4})],
        ("revoke", {"id": 2}),
    ),
]


def of_persons(overrides: Overrides) -> set[str]:
    return {one for one in restored_history.personal(overrides) if "00:09" not in one}


@pytest.mark.parametrize(("made", "removal"), _REMOVALS)
@pytest.mark.parametrize("is_new_chain", [False, True])
def test_what_was_removed_since_stays_removed_by_every_later_restore(
    here: Book, made: list[Any], removal: Any, is_new_chain: bool
) -> None:
    """Also where the rows of the removal are not in the history any more."""
    for kind, payload in made:
        here.make(kind, **payload)
    first = list(here.rows)
    assert of_persons(here.overrides)
    later = Book()
    for row in first:
        later.rows.append(row)
    later.replay = replay(later.rows)
    later.make("exception", **an_exception(target="later.example"))  # another backup, a day after
    here.make(removal[0], **removal[1])
    backup = list(later.rows) if is_new_chain else first
    assert not of_persons(restored(here, backup))
    assert not of_persons(restored(here, first, BackupOrigin("ef" * 16, 1.0)))
    assert "An" not in here.rows[-1].payload


def test_control_without_the_deletions_a_restore_brings_a_name_back(
    here: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.make("device-name", mac=MAC, name="máy của An")
    backup = list(here.rows)
    here.make("device-name", mac=MAC, name="")
    monkeypatch.setattr(Deletions, "has", lambda *_: False)
    assert of_persons(restored(here, backup))


def test_a_name_that_was_mended_stays_mended_and_a_moved_device_is_none_removed(here: Book) -> None:
    here.make("device-name", mac=MAC, name="máy của An")
    here.make("room-devices", room="lab", macs=[MAC])
    backup = list(here.rows)
    here.make("device-name", mac=MAC, name="máy 7")
    here.make("room-devices", room="lab", macs=[])
    here.make("room-devices", room="lab-b", macs=[MAC])
    after = restored(here, backup)
    assert [one.name for one in after.device_names] == ["máy 7"]
    assert [(one.room, one.macs) for one in after.devices] == [("lab", (MAC,)), ("lab-b", ())]


def test_a_device_that_only_the_site_names_and_a_command_took_out_stays_out(here: Book) -> None:
    """The site's file has it in the room, so the room keeps what commands have set."""
    backup = list(here.rows)
    here.make("room-devices", room="lab", macs=["02:00:00:00:00:09"])
    assert [one.macs for one in restored(here, backup).devices] == [("02:00:00:00:00:09",)]


@pytest.mark.parametrize("is_new_box", [False, True])
def test_the_level_full_comes_back_by_two_persons_only(here: Book, is_new_box: bool) -> None:
    here.make("log-level", level="full", ends_at=here.now + DAY_S)
    here.make("log-confirm", author="minh", id=2)
    backup = list(here.rows)
    assert restored(here, backup).log_settings == here.overrides.log_settings != ()
    box = Book() if is_new_box else here
    if not is_new_box:
        here.make("log-level", level="counts")
    assert restored(box, backup, BackupOrigin("cd" * 16, 1.0)).log_settings == ()


def test_accounts_and_tokens_that_ended_are_known(here: Book) -> None:
    here.make("account", reason="", what="disabled", account="lan")
    here.make("account", reason="", what="disabled", account="minh")
    here.make("account", reason="", what="enabled", account="minh")
    here.make("account", reason="", what="token-revoked", account="an", label="report")
    gone = restored_history.deletions(here.rows, here.rows[:1], here.overrides)
    assert gone.has("account", "lan", "")
    assert not gone.has("account", "minh", "")
    assert gone.has("token", "an", "report")


def test_a_history_is_read_as_it_was_written(here: Book) -> None:
    assert restored_history.read(restored_history.dump(here.rows)) == tuple(here.rows)
    assert restored_history.read(b"") == ()


@pytest.mark.parametrize(
    "line", [b"\n", b"[1]\n", b"{}\n", b"\xff\n", b"[" * 9_000 + b"\n", b"[1,2,3,4,5,6,7,8,9,10]\n"]
)
def test_what_is_no_history_is_refused(line: bytes) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        restored_history.read(line)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("account", {"what": 5}),
        ("account", {"account": "lan"}),
        (FROM_BACKUP, {}),
        (FROM_BACKUP, {"restore": "x", "made_at": 1.0, "gone": [1]}),
        ("undo", {}),
        ("log-view", []),
        ("exception", "\ud800"),
    ],
)
def test_rows_that_later_commands_could_not_read_are_refused(kind: str, payload: Any) -> None:
    row = HistoryRow.of(1, 1.0, "a", kind, payload, "", ChangeEffect(), replay(()).last_hash)
    line = json.dumps(list(row)).encode() + b"\n"
    with pytest.raises(StoreError, match="cannot be read"):
        restored_history.read(line)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("exceptions", "ends_at", 1 << 60),
        ("exceptions", "ends_at", 1e300),
        ("log_settings", "level", "everything"),
    ],
)
def test_things_that_a_daemon_could_not_put_in_force_are_refused(
    here: Book, kind: str, field: str, value: Any
) -> None:
    here.make("log-level", level="counts", ends_at=here.now + DAY_S)
    plain = to_plain(here.overrides)[kind][0] | {field: value}
    effect = ChangeEffect(after=from_plain({kind: [plain]}))
    payload = json.loads(here.rows[0].payload)
    row = HistoryRow.of(1, 1.0, "a", "exception", payload, "", effect, replay(()).last_hash)
    with pytest.raises(StoreError, match="cannot be read"):
        restored_history.read(restored_history.dump([row]))


@pytest.mark.parametrize("number", ["0", "-1", "true", "1e3", str(1 << 70)])
def test_numbers_that_no_store_takes_are_refused(here: Book, number: str) -> None:
    line = restored_history.dump(here.rows).replace(b"[1,", f"[{number},".encode(), 1)
    for content in (line, line.replace(str(here.now).encode(), b"NaN")):
        with pytest.raises(StoreError, match="cannot be read"):
            restored_history.read(content)


@pytest.mark.parametrize("at", ["1e400", "1e300", "-1", "true"])
def test_a_time_that_no_calendar_has_is_refused(at: str) -> None:
    """It would be the latest time known, and the list of changes could not be shown."""
    values = [1, json.loads(at), "lan", "account", "{}", "", "{}", "{}", GENESIS, ""]
    row = HistoryRow._make(values)
    row = row._replace(payload='{"what":"added","account":"an"}')
    row = row._replace(hash=row.true_hash())
    line = json.dumps(list(row)).replace("Infinity", "1e400").encode() + b"\n"
    with pytest.raises(StoreError, match="cannot be read"):
        restored_history.read(line)


def test_an_altered_history_is_refused(here: Book) -> None:
    altered = restored_history.dump(here.rows).replace(b"a.example", b"b.example")
    with pytest.raises(StoreError, match="altered: change 1"):
        restored_history.read(altered)


def test_of_a_room_with_other_devices_those_of_the_backup_come_back(here: Book) -> None:
    other = "02:00:00:00:00:02"
    here.make("room-devices", room="lab", macs=[MAC])
    backup = list(here.rows)
    fresh = Book()
    fresh.make("room-devices", room="lab", macs=[other])
    fresh.make("room-devices", room="hall", macs=["02:00:00:00:00:03", MAC])
    found = restored(fresh, backup)
    assert [(one.room, one.macs) for one in found.devices] == [
        ("hall", ("02:00:00:00:00:03",)),
        ("lab", (MAC,)),
    ]


def test_a_backup_without_changes_is_no_history_to_take(here: Book) -> None:
    assert not plan(here, []).adopts
    assert not plan(here, list(here.rows)).adopts
    assert plan(Book(), list(here.rows)).adopts


def test_what_was_removed_is_found_though_other_changes_stand_between(here: Book) -> None:
    here.make("device-name", mac=MAC, name="máy của An")
    backup = list(here.rows)
    here.make("grade", grade="7", target_kind="category", target="games", opens=False)
    here.make("account", what="disabled", account="lan")
    here.make("device-name", mac=MAC, name="")
    here.make("grade", grade="8", target_kind="category", target="games", opens=False)
    gone = restored_history.deletions(here.rows, backup, here.overrides)
    assert gone.has("device-name", MAC, "máy của An")
    assert not gone.has("device-name", MAC, "máy khác")
    assert gone.has("account", "lan", "")


@pytest.mark.parametrize("line", [b'"abcdefghij"', b"5", b"null", b"{}", b"[1, 2]"])
def test_a_line_that_is_no_list_of_the_values_of_a_row_is_refused(line: bytes) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        restored_history.read(line + b"\n")


def test_where_nothing_was_removed_nothing_is_sealed() -> None:
    assert Deletions().to_plain("ab") == []
    (group,) = Deletions(frozenset({"device\nx"})).to_plain("ab")
    assert (group["salt"], len(group["digests"])) == ("ab", 1)
    sealed = Deletions(frozenset(), (("ab", frozenset(group["digests"])),))
    assert sealed.has("device", "x")
    assert not sealed.has("device", "y")
    assert sealed.to_plain("cd") == [group]
