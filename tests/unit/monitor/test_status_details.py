# SPDX-License-Identifier: Apache-2.0
"""The status of the daemon is worded: what is well in a word, what is not in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from filterd.base.errors import ConfigError, to_plain
from filterd.monitor.status_details import COUNTERS, STATUS, doubts
from filterd.policy.model import UpstreamServer
from filterd.texts.i18n import Texts, say
from filterd.texts.i18n import to_plain as sentence_to_plain
from filterd.texts.rows import SchoolClock, Wording
from filterd.upstream.tls_trust import explain
from tests.support.fake_daemon import STATUS as ANSWER

if TYPE_CHECKING:
    from filterd.texts.i18n import Language


DAY = 86_400
TROUBLES = [one for one in STATUS.columns if one.style == "yellow"]


def _wording(language: Language) -> Wording:
    return Wording(Texts(language), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 1.8e9))


def _cell(heading: str, language: Language = "en", **changes: Any) -> str:
    """Return the text under a heading, of an answer with these changes."""
    columns = {str(one.heading): one for one in (*COUNTERS.columns, *STATUS.columns)}
    return columns[heading].cell(ANSWER | changes, _wording(language))[0]


def test_the_title_has_the_version() -> None:
    assert STATUS.title(ANSWER, _wording("en")) == "filterd 0.1.0 is running, for 24 hours"


def test_the_problem_of_an_upstream_is_a_sentence() -> None:
    problem = explain(ConnectionRefusedError(), UpstreamServer("192.0.2.53", 853))
    plain = {"problem": problem, "sentence": sentence_to_plain(problem)}
    for part, cell in (plain, "từ chối"), ({"problem": "of an older daemon"}, "older daemon"):
        upstream = ANSWER["upstreams"][1] | part
        assert cell in _cell("Upstreams", "vi", upstreams=[upstream])


@pytest.mark.parametrize(
    ("since", "sentence"), [(1.8e9 - 7200, "(down since 13:00)"), (None, "(down)")]
)
def test_an_upstream_that_is_down_is_reported_with_the_time(
    since: float | None, sentence: str
) -> None:
    upstream = ANSWER["upstreams"][1] | {"down_since": since}
    assert sentence in _cell("Upstreams", upstreams=[upstream])


def test_the_last_backup_is_reported_and_why_a_later_one_failed() -> None:
    backup = {"done_at": 1.8e9 - 7200, "octets": 20_000, "problem": sentence_to_plain(say("no"))}
    assert _cell("Backup", signals={"backup": backup}) == "13:00, 20 kB\nno"
    never = backup | {"done_at": None, "problem": sentence_to_plain(say(""))}
    assert _cell("Backup", signals={"backup": never}) == "none yet"
    assert _cell("Backup") == _cell("Backup", signals={"backup": None}) == ""


@pytest.mark.parametrize(
    ("gap_s", "up_s", "sentence"),
    [(180.0, 3600, "13:57, for 3 minutes"), (119.0, 3600, ""), (180.0, DAY, ""), (0.0, 60, "")],
)
def test_minutes_without_service_are_reported_for_a_day(
    gap_s: float, up_s: int, sentence: str
) -> None:
    assert _cell("Out of service", signals={"gap_s": gap_s}, up_s=up_s) == sentence


def test_the_last_self_test_is_worded_in_numbers() -> None:
    test = {"at": 1.8e9 - 7200, "passed": 139, "failed": 1, "unknown": 14}
    cell = _cell("Self-test", signals={"self_test": test})
    assert cell == "13:00: 139 passed, 1 failed, 14 could not be asked"
    assert _cell("Self-test") == _cell("Self-test", signals={"self_test": None}) == ""


def test_until_when_the_province_has_enrolled_the_gateway_is_reported() -> None:
    cell = _cell("Enrolment by the province", signals={"enrolment": {"ends": 1.8e9 + 86_400}})
    assert cell == "until 15:00 16/01/2027"
    assert _cell("Enrolment by the province") == ""


def test_reported_mistakes_are_counted_with_the_version_of_the_last_answer() -> None:
    counts = {"reported": 3, "mended": 1, "refused": 1, "version": 12}
    cell = [
        _cell("Mistakes of lists", changes={"mistakes": counts | changed})
        for changed in ({}, {"version": 0}, {"reported": 0})
    ]
    assert cell == [
        "3 reported, 1 corrected, 1 refused; last answer in version 12",
        "3 reported, 1 corrected, 1 refused",
        "",
    ]


def test_the_last_scheduled_report_is_reported_and_why_a_later_one_failed() -> None:
    files = ["/media/usb/bao-cao-2026-10.docx", "bao-cao-2026-10.xlsx"]
    kept = {"done_at": 1.8e9 - 7200, "files": files, "problem": sentence_to_plain(say("no"))}
    assert _cell("Reports", signals={"reports": kept}) == f"13:00: {', '.join(files)}\nno"
    never = kept | {"done_at": None, "problem": sentence_to_plain(say(""))}
    assert _cell("Reports", signals={"reports": never}) == "none yet"
    assert _cell("Reports") == _cell("Reports", signals={"reports": None}) == ""


def test_a_pause_is_reported_with_its_audience_and_its_end() -> None:
    pause = {"kind": "pause", "target": "", "allow": True, "audience": "grade", "whom": "6"}
    pause |= {"starts_at": 1.8e9 - 60, "ends_at": 1.8e9 + 240}
    assert _cell("Paused", pauses=[pause]) == "pause for grade 6 until 15:04"
    assert _cell("Paused") == "", "of a daemon of before"


@pytest.mark.parametrize(
    ("verified_at", "sentence"),
    [
        (1.8e9 - 29 * 86_400, ""),
        (1.8e9 - 31 * 86_400, "not verified since 15:00 15/12/2026"),
        (None, "never verified; to ask for its hosts: filterd safesearch verify"),
    ],
)
def test_safe_search_that_was_not_verified_for_long_is_reported(
    verified_at: float | None, sentence: str
) -> None:
    shown = _cell("Safe search", safe_search={"verified_at": verified_at})
    assert shown.startswith(sentence)
    assert bool(shown) is bool(sentence)
    assert _cell("Safe search", safe_search=None) == ""


EXCEPTION: dict[str, Any] = {
    "kind": "name",
    "target": "a.example",
    "allow": True,
    "audience": "grade",
    "whom": "6",
}
EXCEPTION |= {"starts_at": 1.8e9 - 60, "ends_at": 1.8e9 + 240}
ROOM: dict[str, Any] = {
    "room": "lab-a",
    "grade": "6",
    "class": "6A",
    "why": "lesson",
    "lesson": "tiet-1",
}
ROOM |= {"until": 1.8e9 + 240, "exam": None, "holiday": None, "macs": []}
EXAM: dict[str, Any] = {"room": "lab-a", "names": [], "services": ["azota"]}
EXAM |= {"starts_at": 1.8e9 + DAY, "ends_at": 1.8e9 + DAY + 3600}


@pytest.mark.parametrize(
    ("heading", "day", "sentence"),
    [
        ("Blocked today", {"blocked_today": {"6A": 34, "7": 2}}, "class 6A: 34, grade 7: 2"),
        ("For a time", {"exceptions": [EXCEPTION]}, "allow a.example for grade 6 until 15:04"),
        ("Rooms now", {"rooms": [ROOM]}, "lab-a: class 6A (tiet-1 until 15:04)"),
        (
            "Exams",
            {"exams": [EXAM]},
            "exam in room lab-a (0 names, services: azota) from 15:00 16/01/2027 (Sat) until 16:00",
        ),
    ],
)
def test_the_schools_moment_is_reported(heading: str, day: dict[str, Any], sentence: str) -> None:
    assert _cell(heading, day=day) == sentence
    assert _cell(heading) == "", "of a daemon of before"


def test_of_many_things_the_first_are_reported_and_the_command_for_all() -> None:
    lines = _cell("For a time", day={"exceptions": [EXCEPTION] * 13}).splitlines()
    assert (len(lines), lines[-1]) == (11, "3 more: filterd exceptions list")


def test_what_works_is_not_mentioned_but_in_detail() -> None:
    works = ANSWER["upstreams"][:1]
    shown = [column.cell(ANSWER | {"upstreams": works}, _wording("en"))[0] for column in TROUBLES]
    assert shown == [""] * len(TROUBLES)


def test_one_thing_of_the_cache_is_reported_as_one() -> None:
    cell = _cell("Cache")
    assert cell.startswith("1\u202f000 entries, 250 kB, 9 hits, 1 miss, 2 stale")


def test_no_upstream_and_no_native_code_are_reported_with_the_consequence() -> None:
    assert _cell("Upstreams", upstreams=[]).splitlines() == [
        "none: only blocked names get an answer",
        "is the line up? `upstreams` in site.yaml names others",
    ]
    shown = _cell("Modules", not_native=["filterd.wire._codec"])
    assert shown.startswith("pure Python (slow): wire._codec\ninstall gcc")


@pytest.mark.parametrize(
    ("language", "words", "jumped"),
    [
        (
            "en",
            ("the time is not known: the clock shows 08:00 01/01/1970", "1\u202f234 answers"),
            "jumped",
        ),
        (
            "vi",
            ("chưa biết giờ: đồng hồ máy chỉ 08:00 01/01/1970", "1\u202f234 câu"),
            "nhảy đột ngột",
        ),
    ],
)
def test_a_clock_that_is_not_believed_is_reported_with_what_follows(
    language: Language, words: tuple[str, str], jumped: str
) -> None:
    log = {**ANSWER["log"], "undated": 1_234}
    for standing in ("known", "unknown", "jumped"):
        times = {"shows": 0.0, "floor": 1.8e9, "standing": standing, "policy_time": 1.8e9}
        is_known = standing != "unknown"
        cell = _cell("Clock", language, time_is_known=is_known, log=log, clock=times)
        assert all((word in cell) is not is_known for word in words)
        assert (jumped in cell) is (standing == "jumped")
        assert ("filterd clock accept" in cell) is (standing != "known")


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "nothing can be changed: no"), ("vi", "không thay đổi được gì: no")],
)
def test_what_is_wrong_with_the_store_of_changes_is_reported(
    language: Language, words: str
) -> None:
    problem = sentence_to_plain(say("nothing can be changed: {error}", error="no"))
    assert _cell("Changes", language, changes={"problems": [problem]}) == words
    assert _cell("Changes", language, changes={"problems": []}) == ""
    assert _cell("Changes", language) == ""


def test_what_is_wrong_with_the_log_is_reported() -> None:
    log = {"level": "off", "today": {}, "waiting": 0, "lost": 1234, "problem": "the disk is full"}
    cell = ["the log is off", "1\u202f234 lost before they could be written", "the disk is full"]
    assert _cell("Today", log=log).splitlines() == cell
    assert "equal ones within five minutes are one row" in _cell(
        "Today", log=log | {"rows_distinct": True}
    )


def test_unmet_expectations_have_a_line_each() -> None:
    errors = [to_plain(ConfigError(say("bad"), path="own.yaml", line=line)) for line in (7, 8)]
    assert doubts(errors, Texts("en")) == ["own.yaml:7: bad", "own.yaml:8: bad"]
    assert _cell("Look at", doubts=errors) == "own.yaml:7: bad\nown.yaml:8: bad"
