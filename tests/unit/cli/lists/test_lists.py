# SPDX-License-Identifier: Apache-2.0
"""``filterd lists``: lists are compiled, shown and searched."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from filterd import control
from filterd.base.errors import ControlError, StoreError
from filterd.base.state_folder import StateFolder
from filterd.cli.context import Context
from filterd.cli.lists import lists
from filterd.texts.i18n import Texts, say
from tests.support.commands import ROOT, Outcome, call
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fake_daemon import FakeDaemon


OWN_LIST = "\n".join(
    [
        *(f"||x{number}.example.com^" for number in range(1500)),
        *(f"||x{number}.example.com^" for number in range(200)),
        *(f"||www.x{number}.example.com^" for number in range(100)),
        *(f"||a{number}.example.com/path" for number in range(100)),
        "||com.vn^",
        "||tongdai111.vn^",
        "/expression/",
        "example.com##.ad",
        "||y.example.com^$popup",
        "||x1.example.com^$badfilter",
    ]
)


@pytest.fixture
def school(tmp_path: Path) -> list[str]:
    """Options that name a school with a list of its own, long ids and lines of every kind."""
    own = "id: danh-sach-rieng-cua-nha-truong, file: own.txt, format: adblock"
    more = f"lists: [{{{own}, category: alcohol-tobacco}}]\n"
    config = write_site(tmp_path / "site", port=5353, more=more)
    (config / "own.txt").write_text(OWN_LIST, encoding="utf-8")
    return ["--config", str(config), "--state", str(tmp_path / "state")]


def _words_of(done: Outcome) -> set[str]:
    return set(done.out.split())


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_report_fits_80_columns_and_breaks_no_word(school: list[str], lang: str) -> None:
    done = call("lists", "build", "--lang", lang, *school)
    assert done.code == 0, done.err
    assert done.err == ""
    lines = [line for line in done.out.splitlines() if "problems.tsv" not in line]
    assert max(map(len, lines)) <= 80
    rows = [line for line in done.out.splitlines() if line.startswith((" starter-", " danh-"))]
    assert len(rows) == len({row.split()[0] for row in rows})
    own = next(row.split() for row in rows if "danh-" in row)
    assert own[0] == "danh-sach-rieng-cua-nha-truong"
    assert own[-3:] == ["199", "99", "107"]


def test_the_report_explains_why_entries_were_not_taken(school: list[str], tmp_path: Path) -> None:
    done = call("lists", "build", "--lang", "en", *school)
    assert "100  is a URL; its host alone would block a whole site" in done.out
    assert "is a public suffix, under which anyone can register names" in done.out
    assert str(tmp_path / "state" / "problems.tsv") in done.out
    assert "The daemon is not running" in done.out


def test_a_clean_report_has_no_columns_of_zeros(places: list[str], tmp_path: Path) -> None:
    words = ["lists", "build", "--shipped-only", "--lang", "en", *places[:2]]
    done = call(*words, "--state", tmp_path)
    assert "Duplicate" not in done.out
    assert "Not taken" not in done.out


def test_status_shows_what_build_showed(school: list[str]) -> None:
    built = call("lists", "build", "--lang", "en", *school).out
    shown = call("lists", "status", "--lang", "en", *school).out
    table = built[: built.index("Compiled in")]
    assert shown.startswith("Compiled at ")
    assert shown.endswith(table)


def test_report_names_what_stands_on_its_starter_list(places: list[str]) -> None:
    call("lists", "build", "--quiet", *places)
    done = call("lists", "report", "--lang", "en", *places)
    assert done.code == 0
    assert "no public list is in force" in done.out
    assert "starter list only" in done.out
    covered = json.loads(call("lists", "report", "--json", *places).out)["coverage"]
    games = next(one for one in covered if one["category"] == "games")
    assert (games["starter_only"], games["sources"]) == (True, [])
    assert games["names"] > 100


def test_json_of_build_and_status_agree(school: list[str]) -> None:
    built = json.loads(call("lists", "build", "--json", *school).out)
    shown = json.loads(call("lists", "status", "--json", *school).out)
    assert shown["build"]["version"]
    assert shown["lists"] == built["lists"]
    assert shown["names"] == built["names"] > 2500


def test_quiet_prints_nothing(school: list[str]) -> None:
    assert call("lists", "build", "--quiet", *school) == (0, "", "")


def test_a_list_that_gives_nothing_is_warned_of_even_when_quiet(
    school: list[str], tmp_path: Path
) -> None:
    page = "<!DOCTYPE html>\n<title>502 Bad Gateway</title>\n"
    (tmp_path / "site" / "own.txt").write_text(page, encoding="utf-8")
    done = call("lists", "build", "--quiet", "--lang", "en", *school)
    assert (done.code, done.out, len(done.error_lines)) == (0, "", 1)
    assert "danh-sach-rieng-cua-nha-truong: none of its 2 lines can be used" in done.err


TAKEN = "0.0.0.0 vk.com\n0.0.0.0 www.unex.es\n0.0.0.0 taboola.com\n0.0.0.0 rare.example\n"


def _taking(folder: Path, category: str, text: str, more: str = "") -> list[str]:
    """Return the options of a school with this list of hosts."""
    own = f"lists: [{{id: taken, file: own.txt, format: hosts, category: {category}{more}}}]\n"
    config = write_site(folder / "site", port=5353, more=own)
    (config / "own.txt").write_text(text, encoding="utf-8")
    return ["--config", str(config), "--state", str(folder / "state"), "--lang", "en"]


def test_a_list_that_newly_closes_popular_names_is_warned_of(tmp_path: Path) -> None:
    school = _taking(tmp_path, "scam", TAKEN)
    call("lists", "build", "--quiet", "--shipped-only", *school)
    done = call("lists", "build", "--quiet", *school)
    said = "warning: taken (category scam) newly blocks popular names for"
    end = "; if that is a mistake, correct the list or use `filterd report-mistake NAME`"
    assert (done.code, done.out) == (0, "")
    assert done.error_lines == [
        f"{said} everybody: www.unex.es{end}",
        f"{said} 11-12, staff: vk.com{end}",
        f"{said} staff: taboola.com{end}",
    ]
    assert call("lists", "build", "--quiet", *school).err == "", "not new any more"


def test_without_the_frozen_names_such_a_list_causes_no_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the frozen names cause the warning."""
    monkeypatch.setattr("filterd.cli.lists.lists.load_popular_names", tuple)
    school = _taking(tmp_path, "scam", TAKEN)
    assert call("lists", "build", "--quiet", *school).err == ""


