# SPDX-License-Identifier: Apache-2.0
"""A review shows what a rule would close, and the next build applies it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from filterd.publish.review import DECISIONS, QUEUE
from tests.support.feed_desk import GAMBLING, files_of, set_up, widest
from tests.support.made_once import MadeOnce

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.clock import FakeClock
    from tests.support.feed_desk import Desk

MIRRORS = [f"i9bet{number}.{suffix}" for number in (16, 42, 77) for suffix in ("com", "vip")]
SHORT = [f"nova{number}.com" for number in (60, 61, 72, 83)]
HOLDING = [f"kubet{number}.com" for number in range(10, 20)]
REASON = ("--reason", "trang cá cược, đã xem")


def _reviewer(folder: Path) -> Desk:
    desk = set_up(folder / "desk")
    (folder / "popular.txt").write_text("search.example\ni9bet5.com\n")
    desk.give(GAMBLING, *MIRRORS, *SHORT, *HOLDING)
    assert _build(desk) == ["gambling: kubet#"]
    return desk


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce[Desk]:
    return MadeOnce(tmp_path_factory.mktemp("review"), _reviewer)


@pytest.fixture
def reviewer(made: MadeOnce[Desk], evening: FakeClock) -> Desk:  # noqa: ARG001
    """A desk where one family waits for it fits a popular name, and one has little evidence."""
    return made.anew()


def _build(desk: Desk) -> list[str]:
    """Build, and return the rules that the version has."""
    popular = desk.folder.parent / "popular.txt"
    done = desk.build("--popular", popular, "--accept")
    assert done.code == 0
    path = desk.version / "lookalikes.yaml"
    if not path.exists():
        return []
    rules = yaml.safe_load(path.read_text())["lookalikes"]
    return sorted(f"{rule['category']}: {rule['shape']}" for rule in rules)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            (
                "gambling, families, everywhere  1 rules; 0 of",
                "schools and chosen names, 1 of 2 others: i9bet5.com",
            ),
        ),
        ("vi", ("gambling, họ tên, ở mọi nơi  1 quy tắc; 0 trong số",)),
    ],
)
def test_a_review_begins_with_the_errors_of_rules_in_force(
    reviewer: Desk, lang: str, words: tuple[str, ...]
) -> None:
    shown = " ".join(reviewer.review(lang=lang).out.split())
    for word in words:
        assert " ".join(word.split()) in shown


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            (
                "i9bet#  gambling",
                "Would close   i9bet5.com",
                "Such as       i9bet16.com, i9bet16.vip, i9bet42.com",
                "no popular name is known to match; too few names to be sure",
            ),
        ),
        (
            "vi",
            ("i9bet#  gambling", "Sẽ chặn nhầm  i9bet5.com", "không thấy tên phổ biến nào trùng"),
        ),
    ],
)
def test_what_waits_is_shown_with_what_it_would_close(
    reviewer: Desk, lang: str, words: tuple[str, ...]
) -> None:
    done = reviewer.review(lang=lang)
    assert (done.code, done.err) == (1, "")
    assert [word for word in words if word not in done.out] == []
    assert widest(done) <= 80
    assert "kubet" not in done.out


def test_a_shape_of_three_letters_is_not_offered_however_many_names_it_has(reviewer: Desk) -> None:
    reviewer.give(GAMBLING, *(f"kyu{number}.com" for number in range(100)))
    _build(reviewer)
    assert "kyu" not in reviewer.review().out


def test_json_has_all_of_it(reviewer: Desk) -> None:
    first, second = json.loads(reviewer.review("--json").out)
    assert (first["shape"], first["category"], first["members"]) == ("i9bet#", "gambling", 6)
    assert first["closes"] == ["i9bet5.com"]
    assert (second["shape"], second["closes"]) == ("nova#", [])


def test_the_build_reports_waiting_decisions(reviewer: Desk) -> None:
    printed = json.loads(reviewer.build("--json").out)
    (errors,) = [one for one in printed["lookalikes"].pop("errors") if one["rules"]]
    assert printed["lookalikes"] == {
        "rules": 2,
        "waiting": 1,
    }  # no popular name speaks against i9bet#
    assert (errors["kind"], errors["certain"], errors["names"]) == ("family", 0, [])
    assert "1 wait for a decision (feed review)" in reviewer.build().out


def test_what_is_accepted_is_a_rule_of_the_next_build(reviewer: Desk) -> None:
    done = reviewer.review("--accept", "i9bet#", "--refuse", "nova#", *REASON, "--who", "Lan")
    assert (done.code, done.err) == (0, "")
    assert "i9bet# (gambling): accepted\nnova# (gambling): refused\n" in done.out
    assert reviewer.review().out.endswith("\nNothing waits for a decision.\n")
    assert _build(reviewer) == ["gambling: i9bet#", "gambling: kubet#"]
    assert reviewer.review().code == 0


def test_author_reason_and_time_are_kept_and_shown(reviewer: Desk) -> None:
    reviewer.review("--accept", "i9bet#", *REASON, "--who", "Lan")
    shown = reviewer.review("--decided", lang="vi").out
    for words in ("i9bet#  gambling", "chấp nhận", "Lan, 2027-01-15", "trang cá cược, đã xem"):
        assert words in shown
    (row,) = json.loads(reviewer.review("--decided", "--json").out)
    assert (row["decision"], row["digits"], row["who"]) == ("accept", 3, "Lan")


def test_the_author_of_a_decision_is_not_published(reviewer: Desk) -> None:
    reviewer.review("--accept", "i9bet#", *REASON, "--who", "Lan")
    _build(reviewer)
    assert not any("decisions" in path or "queue" in path for path in files_of(reviewer.version))
    assert not any(b"Lan" in content for content in files_of(reviewer.version).values())


def test_without_a_name_the_author_is_the_logged_in_user(reviewer: Desk) -> None:
    reviewer.review("--refuse", "nova#", *REASON, SUDO_USER="minh")
    (row,) = json.loads(reviewer.review("--decided", "--json").out)
    assert row["who"]


def test_a_decision_can_be_reversed(reviewer: Desk) -> None:
    reviewer.review("--accept", "i9bet#", *REASON)
    assert reviewer.review("--refuse", "i9bet#", *REASON).code == 0
    (row,) = json.loads(reviewer.review("--decided", "--json").out)
    assert row["decision"] == "refuse"
    assert _build(reviewer) == ["gambling: kubet#"]


def test_a_rule_that_holds_by_itself_is_refused_with_its_category(reviewer: Desk) -> None:
    assert reviewer.review("--refuse", "kubet#", *REASON).code == 2
    done = reviewer.review("--refuse", "kubet#", "--category", "gambling", *REASON, "--json")
    assert [load["shape"] for load in json.loads(done.out)] == ["kubet#"]
    assert _build(reviewer) == []


def test_only_the_largest_are_shown_at_first(reviewer: Desk) -> None:
    stems = [f"z{letter}mk" for letter in "bcdfghjkmnpqrtvwxyzaeu"]
    reviewer.give(GAMBLING, *(f"{stem}{number}.com" for stem in stems for number in range(3)))
    _build(reviewer)
    done = reviewer.review()
    assert "... and 2 more (--all)" in done.out
    assert len(json.loads(reviewer.review("--json").out)) == 22
    assert reviewer.review("--all").out.count("Listed names") == 22
    assert reviewer.review("--category", "scam").code == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--accept", "i9bet#"), "a decision needs a reason (--reason"),
        (("--accept", "i9bet#", "--reason", " "), "a decision needs a reason"),
        (("--accept", "i9bet#", "--accept-mistake", "a.vn"), "mistakes need reasons of their own"),
        (("--accept", "i9bat#", *REASON), "'i9bat#' is not waiting for a decision (did you mean"),
        (
            ("--accept", "kubet#", "--category", "gambling", *REASON),
            "is not waiting for a decision",
        ),
        (("--refuse", "a b", "--category", "gambling", *REASON), "'a b' is not a shape of a label"),
        (
            ("--refuse", "i9bet#", "--category", "games", *REASON),
            "the category 'games' has no such rules",
        ),
        (("--accept", "nova#", "--refuse", "nova#", *REASON), "a shape is given twice"),
        (("--accept", "nova#", "--accept", "none#", *REASON), "'none#' is not waiting"),
    ],
)
def test_what_cannot_be_decided_is_reported_in_one_line_and_nothing_is(
    reviewer: Desk, words: tuple[str, ...], why: str
) -> None:
    before = files_of(reviewer.folder)
    done = reviewer.review(*words)
    assert (done.code, len(done.error_lines), done.out) == (2, 1, ""), done
    assert why in done.err
    assert files_of(reviewer.folder) == before


def test_a_shape_of_two_categories_is_decided_for_the_one_that_is_named(reviewer: Desk) -> None:
    queue = reviewer.catalog / QUEUE
    waiting = yaml.safe_load(queue.read_text())["waiting"]
    queue.write_text(
        yaml.safe_dump(
            {
                "waiting": [
                    *waiting,
                    {**waiting[0], "category": "porn", "closes": [], "examples": []},
                ]
            }
        )
    )
    done = reviewer.review("--accept", "i9bet#", *REASON)
    assert done.error_lines == [
        "filterd: 'i9bet#' is waiting in several categories "
        "(choose one: --category gambling, --category porn)"
    ]
    assert reviewer.review("--accept", "i9bet#", "--category", "porn", *REASON).code == 0
    (row,) = json.loads(reviewer.review("--decided", "--json").out)
    assert row["category"] == "porn"


def test_invalid_decisions_are_reported_with_their_place(reviewer: Desk) -> None:
    (reviewer.catalog / DECISIONS).write_text("decisions:\n  - {shape: i9bet#}\n")
    done = reviewer.review(lang="vi")
    assert done.code == 2
    assert all(f"{DECISIONS}:2" in line for line in done.error_lines)


def test_before_the_first_build_nothing_waits(new_desk: Desk) -> None:
    done = new_desk.review()
    assert (done.code, done.out) == (0, "Nothing waits for a decision.\n")
    assert new_desk.review("--decided").out == "Nothing has been decided.\n"


def test_a_folder_that_is_no_publishers_is_reported(new_desk: Desk, tmp_path: Path) -> None:
    done = new_desk.call("review", "--catalog", tmp_path / "nowhere")
    assert done.code == 2
    assert "nowhere/categories.yaml: cannot be read: No such file" in done.err
