# SPDX-License-Identifier: Apache-2.0
"""``filterd exam``: learn, start, stop, list; and the file of what an exam needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError
from filterd.cli.school import exam
from filterd.cli.school.exam import Needed
from tests.support.commands import call
from tests.support.fake_daemon import MONDAY_AT_8

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.clock import FakeClock
    from tests.support.fake_daemon import FakeDaemon


START = ("exam", "start", "--room", "lab-a", "--for", "90m")
DAY = 86_400.0


def test_an_exam_is_set_for_thursday(here: list[str], daemon: FakeDaemon, tmp_path: Path) -> None:
    file = tmp_path / "exam.txt"
    file.write_text("thi.example\nservice:olm\n", encoding="utf-8")
    words = ("--at", "t5 07:30", "--allow", str(file), "--allow", "b.example", "--service", "azota")
    done = call(*START, *words, *here)
    assert (done.code, done.err) == (0, "")
    assert (
        "exam in room lab-a (2 names, services: azota, olm) from 07:30 04/12/2025 (Thu)" in done.out
    )
    (exam,) = daemon.store.current().exams
    assert exam.starts_at == MONDAY_AT_8 + 3 * DAY - 1800
    assert exam.ends_at == exam.starts_at + 90 * 60
    assert (exam.names, exam.services) == (("b.example", "thi.example"), ("azota", "olm"))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("", "an exam needs at least one name or service (--allow FILE"),
        ("--allow missing.txt", "missing.txt: cannot be read: No such file"),
        ("--allow exams/missing", "cannot be read: No such file"),
        ("--allow https://a.example", "cannot be read: No such file"),
        ("--service azota --at 07:30", "07:30 is in the past"),
        ("--allow edu.vn", "anyone can register names under 'edu.vn': all of them would open"),
    ],
)
def test_what_cannot_be_an_exam_is_refused(
    words: str, why: str, here: list[str], daemon: FakeDaemon
) -> None:
    done = call(*START, *words.split(), *here)
    assert (done.code, len(done.error_lines), daemon.commands()) == (2, 1, [])
    assert why in done.err


def test_exams_are_listed_until_they_end(
    here: list[str], daemon: FakeDaemon, clock: FakeClock
) -> None:
    assert call("exam", "list", *here).out == "There are no exams.\n"
    call(*START, "--service", "azota", "--reason", "Kiểm tra", *here)
    shown = call("exam", "list", *here).out
    assert max(map(len, shown.splitlines())) <= 80
    for words in ("lab-a", "in force", "08:00", "09:30", "azota"):
        assert words in shown
    clock.advance(2 * 3600)
    assert call("exam", "list", *here).out == "There are no exams.\n"
    (row,) = json.loads(call("exam", "list", "--all", "--json", *here).out)
    assert (row["id"], row["state"]) == (1, "ended")
    assert daemon.commands().count("exams") == 4


@pytest.mark.usefixtures("daemon")
def test_an_exam_that_was_stopped_is_listed_with_all_that_have_ended(
    here: list[str],
) -> None:
    call(*START, "--service", "azota", *here)
    call("exam", "stop", *here)
    (row,) = json.loads(call("exam", "list", "--all", "--json", *here).out)
    assert (row["id"], row["state"]) == (1, "stopped")
    assert "stopped" in call("exam", "list", "--all", *here).out


def test_an_exam_that_was_taken_back_is_not_called_stopped(
    here: list[str], daemon: FakeDaemon
) -> None:
    call(*START, "--service", "azota", *here)
    call("exam", "stop", *here)
    call("undo", "2", *here)
    call("undo", "1", *here)
    (row,) = json.loads(call("exam", "list", "--all", "--json", *here).out)
    assert (row["state"], len(daemon.store.rows())) == ("taken-back", 4)


def test_days_that_were_written_for_minutes_are_refused(
    here: list[str], daemon: FakeDaemon
) -> None:
    words = ("exam", "start", "--room", "lab-a", "--for", "90d", "--service", "azota")
    done = call(*words, *here)
    assert (done.code, done.error_lines) == (
        2,
        ["filterd: an exam lasts at most 12 hours (for 90 minutes write --for 90m)"],
    )
    assert daemon.store.rows() == ()
    assert call(*words[:5], "12h", *words[6:], *here).code == 0


def test_the_only_exam_is_stopped_without_its_number(here: list[str], daemon: FakeDaemon) -> None:
    call(*START, "--service", "azota", *here)
    assert "exam 1 has ended" in call("exam", "stop", *here).out
    assert daemon.store.current().exams == ()
    assert "there is no such exam" in call("exam", "stop", *here).err


def test_of_several_exams_one_must_be_named(here: list[str], daemon: FakeDaemon) -> None:
    call(*START, "--service", "azota", *here)
    call("exam", "start", "--room", "library", "--for", "90m", "--service", "azota", *here)
    done = call("exam", "stop", *here)
    assert (done.code, done.error_lines) == (
        2,
        ["filterd: there are several exams (choose one: 1 (lab-a), 2 (library))"],
    )
    assert "exam 2 has ended" in call("exam", "stop", "--room", "library", *here).out
    assert "exam 1 has ended" in call("exam", "stop", "1", *here).out
    assert daemon.store.current().exams == ()


def test_what_a_trial_run_asks_for_is_written(
    here: list[str], daemon: FakeDaemon, tmp_path: Path
) -> None:
    out = tmp_path / "exam.txt"
    daemon.names = [{"name": "cdn.a.example", "registrable": "a.example"}, "b.example"]
    done = call("exam", "learn", "--room", "lab-a", "--out", out, "--for", "4m", *here)
    assert done.code == 0
    assert f"\nfilterd exam start --room lab-a --for 90m --allow {out}\n" in done.out
    assert "cdn.a.example\n" in out.read_text(encoding="utf-8")
    watched = [asked for command, asked in daemon.asked if command == "exam-watch"]
    assert watched == [{"room": "lab-a"}, {"room": "lab-a", "off": True}]
    printed = call("exam", "learn", "--room", "lab-a", "--out", out, "--json", *here).out
    assert json.loads(printed)["names"] == ["b.example", "cdn.a.example"]


def test_a_trial_run_of_nothing_writes_nothing(
    here: list[str], daemon: FakeDaemon, tmp_path: Path
) -> None:
    out = tmp_path / "exam.txt"
    done = call("exam", "learn", "--room", "lab-a", "--out", out, *here)
    assert (done.code, out.exists()) == (1, False)
    assert "No lookup was seen" in done.err
    assert daemon.commands()[0] == "exam-watch"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--out nowhere/exam.txt", "there is no folder nowhere"),
        ("--out exam.txt --for 5h", "too long for a trial run (at most 4h)"),
    ],
)
def test_a_trial_run_that_would_be_for_nothing_does_not_begin(
    words: str, why: str, here: list[str], daemon: FakeDaemon
) -> None:
    done = call("exam", "learn", "--room", "lab-a", *words.split(), *here)
    assert (done.code, daemon.commands()) == (2, [])
    assert why in done.err


def test_what_a_trial_run_asked_for_is_read_again(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = [
        {"name": "www.b.example", "registrable": "b.example", "times": 12, "blocked": False},
        {"name": "ads.b.example", "registrable": "b.example", "times": 3, "blocked": True},
        {"name": "cdn.a.example", "registrable": "a.example"},
        {"name": "b.example", "registrable": "b.example"},
    ]
    path = tmp_path / "exam.txt"
    path.write_text(exam.names_text(seen, "a trial run", "closed"), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == (
        "# a trial run\n\n# a.example\ncdn.a.example\n\n"
        "# b.example\n# ads.b.example  # 3, closed\nb.example\nwww.b.example  # 12\n"
    )
    names = ("cdn.a.example", "b.example", "www.b.example")
    assert exam.parse_names(path.read_text(encoding="utf-8"), "x") == Needed(names)


def test_a_suffix_that_a_trial_run_asked_for_is_written_as_one(tmp_path: Path) -> None:
    path = tmp_path / "exam.txt"
    path.write_text(exam.names_text([{"name": "github.io"}], "a trial run", "closed"))
    assert path.read_text().endswith("\n*.github.io\n")
    assert exam.parse_names(path.read_text(encoding="utf-8"), "x") == Needed(("github.io",))
    with pytest.raises(ConfigError, match=r"x:1: anyone can register names under 'edu\.vn'"):
        exam.parse_names("edu.vn\n", "x")


def test_services_and_remarks_may_stand_there_too() -> None:
    text = "service:azota\n  A.Example.  # the exam\n\nservice:azota\n"
    assert exam.parse_names(text, "x") == Needed(("a.example",), ("azota",))


def test_every_wrong_line_is_reported() -> None:
    with pytest.raises(ConfigError) as caught:
        exam.parse_names("https://a.example/x\nb.example\ncategory:games\n*.c.example\n", "x")
    first, second, third = str(caught.value).splitlines()
    assert first.startswith("x:1: 'https://a.example/x' is a URL")
    assert second == "x:3: 'category:games' is neither a name nor a service"
    assert third.startswith("x:4: a name needs no '*.' (write 'c.example'")