def test_a_popular_name_that_a_category_means_is_no_finding(tmp_path: Path) -> None:
    school = _taking(tmp_path, "social-media", "0.0.0.0 vk.com\n")
    assert call("lists", "build", "--quiet", *school).err == ""
    school = _taking(tmp_path, "ads-trackers", "0.0.0.0 vk.com\n0.0.0.0 taboola.com\n")
    assert "blocks popular names for 11-12" in call("lists", "build", "--quiet", *school).err


def test_a_damaged_index_before_makes_all_of_it_new(tmp_path: Path) -> None:
    school = _taking(tmp_path, "scam", TAKEN)
    call("lists", "build", "--quiet", *school)
    StateFolder(tmp_path / "state").index.write_bytes(b"nonsense" * 100)
    assert "for everybody: www.unex.es, vk.com, taboola.com;" in call("lists", "build", *school).err


def test_many_popular_names_are_one_line_and_all_in_json(tmp_path: Path) -> None:
    names = [f"0.0.0.0 {one}.edu.vn\n" for one in ("vnu", "hust", "neu", "ftu", "hnue", "ueh")]
    more = [f"0.0.0.0 {one}\n" for one in ("bbc.com", "cnn.com", "un.org", "visa.com", "dw.com")]
    school = _taking(tmp_path, "scam", "".join(names + more + ["0.0.0.0 usa.gov\n"]))
    done = call("lists", "build", "--json", *school)
    found = json.loads(done.out)["popular_closed"]
    assert {"bbc.com", "cnn.com", "visa.com", "usa.gov"} <= {one["name"] for one in found}
    assert {(one["list"], one["category"]) for one in found} == {("taken", "scam")}
    assert all(one["entry"] == f"={one['name']}" and len(one["grades"]) == 16 for one in found)
    assert len(done.error_lines) == 1


HOSTS = "0.0.0.0 bad.example\n"


def test_a_list_of_single_hosts_in_a_locked_category_is_reported(tmp_path: Path) -> None:
    school = _taking(tmp_path, "porn", HOSTS)
    text = (
        "These lists block single hosts only, so names beneath them stay open although the category"
        " is"
    )
    assert f"{text} locked: taken." in call("lists", "build", *school).out
    assert f"{text} locked: taken." in call("lists", "status", *school).out
    assert json.loads(call("lists", "status", "--json", *school).out)["single_hosts"] == ["taken"]
    assert call("check", "m.bad.example", "--grade", "3", *school).code == 0


@pytest.mark.parametrize(("category", "more"), [("porn", ", subtrees: true"), ("games", "")])
def test_a_list_marked_as_subtrees_or_unlocked_is_not(
    category: str, more: str, tmp_path: Path
) -> None:
    school = _taking(tmp_path, category, HOSTS, more)
    done = call("lists", "build", "--json", *school)
    assert json.loads(done.out)["single_hosts"] == []
    assert call("check", "m.bad.example", "--grade", "3", *school).code == bool(more)


