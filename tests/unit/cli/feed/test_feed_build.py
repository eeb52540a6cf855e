# SPDX-License-Identifier: Apache-2.0
"""``filterd feed build`` and ``diff``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.paths import sole
from filterd.cli.feed.feed_build import _places
from filterd.lists.catalogs.catalog import load_catalog
from filterd.texts.i18n import say
from tests.support.evidence_folder import write_evidence
from tests.support.feed_desk import GAMBLING, SCAM, files_of, names_of, widest
from tests.support.yaml_files import change_yaml

if TYPE_CHECKING:
    from tests.support.feed_desk import Desk


def test_a_version_is_made_of_own_lists_and_of_sources(new_desk: Desk) -> None:
    done = new_desk.build()
    assert (done.code, done.err) == (0, "")
    assert f"Written to {new_desk.version}\n" in done.out
    ids = {one.id for one in load_catalog(new_desk.version).lists}
    assert ids == {"feed-gambling", "feed-scam"}
    assert b"casino.example" in files_of(new_desk.version)["lists/feed-gambling.txt"]


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("Sources", "taken", "Categories of the version", "Written to")),
        ("vi", ("Nguồn", "đã nhận", "Các nhóm trong phiên bản", "Đã ghi vào")),
    ],
)
def test_the_report_is_in_the_language_and_fits_80_columns(
    new_desk: Desk, lang: str, words: tuple[str, ...]
) -> None:
    done = new_desk.build(lang=lang)
    assert [word for word in words if word not in done.out] == []
    assert widest(done) <= 80


def test_json_has_every_source_and_category(new_desk: Desk) -> None:
    printed = json.loads(new_desk.build("--json").out)
    assert (printed["written"], printed["held"]) == (True, [])
    assert {one["id"]: one["outcome"] for one in printed["sources"]} == {
        SCAM: "taken",
        GAMBLING: "taken",
    }
    assert printed["outcomes"]["taken"] == 2
    assert printed["categories"]["scam"]["names"] == 40
    assert {one["id"] for one in printed["lists"]} == {"feed-gambling", "feed-scam"}


def test_a_category_is_reviewed_by_its_day_or_a_reminder_is_shown(new_desk: Desk) -> None:
    def date(data: Any) -> None:
        for category, day in zip(data["categories"], ("2027-01-15", "2027-01-16"), strict=False):
            category["review_date"] = day

    change_yaml(new_desk.catalog / "categories.yaml", date)
    done = new_desk.build()
    [line] = done.error_lines
    due = "warning: the review of category law-ordered (age, label, legal basis) was due on "
    assert line.startswith(f"{due}2027-01-15")
    assert done.code == 0


def test_an_entry_of_an_own_list_that_is_due_is_named_and_published(new_desk: Desk) -> None:
    lines = "".join(f"phim{number}.example\n" for number in range(12))
    write_evidence(new_desk.catalog, piracy="# evidence: page, again 2027-01-15\n" + lines)
    done = new_desk.build()
    first, *_, last = done.error_lines
    assert (done.code, len(done.error_lines)) == (0, 11)
    assert first.startswith("warning: vn/piracy.txt:2: the evidence of phim0.example is of 2026-08")
    assert last == "warning: look again at the evidence of 2 more"
    assert b"phim11.example" in files_of(new_desk.version)["lists/vn-piracy.txt"]


def test_an_entry_without_evidence_is_refused_with_its_place(new_desk: Desk) -> None:
    write_evidence(new_desk.catalog, piracy="phim.example\n")
    done = new_desk.build()
    assert done.code == 2
    assert "vn/piracy.txt:1: 'phim.example' has no evidence" in done.err
    assert not new_desk.version.exists()


def test_contacts_are_checked_where_they_are_written_and_go_with_the_version(
    new_desk: Desk,
) -> None:
    contacts = new_desk.catalog / "contacts.yaml"
    contacts.write_text("contacts: [{about: {vi: a, en: a}, name: b}]\n", encoding="utf-8")
    done = new_desk.build()
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "contacts.yaml:1:12: contacts: no address is known for b" in done.err
    contacts.write_text("contacts: [{about: {vi: a, en: a}, name: b, phone: '1'}]\n")
    assert new_desk.build().code == 0
    assert (new_desk.version / "contacts.yaml").read_bytes() == contacts.read_bytes()


def test_a_source_that_is_gone_keeps_its_last_good_text(desk: Desk) -> None:
    (desk.given / f"{SCAM}.txt").unlink()
    before = files_of(desk.version)
    done = desk.build()
    assert done.code == 1
    (line,) = done.error_lines
    assert line.startswith(f"warning: not taken: {SCAM}: ")
    assert "old one kept" in done.out
    assert files_of(desk.version) == before


def test_a_source_that_never_came_is_missing_and_the_rest_is_built(new_desk: Desk) -> None:
    (new_desk.given / f"{SCAM}.txt").unlink()
    done = new_desk.build("--json")
    printed = json.loads(done.out)
    assert (done.code, printed["outcomes"]["missing"], printed["written"]) == (1, 1, True)


def test_of_many_sources_that_did_not_come_the_first_are_reported(new_desk: Desk) -> None:
    catalog = new_desk.catalog / "catalog.yaml"

    def multiply(data: Any) -> None:
        first = data["sources"][0]
        data["sources"] = [{**first, "id": f"list-{number}"} for number in range(15)]

    change_yaml(catalog, multiply)
    done = new_desk.build()
    assert (done.code, len(done.error_lines)) == (1, 11)
    assert done.error_lines[-1] == "warning: not taken: and 5 more (--json shows all)"


def test_a_text_that_has_halved_is_not_taken(desk: Desk) -> None:
    desk.give(SCAM, *names_of("scam", beyond=10))
    done = desk.build(lang="vi")
    assert done.code == 1
    assert f"cảnh báo: không nhận: {SCAM}: có 10 tên, trước đó có 40" in done.err


def test_what_changes_unusually_much_is_held_and_the_last_build_stays(desk: Desk) -> None:
    before = files_of(desk.version)
    desk.give(SCAM, *names_of("scam", beyond=900))
    done = desk.build()
    assert (done.code, files_of(desk.version)) == (50, before)
    assert "filterd: the version is held: " in done.error_lines[-1]
    assert "write it with `--accept`" in done.error_lines[-1]
    assert "Written to" not in done.out


def test_json_has_why_a_version_is_held(desk: Desk) -> None:
    desk.give(SCAM, *names_of("scam", beyond=900))
    done = desk.build("--json")
    printed = json.loads(done.out)
    assert (done.code, printed["written"]) == (50, False)
    assert "category scam: 40 names become 900" in printed["held"]


def test_a_held_version_is_accepted_after_review(desk: Desk) -> None:
    desk.give(SCAM, *names_of("scam", beyond=900))
    done = desk.build("--accept")
    assert done.code == 0
    assert "warning: accepted and written: category scam: 40 names become 900" in done.err
    assert b"\n".join(files_of(desk.version)["lists/feed-scam.txt"].split()).count(b"scam-") == 900
    assert desk.build().code == 0


def test_a_version_is_compared_with_the_one_that_is_named(desk: Desk, tmp_path: Path) -> None:
    desk.give(SCAM, *names_of("scam", beyond=900))
    out = tmp_path / "another" / "version"
    words = ("--catalog", desk.catalog, "--from-folder", desk.given, "--out", out)
    assert desk.call("build", *words, "--previous", desk.version).code == 50
    assert desk.call("build", *words).code == 0


def test_popular_names_that_a_list_of_scams_has_are_set_aside(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "popular.txt").write_text("1,shop.example\n2,casino.example\n")
    desk.give(SCAM, *names_of("scam"), "shop.example")
    printed = json.loads(
        desk.build("--popular", tmp_path / "popular.txt", "--json", "--accept").out
    )
    assert printed["categories"]["scam"]["set_aside"] == ["shop.example"]
    assert printed["categories"]["gambling"]["popular"] == {"2": "casino.example"}


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("--popular", "nowhere.txt"), 2, "nowhere.txt: cannot be read: No such file"),
        (("--catalog", "nowhere"), 2, "categories.yaml: cannot be read: No such file"),
        (("--previous", "nowhere"), 2, "nowhere/categories.yaml: cannot be read: No such file"),
        (("--from-folder", "nowhere"), 2, "there is no folder nowhere (check --from-folder)"),
        (("--out", "/proc/nowhere/version"), 2, "cannot be written"),
    ],
)
def test_what_cannot_be_built_is_reported_in_one_line_and_nothing_is_lost(
    desk: Desk, words: tuple[str, ...], code: int, why: str
) -> None:
    before = files_of(desk.folder)
    done = desk.build(*words)
    assert (done.code, len(done.error_lines)) == (code, 1), done
    assert why in done.err
    assert files_of(desk.folder) == before


def test_only_one_build_is_at_work(desk: Desk) -> None:
    with sole(desk.folder / "sources" / ".lock", otherwise=say("busy")):
        done = desk.build()
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "another build is running" in done.err


def test_texts_of_sources_stand_beside_the_version_where_nothing_else_is_said() -> None:
    places = _places(Path("catalog"), Path("/srv/feed/version"))
    assert places.sources == Path("/srv/feed/sources")
    assert (places.given, places.popular, places.previous) == (None, None, None)
    assert _places(Path("catalog"), Path("version"), sources=Path("a")).sources == Path("a")


NEW = "bet-another.example"


@pytest.fixture
def changed(desk: Desk) -> Desk:
    """A desk with another version beside the one that is published: ``old`` beside ``version``."""
    shutil.copytree(desk.version, desk.folder / "old")
    desk.give(GAMBLING, *names_of("bet", first=1), NEW)
    assert desk.build().code == 0
    return desk


def _compare(desk: Desk, *words: str | Path, lang: str = "en") -> list[str]:
    done = desk.call("diff", desk.folder / "old", desk.version, *words, lang=lang)
    assert (done.code, done.err) == (1, "")
    assert widest(done) <= 80
    return done.out.splitlines()


def test_what_is_the_same_differs_in_nothing(desk: Desk) -> None:
    done = desk.call("diff", desk.version, desk.version)
    assert (done.code, done.out) == (0, "No difference.\n")
    done = desk.call("diff", desk.version, desk.version, "--json")
    assert json.loads(done.out) == {"categories": [], "popular": [], "tables": {}}


@pytest.mark.parametrize(
    ("lang", "title", "whom"),
    [
        ("en", "Changes by category", "everybody"),
        ("vi", "Thay đổi theo nhóm", "mọi người"),
    ],
)
def test_a_category_is_shown_with_the_grades_that_it_is_closed_to(
    changed: Desk, lang: str, title: str, whom: str
) -> None:
    lines = _compare(changed, lang=lang)
    assert lines[0].strip() == title
    (row,) = (line for line in lines if line.startswith(" gambling"))
    assert row.split()[-4:] == ["42", "42", "1", "1"]
    assert whom in row


def test_names_are_reported_where_they_are_wanted(changed: Desk) -> None:
    (gone,) = names_of("bet", beyond=1)
    assert f"+ gambling {NEW}" not in _compare(changed)
    lines = _compare(changed, "--names")
    assert f"+ gambling {NEW}" in lines
    assert f"- gambling {gone}" in lines


def test_the_number_of_names_that_are_not_shown_is_printed(changed: Desk) -> None:
    changed.give(GAMBLING, *names_of("bet", first=1), *names_of("new", beyond=25))
    assert changed.build("--accept").code == 0
    lines = _compare(changed, "--names")
    assert "+ gambling ... and 5 more" in lines


def test_popular_names_that_open_or_close_are_shown_by_rank(changed: Desk, tmp_path: Path) -> None:
    (gone,) = names_of("bet", beyond=1)
    (tmp_path / "popular.txt").write_text(f"search.example\n{gone}\n{NEW}\n")
    lines = _compare(changed, "--popular", tmp_path / "popular.txt")
    after = lines[lines.index("Popular names that change") :]
    assert [one.split()[:2] for one in after if one.startswith(" bet-")] == [
        [gone, "2"],
        [NEW, "3"],
    ]


def test_a_table_is_reported_entry_by_entry(changed: Desk) -> None:
    path = changed.version / "pins.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "  - {name: help.example, reason: help}\n", encoding="utf-8")
    lines = _compare(changed)
    at = lines.index("pins.yaml")
    assert lines[at + 1].split() == ["+", "help.example"]


def test_versions_of_a_publication_are_compared_by_their_numbers(changed: Desk) -> None:
    changed.publish()
    done = changed.call("diff", "2", "3", "--repo", changed.public, "--json")
    (category,) = json.loads(done.out)["categories"]
    assert (done.code, category["id"], category["added_names"]) == (1, "gambling", [NEW])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("1", "2", "--repo", "{public}"), "version '1' is not here (known: 2)"),
        (("2", "9", "--repo", "{public}"), "version '9' is not here (known: 2)"),
        (("new", "2", "--repo", "{public}"), "version 'new' is not here (known: 2)"),
        (("{version}", "nowhere"), "nowhere/categories.yaml: cannot be read: No such file"),
        (("1", "2", "--repo", "nowhere"), "nowhere/metadata/timestamp.json: cannot be read"),
        (("{version}", "{version}", "--popular", "nowhere"), "nowhere: cannot be read"),
        (("{version}",), "V2"),
    ],
)
def test_what_cannot_be_compared_is_reported_in_one_line(
    desk: Desk, words: tuple[str, ...], why: str
) -> None:
    before = files_of(desk.folder)
    done = desk.call(
        "diff", *(word.format(public=desk.public, version=desk.version) for word in words)
    )
    assert (done.code, len(done.error_lines), done.out) == (2, 1, ""), done
    assert why in done.err
    assert files_of(desk.folder) == before
