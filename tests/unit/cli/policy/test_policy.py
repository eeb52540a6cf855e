# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.errors import StoreError
from filterd.base.paths import shipped
from filterd.config.compile import compile_policy
from filterd.config.site_reader import load_site
from filterd.lists.catalogs.catalog import load_catalog
from filterd.policy import policy_file
from filterd.policy.model import GRADES, TIERS
from filterd.texts.i18n import say, to_plain
from tests.support.commands import SAMPLE, call
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.clock import FakeClock
    from tests.support.fake_daemon import FakeDaemon


@pytest.mark.usefixtures("clock")
def test_a_valid_site_is_summed_up() -> None:
    done = call("policy", "validate", "--config", SAMPLE, "--lang", "en")
    assert (done.code, done.err) == (0, "")
    assert "policies: valid. 16 networks, 16 grades, 2 rules of its own." in done.out


def test_a_valid_site_is_summed_up_in_json(config: Path) -> None:
    done = call("policy", "validate", "--json", "--config", config)
    printed = json.loads(done.out)
    assert (printed["valid"], printed["networks"], printed["grades"]) == (True, 16, 16)
    assert printed["warnings"] == []


def test_an_exception_that_opens_nothing_is_warned_of(tmp_path: Path, state: StateFolder) -> None:
    rule = "{allow: www.pornhub.com, for: {grade: 5}, reason: Thử}"
    site = write_site(tmp_path / "own", port=5353, more=f"exceptions:\n  - {rule}\n")
    places = ("--config", site, "--state", state.folder)
    done = call("policy", "validate", *places, "--lang", "en")
    assert done.code == 0
    assert "www.pornhub.com is locked for everybody: the exception has no effect" in done.err
    done = call("policy", "validate", *places, "--lang", "vi")
    assert "www.pornhub.com bị khóa đối với mọi người: ngoại lệ này không có tác dụng" in done.err


def test_a_block_of_a_pinned_name_is_warned_of(tmp_path: Path, state: StateFolder) -> None:
    rule = "{block: www.msftconnecttest.com, reason: Thử}"
    site = write_site(tmp_path / "own", port=5353, more=f"exceptions:\n  - {rule}\n")
    places = ("--config", site, "--state", state.folder)
    done = call("policy", "validate", *places, "--lang", "en")
    assert done.code == 0
    assert (
        "www.msftconnecttest.com is pinned: nothing may block it: the exception has no effect"
        in done.err
    )


HOLE = (
    "school: {name: A}\nlanguage: en\n"
    "lessons: {t-1: 07:00-07:45, t-2: 08:00-08:45, t-3: 09:00-09:45}\n"
    "networks:\n  lab: {room: true, timetable: {t2: {t-1: 6, t-3: 6}, t3: {t-2: 6}}}\n"
)