def test_a_wrong_site_leaves_the_lists_as_they_are(school: list[str], tmp_path: Path) -> None:
    call("lists", "build", "--quiet", *school)
    before = StateFolder(tmp_path / "state").index.read_bytes()
    (tmp_path / "site" / "own.txt").unlink()
    (tmp_path / "site" / "site.yaml").write_text("nonsense: 1\n", encoding="utf-8")
    assert call("lists", "build", *school).code == 2
    assert StateFolder(tmp_path / "state").index.read_bytes() == before
    assert call("lists", "build", "--quiet", "--shipped-only", *school).code == 0
    assert StateFolder(tmp_path / "state").previous_index.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("www.tiktok.com", 0, {"tiktok.com", "starter-social-media,", "social-media", "block"}),
        ("TikTok.com", 0, {"tiktok.com"}),
        ("nobody-lists-this.example", 1, {"nobody-lists-this.example", "no", "list"}),
        ("com", 1, {"com"}),
    ],
)
def test_search_finds_a_name_and_what_lies_above(
    name: str, code: int, words: set[str], places: list[str]
) -> None:
    done = call("lists", "search", name, "--lang", "en", *places)
    assert done.code == code
    assert words <= _words_of(done)


def test_search_in_json_names_list_and_line(places: list[str]) -> None:
    found, service = json.loads(call("lists", "search", "www.tiktok.com", "--json", *places).out)
    assert found["line"] > 0
    assert (found["list"], found["entry"]) == ("starter-social-media", "tiktok.com")
    assert found["effect"] == "BLOCK"
    assert (service["list"], service["category"]) == ("service:tiktok", "social-media")
    place = ROOT / "blocklists" / "services.yaml"
    assert "tiktok.com" in place.read_text(encoding="utf-8").splitlines()[service["line"] - 1]
    assert call("lists", "search", "nobody.example", "--json", *places) == (1, "[]\n", "")


def test_without_rights_to_the_lists_the_daemon_is_asked(
    here: list[str], daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise StoreError(say("not for you"))

    commands = [("status",), ("status", "--json"), ("search", "www.tiktok.com")]
    read = [call("lists", *command, *here) for command in commands]
    assert daemon.commands() == []
    monkeypatch.setattr("filterd.cli.lists.lists.open_index", refuse)
    assert [call("lists", *command, *here) for command in commands] == read
    assert daemon.commands() == ["lists", "lists", "lists-search"]


def test_services_are_one_row_of_the_report(places: list[str]) -> None:
    out = call("lists", "status", "--lang", "en", *places).out
    assert "services)" in out
    assert "service:" not in out


class _Daemon:
    """Stands in for the control socket."""

    def __init__(self, *, running: bool, fails: bool = False) -> None:
        self.running, self.fails, self.asked = running, fails, list[str]()

    def ask(self, _path: Path, command: str, *, lists_only: bool) -> None:
        assert not lists_only  # the build has read the site and printed what is wrong with it
        self.asked.append(command)
        if self.fails or not self.running:
            raise ControlError(say("the command failed inside filterd"))

    def is_running(self, _path: Path) -> bool:
        return self.running


@pytest.mark.parametrize(
    ("running", "fails", "option", "code", "asked"),
    [
        (True, False, "--quiet", 0, ["reload"]),
        (True, False, "--no-reload", 0, []),
        (True, True, "--quiet", 2, ["reload"]),
        (False, False, "--quiet", 0, ["reload"]),
    ],
)
def test_a_running_daemon_is_notified(
    school: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    running: bool,
    fails: bool,
    option: str,
    code: int,
    asked: list[str],
) -> None:
    daemon = _Daemon(running=running, fails=fails)
    monkeypatch.setattr(control, "ask", daemon.ask)
    monkeypatch.setattr(control, "is_running", daemon.is_running)
    (tmp_path / "state").mkdir()
    StateFolder(tmp_path / "state").control_socket.write_bytes(b"")
    assert call("lists", "build", option, *school).code == code
    assert daemon.asked == asked


def _here(config: Path, state: Path, *, terminal: bool = False) -> tuple[Context, io.StringIO]:
    errors = io.StringIO()
    console = Console(file=errors, force_terminal=terminal, width=80)
    return Context(config, StateFolder(state), Texts("en"), Console(), console), errors


def test_progress_is_for_terminals(config: Path, tmp_path: Path) -> None:
    here, errors = _here(config, tmp_path, terminal=True)
    lists.build_index(here, shipped_only=True, show_progress=True)
    assert "Compiling lists" in errors.getvalue()
    here, errors = _here(config, tmp_path)
    lists.build_index(here, shipped_only=True, show_progress=True)
    assert errors.getvalue() == ""
