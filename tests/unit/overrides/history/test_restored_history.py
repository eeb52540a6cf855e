# SPDX-License-Identifier: Apache-2.0
"""Two histories become one, and what was removed of persons stays removed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import StoreError
from filterd.base.state_file import Decoders
from filterd.overrides.changes.effects import ChangeEffect, from_plain, to_plain
from filterd.overrides.history import restored_history
from filterd.overrides.history.history_chain import FROM_BACKUP, GENESIS, HistoryRow, replay
from filterd.overrides.history.restored_history import BackupOrigin, Deletions, RestoredHistory
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
    return [exception.target for exception in overrides.exceptions]


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
    assert [name.name for name in after.device_names] == ["máy 7"]
    assert [(device.room, device.macs) for device in after.devices] == [
        ("lab", (MAC,)),
        ("lab-b", ()),
    ]


def test_a_device_that_only_the_site_names_and_a_command_took_out_stays_out(here: Book) -> None:
    """The site's file has it in the room, so the room keeps what commands have set."""
    backup = list(here.rows)
    here.make("room-devices", room="lab", macs=["02:00:00:00:00:09"])
    assert [device.macs for device in restored(here, backup).devices] == [("02:00:00:00:00:09",)]


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
        (FROM_BACKUP, {"made_at": 1.0, "gone": []}),
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
    assert [(device.room, device.macs) for device in found.devices] == [
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


@pytest.mark.parametrize(
    "line",
    [
        b'"abcdefghij"',
        b"5",
        b"null",
        b"{}",
        b"[]",
        b"[1]",
        b"[1, 2]",
        b'[1, 2, "", "", "", "", "", "", "", "", ""]',
        b'{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "i": 9, "j": 10}',
    ],
)
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


def test_a_restore_says_what_it_has_brought_and_from_where(here: Book) -> None:
    backup = list(here.rows)
    here.make("device-name", mac=MAC, name="máy của An")
    origin = BackupOrigin("ab" * 16, 7.0, "hộp 1")
    row = plan(here, backup, origin).row
    assert json.loads(row.payload) == {
        "restore": "ab" * 16,
        "made_at": 7.0,
        "device": "hộp 1",
        "head": here.rows[-1].hash,
        "changes": 2,
        "gone": [],
    }
    assert (row.author, row.reason, row.previous) == ("root", "", here.rows[-1].hash)


def test_rows_that_stay_need_no_digests_of_what_they_removed(here: Book) -> None:
    here.make("device-name", mac=MAC, name="máy của An")
    backup = list(here.rows)
    here.make("device-name", mac=MAC, name="")
    assert json.loads(plan(here, backup).row.payload)["gone"] == []
    fresh = Book()
    fresh.make("device-name", mac=MAC, name="máy của An")
    fresh.make("device-name", mac=MAC, name="")
    assert len(json.loads(plan(fresh, backup).row.payload)["gone"][0]["digests"]) == 1


def test_an_empty_backup_on_an_empty_box_is_a_first_row() -> None:
    row = plan(Book(), []).row
    assert (row.number, row.previous) == (1, GENESIS)
    assert json.loads(row.payload)["head"] == ""


def test_digests_are_short_sorted_and_the_same_in_every_release() -> None:
    """A backup of an earlier release has them."""
    (group,) = Deletions(frozenset({"device\nx", "device\ny", "token\na\nb"})).to_plain("ab")
    assert group["digests"] == sorted(group["digests"])
    assert {len(one) for one in group["digests"]} == {32}
    assert "3690564b4d0fd2ffc2e6b9a6d8fcd2af" in group["digests"]
    odd = Deletions(frozenset({"device-name\nx\n\ud800"}))
    assert len(odd.to_plain("ab")) == 1


def test_what_a_restore_removed_does_not_hide_what_came_after(here: Book) -> None:
    backup = list(here.rows)
    here.make("device-name", mac=MAC, name="máy của An")
    named = list(here.rows)
    restored(here, backup)
    here.make("account", reason="", what="disabled", account="lan")
    gone = restored_history.deletions(here.rows, named, here.overrides)
    assert gone.has("account", "lan", "")
    assert not gone.has("device-name", MAC, "máy của An")


def test_things_that_stay_removed_are_counted(here: Book) -> None:
    lent = {"class_id": "6a", "to": "minh", "ends_at": NOW + 9e4}
    for kind, payload in (
        ("device-name", {"mac": MAC, "name": "máy của An"}),
        ("exception", an_exception(target="x.example", **CLIENT)),
        ("exception", an_exception(target="y.example", **CLIENT)),
        ("room-devices", {"room": "lab", "macs": [MAC]}),
        ("class-lend", lent),
        ("class-lend", {**lent, "class_id": "6b"}),
    ):
        here.make(kind, **payload)
    backup = list(here.rows)
    assert plan(here, backup).kept_out == 0
    here.make("device-name", mac=MAC, name="")
    assert plan(here, backup).kept_out == 1
    here.make("revoke", id=3)
    assert plan(here, backup).kept_out == 2
    here.make("room-devices", room="lab", macs=[])
    assert plan(here, backup).kept_out == 3
    here.make("revoke", id=6)
    assert plan(here, backup).kept_out == 4
    after = restored(here, backup)
    assert targets(after) == ["a.example", "y.example"]
    assert [loan.class_id for loan in after.loans] == ["6b"]


def test_an_exception_for_all_comes_back_and_one_for_a_person_does_not(here: Book) -> None:
    here.make("exception", **an_exception(target="x.example", **CLIENT))
    backup = list(here.rows)
    here.make("revoke", id=1)
    here.make("revoke", id=2)
    assert targets(restored(here, backup)) == ["a.example"]


def test_a_name_stays_mended_and_only_that_of_its_own_device(here: Book) -> None:
    other = "02:00:00:00:00:02"
    here.make("device-name", mac=other, name="máy 9")
    backup = list(here.rows)
    here.make("device-name", mac=MAC, name="máy 7")
    found = restored(here, backup)
    assert [name.name for name in found.device_names] == ["máy 9"]


def test_names_and_rooms_stand_in_the_order_of_their_devices(here: Book) -> None:
    macs = [f"02:00:00:00:00:0{n}" for n in (3, 1, 2)]
    for mac in macs:
        here.make("device-name", mac=mac, name=f"máy {mac[-1]}")
    backup = list(here.rows)
    here.make("device-name", mac=macs[1], name="máy mới")
    found = restored(here, backup)
    assert [name.mac for name in found.device_names] == sorted(macs)
    assert [name.name for name in found.device_names] == ["máy mới", "máy 2", "máy 3"]


def test_rows_are_a_line_each() -> None:
    book = Book()
    for name in ("a.example", "b.example"):
        book.make("exception", **an_exception(target=name))
    content = restored_history.dump(book.rows)
    assert content.count(b"\n") == 2
    assert restored_history.read(content) == tuple(book.rows)
    assert all(line.startswith(b"[") for line in content.splitlines())


@pytest.mark.parametrize("field", ["author", "payload"])
@pytest.mark.parametrize("constant", ["NaN", "Infinity"])
def test_a_constant_that_is_no_json_is_refused(here: Book, field: str, constant: str) -> None:
    row = here.rows[0]
    values = json.dumps(list(row)).replace(json.dumps(getattr(row, field)), constant, 1)
    with pytest.raises(StoreError, match="cannot be read"):
        restored_history.read(values.encode() + b"\n")


@pytest.mark.parametrize("number", [0, 1 << 53])
def test_a_number_that_json_does_not_keep_is_refused(here: Book, number: int) -> None:
    row = here.rows[0]._replace(number=number)
    with pytest.raises(StoreError, match="cannot be read"):
        restored_history.read(restored_history.dump([row._replace(hash=row.true_hash())]))


def test_a_constant_of_no_json_is_named() -> None:
    with pytest.raises(ValueError, match="NaN"):
        restored_history._row("[NaN]")


def test_an_account_that_ended_is_known_by_a_row_without_a_label() -> None:
    noted = {"what": "disabled", "account": "lan"}
    row = HistoryRow.of(1, NOW, "root", "account", noted, "", ChangeEffect(), GENESIS)
    assert restored_history.deletions([row], [], Book().overrides).has("account", "lan", "")


def test_a_level_below_full_comes_back(here: Book) -> None:
    here.make("log-level", level="counts")
    backup = list(here.rows)
    here.make("revoke", id=2)
    assert [setting.level for setting in restored(here, backup).log_settings] == ["counts"]


@pytest.mark.parametrize(
    ("what", "mark"),
    [("disabled", "account"), ("token-revoked", "token"), ("device-revoked", "enrolled")],
)
@pytest.mark.parametrize("begins", [None, "added", "enabled", "recovered"])
def test_what_ended_of_an_account_is_known_until_it_begins_again(
    here: Book, what: str, mark: str, begins: str | None
) -> None:
    label = "" if mark == "account" else "x"
    here.make("account", reason="", what=what, account="lan", label=label)
    if begins is not None:
        here.make("account", reason="", what=begins, account="lan")
    gone = restored_history.deletions(here.rows, here.rows[:1], here.overrides)
    assert gone.has(mark, "lan", label) is (begins is None or mark != "account")


def test_a_backup_of_before_names_no_device() -> None:
    plain = {"restore": "ab", "made_at": 1.0}
    read = Decoders({}).of(BackupOrigin)
    assert read(plain) == BackupOrigin("ab", 1.0)
    assert read({**plain, "device": "x"}).device == "x"
    assert BackupOrigin("ab", 1.0).device == ""