def test_what_may_not_be_meant_is_warned_of_and_valid(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(HOLE, encoding="utf-8")
    done = call("policy", "validate", "--config", tmp_path)
    assert done.code == 0
    assert done.err == (
        f"warning: {tmp_path}/site.yaml:5:33: 'lab' has no grade in t-2 of t2"
        " (then it has the strictest grade of its timetable)\n"
    )
    (row,) = json.loads(call("policy", "validate", "--json", "--config", tmp_path).out)["warnings"]
    assert "no grade in t-2 of t2" in row


def test_what_is_past_is_warned_of_in_both_languages(tmp_path: Path, clock: FakeClock) -> None:
    rule = "{allow: a.example, reason: Bài học, until: 2025-12-01}"
    site = write_site(tmp_path / "own", port=5353, more=f"exceptions:\n  - {rule}\n")
    done = call("policy", "validate", "--config", site, "--lang", "en")
    assert (done.code, done.err) == (0, "")
    clock.advance(86_400)
    done = call("policy", "validate", "--config", site, "--lang", "en")
    assert (done.code, len(done.err.splitlines())) == (0, 1)
    assert ": the exception has ended (remove it, or name a later day)" in done.err
    done = call("policy", "validate", "--config", site, "--lang", "vi")
    assert "ngoại lệ này đã hết hạn (hãy bỏ mục này, hoặc ghi ngày muộn hơn)" in done.err


def test_problems_are_file_line_and_column_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("school: {name: A}\nlisten: [x, y]\n", encoding="utf-8")
    (tmp_path / "primary.yaml").write_text("tier: primary\nbloc: []\n", encoding="utf-8")
    done = call("policy", "validate", "--config", tmp_path)
    assert (done.code, done.out) == (2, "")
    starts = [line.removeprefix(f"filterd: {tmp_path}/") for line in done.error_lines]
    assert [start.split(": ")[0] for start in starts] == [
        "primary.yaml:1:1",
        "primary.yaml:2:1",
        "site.yaml:2:10",
        "site.yaml:2:13",
    ]


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("grade", ["1", "12", "preschool", "staff"])
def test_a_grade_fits_80_columns(lang: str, grade: str) -> None:
    done = call("policy", "show", "--grade", grade, "--config", SAMPLE, "--lang", lang)
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 80
    rows = [line.split()[0] for line in done.out.splitlines() if line.strip()]
    assert {"law-ordered", "porn", "social-media", "ads-trackers"} <= set(rows)
    assert rows.count("games") == 2  # the category, and how many of its services are open
    assert "roblox" not in rows
    every = call("policy", "show", "--grade", grade, "--all", "--config", SAMPLE, "--lang", lang)
    assert max(map(len, every.out.splitlines())) <= 80
    rows = [line.split()[0] for line in every.out.splitlines() if line.strip()]
    assert {"youtube", "zalo", "roblox", "azota"} <= set(rows)


@pytest.mark.parametrize(
    ("grade", "answer"),
    [
        ("1", {"Safe search": "on", "YouTube": "Restricted Mode, strict"}),
        ("staff", {"Safe search": "off", "YouTube": "not restricted"}),
    ],
)
def test_safe_search_and_youtube_are_shown(grade: str, answer: dict[str, str]) -> None:
    out = call("policy", "show", "--grade", grade, "--config", SAMPLE, "--lang", "en").out
    for heading, value in answer.items():
        assert any(line.split("  ")[0] == heading and value in line for line in out.splitlines())


@pytest.mark.parametrize(
    ("grade", "category", "state"),
    [
        ("1", "social-media", "closed"),
        ("1", "porn", "locked"),
        ("11", "social-media", "open"),
        ("staff", "social-media", "open"),
        ("staff", "porn", "locked"),
        ("staff", "law-ordered", "locked"),
    ],
)
def test_a_grade_in_json_has_each_category(grade: str, category: str, state: str) -> None:
    done = call("policy", "show", "--grade", grade, "--json", "--config", SAMPLE)
    printed = json.loads(done.out)
    assert printed["grade"] == grade
    assert printed["categories"][category] == state


SERVICES = (
    "grades:\n  7: {services: {allow: [youtube], block: [azota]}}\n"
    "keep_closed: {categories: [social-media]}\n"
)


@pytest.mark.parametrize(
    ("grade", "service", "state"),
    [
        ("7", "youtube", "open"),  # named itself
        ("6", "youtube", "closed"),  # as its category
        ("8", "youtube", "open"),
        ("8", "bigo-live", "closed"),  # older than its category
        ("7", "azota", "closed"),
        ("6", "azota", "open"),
        ("6", "tiktok", "locked"),  # kept closed
        ("11", "tiktok", "open"),  # kept closed to whom it is closed only
    ],
)
def test_a_grade_in_json_has_each_service(
    tmp_path: Path, grade: str, service: str, state: str
) -> None:
    config = write_site(tmp_path, port=5353, more=SERVICES)
    printed = json.loads(call("policy", "show", "--grade", grade, "--json", "--config", config).out)
    assert printed["services"][service] == state


def test_the_tree_has_every_tier_and_grade_and_unknown_clients(config: Path) -> None:
    done = call("policy", "tree", "--config", config, "--lang", "en")
    words = done.out.split()
    assert done.out.startswith("Trường mẫu\n")
    assert set(TIERS) | set(GRADES) <= set(words)
    (unknown,) = [line for line in done.out.splitlines() if "(unknown clients)" in line]
    assert "preschool" in unknown
    assert "127.0.103.0/24" in done.out


def test_the_tree_in_json_has_every_grade_with_its_networks(config: Path) -> None:
    printed = json.loads(call("policy", "tree", "--json", "--config", config).out)
    assert [one["grade"] for one in printed] == list(GRADES)
    assert all(one["networks"] == [f"of-{one['grade']}"] for one in printed)
    assert [one["grade"] for one in printed if one["unknown_clients"]] == ["preschool"]


def test_an_address_range_in_brackets_of_markup_is_no_markup(tmp_path: Path) -> None:
    config = write_site(tmp_path, port=5353)
    text = (config / "site.yaml").read_text(encoding="utf-8")
    (config / "site.yaml").write_text(text.replace("Trường mẫu", "'[b]A[/b]'"), encoding="utf-8")
    assert call("policy", "tree", "--config", config).out.startswith("[b]A[/b]\n")


def test_what_commands_have_set_is_shown_beside_the_files(
    here: list[str], daemon: FakeDaemon
) -> None:
    until = ("--for", "1h", "--reason", "b")
    call("policy", "set", "--grade", "7", "--allow-category", "games", *here)
    call("allow", "a.example", "--tier", "lower-secondary", *until, *here)
    call("block", "b.example", "--grade", "6", *until, *here)
    call("block", "c.example", "--room", "lab-a", *until, *here)
    shown = call("policy", "show", "--grade", "7", *here).out
    assert "Set by command" in shown
    assert "open category:games to grade 7" in shown
    assert "allow a.example for lower secondary until 09:00" in shown
    assert "b.example" not in shown
    assert "c.example" not in shown
    printed = json.loads(call("policy", "show", "--grade", "7", "--json", *here).out)
    assert printed["categories"]["games"] == "closed"  # the files say so
    assert [(one["of"], one["id"]) for one in printed["set"]] == [("grades", 1), ("exceptions", 2)]
    assert daemon.store.current().number == 4


def test_what_it_makes_is_the_sample_and_valid(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "school"
    done = call("init", folder, "--lang", "en")
    assert (done.code, done.err) == (0, "")
    assert f"filterd policy validate --config {folder}" in done.out
    assert {path.name for path in folder.iterdir()} == {path.name for path in SAMPLE.iterdir()}
    assert call("policy", "validate", "--config", folder).code == 0


def test_its_comments_and_the_language_of_the_site_are_those_of_the_command(tmp_path: Path) -> None:
    call("init", tmp_path / "en", "--lang", "en")
    call("init", tmp_path / "vi", "--lang", "vi")
    site = {one: (tmp_path / one / "site.yaml").read_text(encoding="utf-8") for one in ("vi", "en")}
    assert "  # A computer room" in site["en"]
    assert "\nlanguage: en\n" in site["en"]
    assert "  # Một phòng máy" in site["vi"]


def test_an_empty_folder_may_be_there_already(tmp_path: Path) -> None:
    assert call("init", tmp_path).code == 0


@pytest.mark.parametrize("file", ["site.yaml", "primary.yaml", "schema/site.schema.json"])
def test_files_that_exist_are_kept_and_the_others_added(tmp_path: Path, file: str) -> None:
    mine = tmp_path / file
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine\n", encoding="utf-8")
    done = call("init", tmp_path, "--lang", "en")
    assert (done.code, done.err) == (0, "")
    assert f"Kept as they are: {file}\n" in done.out
    assert mine.read_text(encoding="utf-8") == "mine\n"
    assert (tmp_path / "schema/tier.schema.json").exists()


def test_what_else_is_in_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine\n", encoding="utf-8")
    assert call("init", tmp_path).code == 0
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine\n"


def test_what_ships_meets_what_is_expected_of_it(here: list[str]) -> None:
    done = call("policy", "test", *here)
    assert (done.code, done.err) == (0, "")
    assert "expectations are met." in done.out


def test_a_school_that_opens_what_is_expected_to_be_closed_is_reported(
    tmp_path: Path, here: list[str]
) -> None:
    more = "grades:\n  4: {categories: {allow: [social-media]}}\n"
    site = write_site(tmp_path / "own", port=5353, more=more)
    done = call("policy", "test", "--config", str(site), *here[2:])
    assert done.code == 1
    text = (
        "expected: www.tiktok.com is blocked for primary; but it passes for 4 (a category"
        " open to this grade, social-media"
    )
    assert text in done.out
    assert "primary.yaml:" in done.out
    (site / "expectations").mkdir()
    (site / "expectations" / "primary.yaml").write_text("[]\n", encoding="utf-8")
    assert call("policy", "test", "--config", str(site), *here[2:]).code == 0


def test_what_a_reload_would_refuse_is_not_valid(
    tmp_path: Path, here: list[str], quiet: StateFolder
) -> None:
    more = "grades:\n  4: {categories: {allow: [social-media]}}\n"
    site = write_site(tmp_path / "own", port=5353, more=more)
    done = call("policy", "validate", "--config", str(site), *here[2:])
    assert (done.code, done.out) == (2, "")
    assert "expected: www.tiktok.com is blocked for primary; but it passes for 4" in done.err
    done = call("policy", "validate", "--config", str(site), "--state", tmp_path, *here[4:])
    assert done.code == 0, "without lists only the files can be judged"
    policy = compile_policy(load_site(site), load_catalog(shipped("blocklists")))
    policy_file.save(quiet.policy, policy)
    done = call("policy", "validate", "--config", str(site), *here[2:])
    assert done.code == 0, "it is in force already, so a reload takes it"
    assert "warning: " in done.err


def test_an_exception_of_the_school_holds_against_what_ships(
    tmp_path: Path, here: list[str]
) -> None:
    more = "exceptions:\n  - {allow: www.tiktok.com, for: {grade: 4}, reason: Bài học}\n"
    site = write_site(tmp_path / "own", port=5353, more=more)
    done = call("policy", "test", "--config", str(site), *here[2:])
    assert done.code == 0
    assert "an exception of the site: valid" in done.out
    printed = json.loads(call("policy", "test", "--json", "--config", str(site), *here[2:]).out)
    assert [one["yields"] for one in printed["unmet"]] == [True]


def test_a_file_of_ones_own_can_be_tried(tmp_path: Path, here: list[str]) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(
        "- www.youtube.com is blocked for room lab-a at t2 08:00\n"
        "- www.youtube.com is blocked for room library\n",
        encoding="utf-8",
    )
    done = call("policy", "test", file, "--json", *here)
    printed = json.loads(done.out)
    assert (done.code, printed["expectations"]) == (1, 2)
    (unmet,) = printed["unmet"]
    assert (unmet["line"], unmet["found"][0]["network"]) == (2, "library")


def test_without_rights_to_the_lists_the_daemon_is_asked(
    tmp_path: Path, here: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    sentence = to_plain(say("expected: {written}", written="it"))
    problem = {"expected": "it", "path": "a", "line": 1, "yields": False, "found": []}

    def ask(_path: Path, command: str, **arguments: Any) -> Any:
        assert command == "expectations"
        asked.append(arguments)
        return {"expectations": 3, "unmet": [{**problem, "sentence": sentence}]}

    def refuse(_: object) -> None:
        raise StoreError(say("not for you"))

    monkeypatch.setattr(control, "ask", ask)
    monkeypatch.setattr("filterd.cli.policy.policy.open_index", refuse)
    file = tmp_path / "own.yaml"
    file.write_text("- www.youtube.com is blocked for room library at t2 08:00\n", encoding="utf-8")
    done = call("policy", "test", file, *here)
    assert (done.code, done.out) == (1, "expected: it\n1 of 3 expectations are not met.\n")
    printed = json.loads(call("policy", "test", "--json", *here).out)
    assert printed == {"expectations": 3, "unmet": [problem]}
    (expected,), without_files = asked[0]["wanted"], asked[1]
    assert (expected["whom"], expected["weekday"], without_files) == ("library", 0, {})


@pytest.mark.parametrize("text", ["- nonsense\n", "- a.example passes for room lab-c\n"])
def test_a_wrong_file_is_reported(text: str, tmp_path: Path, here: list[str]) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(text, encoding="utf-8")
    done = call("policy", "test", file, *here)
    assert (done.code, done.out) == (2, "")
    assert f"{file}:1:3: " in done.err
