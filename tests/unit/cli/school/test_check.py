# SPDX-License-Identifier: Apache-2.0
"""What a grade gets for a name, and which services."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd import control
from filterd.base.errors import ControlError
from filterd.base.paths import shipped
from filterd.config.compile import compile_policy
from filterd.config.site_reader import load_site
from filterd.lists.catalogs.catalog import load_catalog
from filterd.overrides.history.policy_versions import PolicyVersions
from filterd.texts.i18n import say
from tests.support.commands import call
from tests.support.daemon import build_lists, write_site

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.fake_daemon import FakeDaemon


CONTRACT = {
    "qname",
    "qtype",
    "grade",
    "tier",
    "network",
    "action",
    "category",
    "list",
    "entry",
    "reason",
    "valid_until",
    "next_match",
    "source",
}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("www.tiktok.com --grade 3", 1),
        ("www.tiktok.com --grade staff", 0),
        ("www.tiktok.com --grade 11", 0),
        ("www.pornhub.com --grade staff", 1),
        ("vnu.edu.vn --grade preschool", 0),
        ("www.tiktok.com --client 127.0.3.9", 1),
        ("www.tiktok.com --client 127.0.100.9", 0),
        ("www.tiktok.com", 1),
        ("WWW.TikTok.COM. --type aaaa --grade 3", 1),
        ("www.tiktok.com --type TYPE65 --grade 3", 1),
        ("localhost --grade 3", 0),
        ("printer.invalid --grade 3", 1),
    ],
)
def test_the_exit_code_is_the_outcome(words: str, code: int, places: list[str]) -> None:
    done = call("check", *words.split(), "--offline", *places)
    assert (done.code, done.err) == (code, "")


@pytest.mark.parametrize("name", ["www.tiktok.com", "vnu.edu.vn", "localhost", "ti\u1ebfng.vn"])
def test_json_has_the_keys_that_are_promised(name: str, places: list[str]) -> None:
    done = call("check", name, "--grade", "3", "--json", "--offline", *places)
    assert set(json.loads(done.out)) >= CONTRACT


def test_json_names_the_source_of_a_block(places: list[str]) -> None:
    words = ["www.tiktok.com", "--client", "127.0.3.9", "--type", "AAAA", "--json", "--offline"]
    printed = json.loads(call("check", *words, *places).out)
    line, following = printed.pop("line"), printed.pop("next_match")
    assert line > 0
    assert (following["reason"], following["list"]) == ("category", "service:tiktok")
    assert {key: printed[key] for key in CONTRACT if key in printed} == {
        "qname": "www.tiktok.com",
        "qtype": "AAAA",
        "grade": "3",
        "tier": "primary",
        "network": "of-3",
        "action": "nxdomain",
        "category": "social-media",
        "list": "starter-social-media",
        "entry": "tiktok.com",
        "reason": "category",
        "valid_until": None,
        "source": "offline",
    }


@pytest.mark.parametrize(
    ("lang", "words"), [("vi", "BỊ CHẶN (nxdomain)"), ("en", "BLOCKED (nxdomain)")]
)
def test_people_get_their_language_within_80_columns(
    lang: str, words: str, places: list[str]
) -> None:
    done = call("check", "www.tiktok.com", "--grade", "3", "--lang", lang, "--offline", *places)
    assert words in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_an_exception_holds_at_its_time_and_shows_its_reason(tmp_path: Path) -> None:
    more = (
        "exceptions:\n  - {allow: tiktok.com, for: {grade: 3}, reason: 'bài [giảng]',"
        " from: 2030-01-01T12:00, until: 2030-01-01T13:00}\n"
    )
    config = write_site(tmp_path / "site", port=5353, more=more)
    state = build_lists(config, tmp_path / "state")
    words = ["check", "tiktok.com", "--grade", "3", "--offline", "--config", str(config)]
    words += ["--state", str(state.folder)]
    codes = [call(*words, "--at", f"2030-01-01T{at}").code for at in ("11:59", "12:30", "13:01")]
    assert codes == [1, 0, 1]
    printed = json.loads(call(*words, "--json", "--at", "2030-01-01T12:30").out)
    assert printed["reason"] == "local"
    assert printed["valid_until"] == "2030-01-01T06:00:00+00:00"
    assert printed["next_match"]["category"] == "social-media"
    shown = call(*words, "--at", "12h30 1/1/2030", "--lang", "vi").out
    assert "12:30 01/01/2030" in shown  # as it was understood
    assert "bài [giảng]" in shown
    assert "Nếu không có mục này" in shown


def test_an_address_that_may_not_ask_is_refused(places: list[str]) -> None:
    words = ["check", "vnu.edu.vn", "--client", "8.8.8.8", "--offline", "--lang", "vi"]
    done = call(*words, *places)
    assert done.code == 2
    assert "8.8.8.8 không được hỏi máy chủ này" in done.err


def test_a_daemon_that_fails_is_not_passed_over(
    places: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ControlError(say("the command failed inside filterd; see its log"))

    monkeypatch.setattr(control, "ask", fail)
    monkeypatch.setattr(control, "is_running", lambda _: True)
    done = call("check", "vnu.edu.vn", *places)
    assert done == (2, "", "filterd: the command failed inside filterd; see its log\n")


def test_offline_does_not_ask_the_daemon(
    places: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "ask", None)
    assert call("check", "vnu.edu.vn", "--offline", *places).code == 0


def test_without_a_daemon_the_files_are_asked(places: list[str]) -> None:
    printed = json.loads(call("check", "vnu.edu.vn", "--json", *places).out)
    assert printed["source"] == "offline"


def _note(week: Path, state: StateFolder, daemon: FakeDaemon) -> None:
    policy = compile_policy(load_site(week), load_catalog(shipped("blocklists")))
    PolicyVersions(state, daemon.store, daemon.clock).note(policy)


def test_what_is_to_come_follows_from_the_timetable(here: list[str], quiet: StateFolder) -> None:
    words = ("check", "www.youtube.com", "--client", "10.0.20.9", "--offline", *here)
    whose = {
        at: json.loads(call(*words, "--json", "--at", at).out)["grade"]
        for at in ("t2 07:30", "t3 07:44", "09:10", "2025-12-01T08:50")
    }
    assert whose == {"t2 07:30": "6", "t3 07:44": "7", "09:10": "9", "2025-12-01T08:50": "6"}
    assert call(*words, "--at", "09:10").code == 0
    assert call(*words, "--at", "t3 07:44").code == 1
    assert not quiet.overrides.exists()


def test_what_commands_have_set_is_part_of_what_is_to_come(
    here: list[str], daemon: FakeDaemon
) -> None:
    words = ("--until", "09:30", "--reason", "b", *here)
    call("allow", "www.youtube.com", "--room", "lab-a", *words)
    asked = ("check", "www.youtube.com", "--client", "10.0.20.9", "--offline", *here)
    assert [call(*asked, "--at", at).code for at in ("08:50", "t3 07:44")] == [0, 1]
    assert daemon.commands() == ["change"]


def test_what_was_is_read_from_the_history(
    here: list[str], week: Path, quiet: StateFolder, daemon: FakeDaemon
) -> None:
    _note(week, quiet, daemon)
    daemon.clock.advance(60)
    asked = ("check", "www.youtube.com", "--grade", "6", *here)
    call("allow", "www.youtube.com", "--grade", "6", "--for", "10m", "--reason", "b", *here)
    daemon.clock.advance(3600)
    assert [call(*asked, "--at", at).code for at in ("08:00", "08:05", "08:59")] == [1, 0, 1]
    printed = json.loads(call(*asked, "--at", "08:05", "--json").out)
    assert (printed["source"], printed["note"]) == ("history", "b")
    assert "the history, with the lists of today" in call(*asked, "--at", "08:05").out
    assert daemon.commands() == ["change", *["history-check"] * 5]


def test_what_was_is_read_from_the_disk_where_no_daemon_runs(
    here: list[str],
    week: Path,
    quiet: StateFolder,
    daemon: FakeDaemon,
) -> None:
    _note(week, quiet, daemon)
    daemon.clock.advance(3600)
    daemon.stop()
    printed = json.loads(call("check", "vnu.edu.vn", "--at", "08:05", "--json", *here).out)
    assert (printed["action"], printed["source"]) == ("pass", "history")


def test_until_when_it_holds_is_shown_by_the_schools_clock(
    here: list[str], daemon: FakeDaemon
) -> None:
    call("block", "a.example", "--for", "1h", "--reason", "b", *here)
    shown = call("check", "a.example", "--grade", "6", "--offline", *here).out
    assert "Valid until 09:00" in " ".join(shown.split())
    assert daemon.commands() == ["change"]


def test_a_forgotten_past_is_an_error(
    here: list[str], week: Path, quiet: StateFolder, daemon: FakeDaemon
) -> None:
    asked = ("check", "www.youtube.com", "--grade", "6", *here)
    for _ in range(2):
        done = call(*asked, "--at", "07:30")
        assert (done.code, done.error_lines) == (
            2,
            [
                "filterd: the policy of 07:30 is not known"
                " (`filterd policy history` shows from when it is)"
            ],
        )
        _note(week, quiet, daemon)


def test_the_daemon_is_asked_about_what_is_to_come(here: list[str], daemon: FakeDaemon) -> None:
    call("check", "www.youtube.com", "--grade", "6", "--at", "09:10", *here)
    ((command, asked),) = daemon.asked
    assert (command, asked["at"]) == ("check", 1_764_555_000.0)


def test_services_are_listed_within_80_columns(here: list[str], daemon: FakeDaemon) -> None:
    shown = call("services", "list", "--grade", "6", *here).out
    assert max(map(len, shown.splitlines())) <= 80
    (row,) = [line.split() for line in shown.splitlines() if line.startswith(" youtube ")]
    assert row[-3:] == ["streaming", "13", "closed"]
    assert daemon.commands() == ["overrides"]


def test_those_of_one_category_are_listed(here: list[str], daemon: FakeDaemon) -> None:
    printed = json.loads(call("services", "list", "--group", "streaming", "--json", *here).out)
    assert {one["group"] for one in printed} == {"streaming"}
    assert len(daemon.asked) == 1


def test_a_service_is_shown_with_its_names_and_its_grades(
    here: list[str], daemon: FakeDaemon
) -> None:
    before = call("services", "show", "youtube", *here).out
    assert "youtube.com" in before.split()
    assert "  8-12, continuing, staff" in before
    call("policy", "set", "--grade", "7", "--allow-service", "youtube", *here)
    assert "  7-12, continuing, staff" in call("services", "show", "youtube", *here).out
    printed = json.loads(call("services", "show", "youtube", "--json", *here).out)
    assert (printed["grades"]["6"], printed["grades"]["7"]) == ("closed", "open")
    assert len(daemon.store.current().grades) == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("show youtub", "'youtub' is not a service (did you mean 'youtube'?)"),
        ("list --group streming", "'streming' is not a category (did you mean 'streaming'?)"),
        ("list --grade 13", "'13' is not a grade"),
    ],
)
def test_unknown_words_get_a_hint(
    words: str, why: str, here: list[str], daemon: FakeDaemon
) -> None:
    done = call("services", *words.split(), *here)
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert why in done.err
    assert set(daemon.commands()) <= {"overrides"}
