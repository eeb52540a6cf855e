# SPDX-License-Identifier: Apache-2.0
"""What is open or closed for a time, and what classes ask for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.state_file import to_plain
from tests.support.commands import SAMPLE, call
from tests.support.fake_daemon import LESSON_ENDS, MONDAY_AT_8
from tests.unit.overrides.test_review_requests import ONE

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from filterd.policy.temporary_rules import LocalException
    from tests.support.clock import FakeClock
    from tests.support.fake_daemon import FakeDaemon


YOUTUBE = ("service:youtube", "--grade", "8", "--reason", "Bài 12")


def _set(daemon: FakeDaemon) -> tuple[LocalException, ...]:
    return daemon.store.current().exceptions


def test_a_service_is_opened_to_a_grade_until_the_lesson_ends(
    here: list[str], daemon: FakeDaemon
) -> None:
    done = call("allow", *YOUTUBE, "--lesson", *here)
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "Change 1: allow service:youtube for grade 8 until 08:35\n"
        "In force after 42 ms. To take it back: filterd undo 1\n"
    )
    (one,) = _set(daemon)
    assert (one.kind, one.target, one.allow, one.audience, one.whom, one.ends_at) == (
        "service",
        "youtube",
        True,
        "grade",
        "8",
        LESSON_ENDS,
    )
    assert (one.reason, one.author) == ("Bài 12", "lan")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("www.a.example --for 45m", "block www.a.example for everybody until 08:45"),
        (
            "a.example --tier primary --until 2025-12-24",
            "for primary until the end of 24/12/2025 (Wed)",
        ),
        ("a.example --room lab-a --permanent", "block a.example for lab-a\n"),
        ("category:games --from 09:00 --for 1h", "for everybody from 09:00 until 10:00"),
        ("a.example --client 10.0.6.21 --for 1d", "for 10.0.6.21 until 08:00 02/12/2025 (Tue)"),
    ],
)
def test_a_block_states_its_target_audience_and_end(
    words: str, sentence: str, here: list[str], daemon: FakeDaemon
) -> None:
    done = call("block", *words.split(), "--reason", "why", *here)
    assert (done.code, len(_set(daemon))) == (0, 1)
    assert sentence in done.out


def test_it_is_worded_in_vietnamese(here: list[str], daemon: FakeDaemon) -> None:
    done = call("allow", *YOUTUBE, "--for", "45m", *here, "--lang", "vi")
    assert daemon.commands() == ["change"]
    assert "Thay đổi 1: mở service:youtube cho khối 8 đến 08:45" in done.out


def test_json_has_the_answer_of_the_daemon(here: list[str], daemon: FakeDaemon) -> None:
    done = call("allow", *YOUTUBE, "--for", "45m", "--json", *here)
    assert json.loads(done.out)["number"] == 1
    assert daemon.commands() == ["change"]


def test_warnings_go_to_standard_error(here: list[str], daemon: FakeDaemon) -> None:
    daemon.warnings = ["it is locked"]
    done = call("allow", *YOUTUBE, "--for", "45m", *here)
    assert (done.code, done.err) == (0, "warning: it is locked\n")


def test_the_entry_of_a_list_needs_no_end(here: list[str], daemon: FakeDaemon) -> None:
    assert call("allow", "entry:vnu.edu.vn", "--reason", "a university", *here).code == 0
    (one,) = _set(daemon)
    assert one.ends_at == MONDAY_AT_8 + 14 * 86_400


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("a.example --for 45m", "Missing option '--reason'"),
        ("a.example --reason b", "the duration is missing (give --for 45m, --until 17:00"),
        ("a.example --reason b --for 45m --permanent", "--for and --permanent exclude each other"),
        ("servce:youtube --reason b --for 45m", "did you mean 'service'?"),
        ("a.example --reason b --for 45m --tier primery", "did you mean 'primary'?"),
        ("entry:a.example --reason b --for 15d", "for 14 days at most"),
        ("a.example --reason b --fro 45m", "No such option: --fro"),
    ],
)
def test_what_cannot_be_done_is_one_line_with_a_remedy(
    words: str, why: str, here: list[str], daemon: FakeDaemon
) -> None:
    done = call("allow", *words.split(), *here)
    assert (done.code, done.out, len(done.error_lines)) == (2, "", 1)
    assert why in done.err
    assert _set(daemon) == ()


def test_without_a_daemon_nothing_is_changed(here: list[str], quiet: StateFolder) -> None:
    done = call("allow", *YOUTUBE, "--for", "45m", *here)
    assert done.code == 2
    assert "no running filterd answers" in done.err
    assert not quiet.overrides.exists()


def test_a_pause_is_set_for_five_minutes_listed_and_ended(
    here: list[str], daemon: FakeDaemon
) -> None:
    done = call("pause", "--grade", "6", "--reason", "Trang bài tập trống", *here)
    assert done.code == 0, done.err
    assert done.out.startswith("Change 1: pause for grade 6 until 08:05\n")
    (thing,) = _set(daemon)
    assert thing.ends_at == thing.starts_at + 300
    listed = call("exceptions", "list", *here).out
    assert "pause" in listed
    assert "grade 6" in listed
    assert call("exceptions", "revoke", "1", *here).code == 0
    assert _set(daemon) == ()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--for 61m --reason b", "a pause lasts at most 60 minutes"),
        ("--for 5m", "Missing option '--reason'"),
        ("--for soon --reason b", "is not a length of time"),
    ],
)
def test_a_pause_that_is_none_is_refused(
    words: str, why: str, here: list[str], daemon: FakeDaemon
) -> None:
    done = call("pause", *words.split(), *here)
    assert (done.code, done.out, len(done.error_lines)) == (2, "", 1)
    assert why in done.err
    assert _set(daemon) == ()


def test_only_allow_offers_the_entry_of_a_list() -> None:
    helps = [call(command, "--help", "--lang", "en").out for command in ("allow", "block")]
    assert ["entry:NAME" in one for one in helps] == [True, False]


def test_what_is_set_is_listed_within_80_columns(
    here: list[str], daemon: FakeDaemon, clock: FakeClock
) -> None:
    call("allow", *YOUTUBE, "--lesson", *here)
    call("block", "www.a.example", "--permanent", "--reason", "x" * 100, *here)
    listed = call("exceptions", "list", *here)
    assert max(map(len, listed.out.splitlines())) <= 80
    for words in ("service:youtube", "grade 8", "08:35", "www.a.example", "lan"):
        assert words in listed.out
    clock.advance(3600)
    assert "youtube" not in call("exceptions", "list", *here).out
    assert "ended" in call("exceptions", "list", "--all", *here).out
    printed = json.loads(call("exceptions", "list", "--all", "--json", *here).out)
    assert [(one["id"], one["state"]) for one in printed] == [(1, "ended"), (2, "on")]
    assert daemon.commands().count("exceptions") == 4


def test_what_was_taken_back_is_listed_with_all_that_has_ended(
    here: list[str], daemon: FakeDaemon
) -> None:
    call("allow", *YOUTUBE, "--lesson", *here)
    call("block", "www.a.example", "--permanent", "--reason", "vì thế", *here)
    call("exceptions", "revoke", "1", *here)
    call("undo", "2", *here)
    printed = json.loads(call("exceptions", "list", "--all", "--json", *here).out)
    assert [(one["id"], one["state"]) for one in printed] == [(1, "taken-back"), (2, "taken-back")]
    assert json.loads(call("exceptions", "list", "--json", *here).out) == []
    call("undo", "4", *here)
    assert "in force" in call("exceptions", "list", "--all", *here).out
    assert [exception.id for exception in daemon.store.current().exceptions] == [2]


def test_an_empty_list_is_stated(here: list[str], daemon: FakeDaemon) -> None:
    assert call("exceptions", "list", *here).out == "There are no exceptions.\n"
    assert daemon.commands() == ["exceptions"]


def test_without_a_daemon_what_is_on_the_disk_is_listed(
    here: list[str], quiet: StateFolder
) -> None:
    assert call("exceptions", "list", *here).out == "There are no exceptions.\n"
    assert not quiet.overrides.exists()


def test_an_exception_is_ended_before_its_time(here: list[str], daemon: FakeDaemon) -> None:
    call("allow", *YOUTUBE, "--lesson", *here)
    done = call("exceptions", "revoke", "1", *here)
    assert "Change 2: exception 1 has ended" in done.out
    assert _set(daemon) == ()
    again = call("exceptions", "revoke", "1", *here)
    assert (again.code, again.error_lines) == (
        2,
        ["filterd: there is no exception or setting 1 (list them to see which are)"],
    )


def test_several_targets_are_one_change(here: list[str], daemon: FakeDaemon) -> None:
    targets = ("www.a.example", "service:youtube", "www.a.example")
    done = call("allow", *targets, "--grade", "8", "--for", "45m", "--reason", "Bài 12", *here)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == (
        "Change 1: allow www.a.example for grade 8 until 08:45,"
        " allow service:youtube for grade 8 until 08:45"
    )
    assert [(one.id, one.target) for one in _set(daemon)] == [(1, "www.a.example"), (1, "youtube")]
    shown = call("exceptions", "list", *here).out
    assert "www.a.example" in shown
    assert "service:youtube" in shown
    assert call("exceptions", "revoke", "1", *here).code == 0
    assert _set(daemon) == ()
    ended = json.loads(call("exceptions", "list", "--all", "--json", *here).out)
    assert [(one["target"], one["state"]) for one in ended] == [
        ("www.a.example", "taken-back"),
        ("youtube", "taken-back"),
    ]


def test_without_a_term_entries_may_be_set_and_nothing_else(
    here: list[str], daemon: FakeDaemon
) -> None:
    done = call("allow", "entry:a.example", "entry:b.example", "--reason", "nhầm", *here)
    assert (done.code, len(_set(daemon))) == (0, 2)
    done = call("allow", "entry:a.example", "b.example", "--reason", "nhầm", *here)
    assert (done.code, len(_set(daemon))) == (2, 2)


REQUEST = to_plain(ONE) | {"id": 3}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    found = list[tuple[str, dict[str, Any]]]()
    results = {
        "requests list": [REQUEST],
        "requests approve": {
            "number": 7,
            "until": None,
            "in_force_ms": 4.0,
            "request": REQUEST,
            "audience": "class",
            "whom": "6A",
        },
        "requests refuse": {"request": REQUEST},
        "clock": {"policy_time": 1_764_550_800.0, "standing": "sure", "floor": 0.0},
    }

    def ask(_: Path, command: str, **arguments: Any) -> Any:
        found.append((command, arguments))
        return results[command]

    monkeypatch.setattr(control, "ask", ask)
    return found


def _call(*words: str) -> str:
    done = call("requests", *words, "--config", SAMPLE, "--lang", "en")
    assert (done.code, done.err) == (0, "")
    return done.out


@pytest.mark.usefixtures("asked")
def test_requests_are_listed() -> None:
    row = _call("list").splitlines()[-2].split()
    assert row == ["3", "a.example", "class", "6A", "for", "a", "lesson", "02/03/2026", "1"]
    assert json.loads(_call("list", "--json")) == [REQUEST]


def test_to_approve_opens_the_name_for_a_time(asked: list[tuple[str, dict[str, Any]]]) -> None:
    out = _call("approve", "3", "--reason", "Bài 12", "--lesson")
    assert out.startswith("Change 7: allow a.example for class 6A\n")
    given = {"id": 3, "reason": "Bài 12", "lesson": True}
    assert ("requests approve", given) in asked
    done = call("requests", "approve", "3", "--reason", "x", "--config", SAMPLE, "--lang", "en")
    assert (done.code, "the duration is missing" in done.err) == (2, True)


def test_to_refuse_names_a_reason(asked: list[tuple[str, dict[str, Any]]]) -> None:
    assert _call("refuse", "3", "--reason", "không cần") == "request 3 is refused\n"
    assert asked == [("requests refuse", {"id": 3, "reason": "không cần"})]
    assert json.loads(_call("refuse", "3", "--reason", "x", "--json")) == {"request": REQUEST}
