# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigErrors
from filterd.base.state_folder import StateFolder
from filterd.lists.list_queries import content_version
from filterd.lists.rules import NamingEntry
from filterd.overrides import mistake_reports
from filterd.overrides.changes.effects import ChangeEffect
from filterd.overrides.history.history_chain import GENESIS, HistoryRow
from filterd.overrides.history.store import Store
from filterd.overrides.mistake_answers import (
    FILE,
    MistakeAnswer,
    MistakeOutcome,
    dump_answers,
)
from filterd.overrides.mistake_reports import (
    Mended,
    MistakeCounts,
    Mistakes,
    Report,
    from_plain,
    parse,
    reports_in,
    to_plain,
)
from tests.support.changes import Book, an_exception
from tests.support.clock import FakeClock
from tests.support.policies import NOW, an_index

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.lists.index import Index

ENTRY = NamingEntry("copied", "malware", "*.uni.example", 4, "0123456789ab")


def a_book() -> Book:
    book = Book()
    seen: dict[str, Any] = {
        "seen_in": "v7",
        "filterd": "0.1",
        "entries": [ENTRY, ENTRY._replace(entry="=b.test")],
    }
    book.make("report-mistake", name="uni.example", reason="trường đại học", **seen)
    book.make("exception", **an_exception())
    book.make("report-mistake", name="b.example")
    book.make("report-mistake", name="c.example")
    book.make("undo", number=3)
    return book


def lines_of(reports: Iterable[Report]) -> str:
    """Return the file of a filterd that did not sign it."""
    return "".join(f"{json.dumps(to_plain(report), ensure_ascii=False)}\n" for report in reports)


def test_the_mistakes_that_were_reported_are_reported_but_for_those_taken_back() -> None:
    assert reports_in(a_book().newest_first(), "THCS Mẫu") == (
        Report(
            "THCS Mẫu",
            1,
            NOW,
            "uni.example",
            "trường đại học",
            "v7",
            "0.1",
            (ENTRY, ENTRY._replace(entry="=b.test")),
        ),
        Report("THCS Mẫu", 4, NOW, "c.example", "bài học"),
    )


def test_the_centre_reads_the_report_of_a_school_and_no_person() -> None:
    reports = reports_in(a_book().newest_first(), "THCS Mẫu")
    text = lines_of(reports)
    assert parse(text, "x") == reports
    assert "lan" not in text
    assert text.count("\n") == 2
    entry = json.loads(text.splitlines()[0])["entries"][0]
    assert entry == {
        "list": "copied",
        "category": "malware",
        "entry": "*.uni.example",
        "line": 4,
        "version": "0123456789ab",
    }


def test_what_is_wrong_is_reported_with_its_line() -> None:
    good = json.loads(lines_of(reports_in(a_book().newest_first(), "s")).splitlines()[0])
    lines = [
        json.dumps(good),
        "no json",
        json.dumps(good | {"name": "x"}),
        "",
        json.dumps(good | {"pupil": "Nam"}),
        json.dumps(good | {"reason": ""}),
        "[" * 9000,
        json.dumps(good | {"reason": ["x"]}),
        json.dumps(good | {"entries": [{"list": "copied"}]}),
        json.dumps(good | {"entries": ["copied"]}),
        json.dumps(good | {"entries": [ENTRY._asdict() | {"line": "4"}]}),
    ]
    with pytest.raises(ConfigErrors) as refused:
        parse("\n".join(lines), "reports.jsonl")
    places = [error.place for error in refused.value.errors]
    assert places == [f"reports.jsonl:{line}" for line in (2, 3, 5, 6, 7, 8, 9, 10, 11)]


def test_a_file_of_nothing_good_is_reported_briefly() -> None:
    with pytest.raises(ConfigErrors) as refused:
        parse("x\n" * 1000, "reports.jsonl")
    assert len(refused.value.errors) == 20


class Centre:
    """Lists that change, and a school that has reported ``uni.example``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.state = StateFolder(folder / "state")
        self.state.folder.mkdir()
        self.store = Store(self.state, FakeClock(NOW))
        self.mistakes = Mistakes(self.state, self.store)
        self.report("uni.example")

    def report(self, name: str) -> None:
        payload = {"name": name, "seen_in": "v1"}
        self.store.change("report-mistake", payload, author="lan", reason="trường đại học")

    def lists(self, *named: str, own: bool = False) -> Index:
        """Compile lists that name these."""
        folder = self._folder / f"lists{len(list(self._folder.iterdir()))}"
        folder.mkdir()
        lines = [*named, "other.example"]
        return an_index(folder, {"copied": ("malware", "domains", own, lines)})

    def mended(self, index: Index | None) -> list[Mended | None]:
        return [one.mended for one in self.mistakes.all("THCS Mẫu", index)]


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    return Centre(tmp_path)


def test_a_mistake_that_is_listed_still_is_not_mended(centre: Centre) -> None:
    index = centre.lists("uni.example")
    centre.mistakes.note(index)
    (one,) = centre.mistakes.all("THCS Mẫu", index)
    assert one.mended is None
    assert [entry.list for entry in one.listed or ()] == ["copied"]
    assert one.report.school == "THCS Mẫu"


def test_the_first_version_without_it_is_reported_whatever_follows(centre: Centre) -> None:
    centre.mistakes.note(centre.lists("uni.example"))
    first, later = centre.lists("a.example"), centre.lists("b.example")
    centre.mistakes.note(first)
    centre.mistakes.note(later)
    expected = Mended(content_version(first), NOW)
    assert centre.mended(later) == [expected]
    assert centre.mended(None) == [expected]
    again = Mistakes(centre.state, Store(centre.state, FakeClock(NOW)))
    assert [one.mended for one in again.all("", later)] == [expected]


def test_an_entry_that_comes_back_is_mended_no_more(centre: Centre) -> None:
    centre.mistakes.note(centre.lists())
    back = centre.lists("uni.example")
    centre.mistakes.note(back)
    assert centre.mended(back) == centre.mended(None) == [None]
    last = centre.lists("c.example")
    centre.mistakes.note(last)
    assert centre.mended(last) == [Mended(content_version(last), NOW)]


def test_lists_that_were_not_noted_yet_count(centre: Centre) -> None:
    index = centre.lists()
    assert centre.mended(index) == [Mended(content_version(index), NOW)]


def test_the_publishers_own_entry_is_no_mistake_of_a_third_party(centre: Centre) -> None:
    index = centre.lists("uni.example", own=True)
    assert centre.mended(index) == [Mended(content_version(index), NOW)]


def test_without_lists_the_outcome_is_not_known(centre: Centre) -> None:
    (one,) = centre.mistakes.all("", None)
    outcome = one.to_plain()
    assert (outcome["mended"], outcome["listed"], outcome["mended_at"]) == (None, None, None)


def test_what_is_mended_and_what_is_not_is_reported_in_plain_data(centre: Centre) -> None:
    centre.report("b.example")
    index = centre.lists("b.example")
    mended, listed = (one.to_plain() for one in centre.mistakes.all("", index))
    assert (mended["mended"], mended["mended_in"]) == (True, content_version(index))
    assert (mended["mended_at"], mended["listed"]) == (NOW, [])
    assert (listed["mended"], listed["mended_in"]) == (False, None)
    assert listed["listed"][0]["entry"] == "b.example"


def test_a_school_that_has_reported_nothing_has_no_store(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    mistakes = Mistakes(state, Store(state, FakeClock(NOW)))
    (tmp_path / "lists").mkdir()
    mistakes.note(an_index(tmp_path / "lists", {"a": ("games", "domains", False, ["a.example"])}))
    assert mistakes.all("", None) == ()
    assert not state.overrides.exists()


def answered(centre: Centre, index: Index, *answers: MistakeAnswer) -> None:
    """Have the version of the feed that the lists are of carry answers."""
    folder = centre.state.feed_version("7")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(dump_answers(answers))
    index.build[centre.state.noted_as] = "7"


UNI = MistakeAnswer("uni.example", MistakeOutcome.MENDED, "2027-01-15", "đã sửa", 7)


def test_the_answer_of_the_feed_stands_beside_what_the_lists_say(centre: Centre) -> None:
    index = centre.lists("uni.example")
    answered(centre, index, UNI, UNI._replace(name="other.example"))
    (one,) = centre.mistakes.all("", index)
    assert (one.mended, one.answer) == (None, UNI)  # it is listed still
    assert one.to_plain()["answer"]["version"] == 7
    assert centre.mistakes.counts(index) == MistakeCounts(1, 0, 0, 7)
    clean = centre.lists()
    answered(centre, clean, UNI._replace(outcome=MistakeOutcome.REFUSED))
    assert centre.mistakes.counts(clean) == MistakeCounts(1, 1, 1, 7)


def test_control_answers_change_no_list_and_a_damaged_file_no_report(centre: Centre) -> None:
    index = centre.lists("uni.example")
    digest = index.digest
    answered(centre, index, UNI)
    (centre.state.feed_version("7") / FILE).write_bytes(b"{")
    (one,) = centre.mistakes.all("", index)
    assert (one.answer, len(one.listed or ()), index.digest) == (None, 1, digest)


def test_a_report_of_a_filterd_that_did_not_note_what_it_saw_has_empty_fields() -> None:
    book = Book()
    book.make("report-mistake", name="b.example")
    (report,) = reports_in(book.newest_first(), "s")
    assert (report.seen_in, report.filterd, report.entries) == ("", "", ())
    plain = to_plain(report)
    for key in ("seen_in", "filterd", "entries"):
        del plain[key]
    assert from_plain(plain) == report


def test_a_line_up_to_the_bound_is_read_and_a_longer_one_is_not() -> None:
    (_, report) = reports_in(a_book().newest_first(), "s")
    line = json.dumps(to_plain(report))
    whole = line[:-1] + " " * (mistake_reports._MAX_LINE - len(line)) + line[-1]
    assert parse(whole, "x") == (report,)
    with pytest.raises(ConfigErrors, match="this is not a report"):
        parse(f" {whole}", "x")


def test_a_mistake_that_was_mended_is_so_where_the_lists_are_unknown(centre: Centre) -> None:
    centre.mistakes.note(centre.lists())
    (one,) = centre.mistakes.all("", None)
    assert (one.to_plain()["mended"], one.to_plain()["listed"]) == (True, None)


def test_a_name_that_an_older_filterd_accepted_is_in_no_list(centre: Centre) -> None:
    report = Report("s", 1, NOW, "a" * 300, "x")
    assert mistake_reports._listed(centre.lists(), report) == ()


def test_lists_that_do_not_say_when_they_were_compiled_are_of_no_time(centre: Centre) -> None:
    index = centre.lists()
    del index.build["when"]
    assert centre.mended(index) == [Mended(content_version(index), 0.0)]


def test_counts_are_those_of_all_answers_and_the_last_of_them(centre: Centre) -> None:
    index = centre.lists("uni.example")
    assert centre.mistakes.counts(index) == MistakeCounts(1, 0, 0, 0)
    for name in ("b.example", "c.example"):
        centre.report(name)
    answers = [UNI, UNI._replace(name="b.example", outcome=MistakeOutcome.REFUSED, version=9)]
    answered(centre, index, *answers)
    assert centre.mistakes.counts(index) == MistakeCounts(3, 2, 1, 9)


def test_lists_that_are_of_no_feed_have_no_answers(centre: Centre) -> None:
    index = centre.lists("uni.example")
    folder = centre.state.feed_version("None")
    folder.mkdir(parents=True)
    (folder / FILE).write_bytes(dump_answers([UNI]))
    (one,) = centre.mistakes.all("", index)
    assert one.answer is None


def test_a_report_of_an_earlier_release_has_no_word_of_what_it_saw() -> None:
    payload = {"name": "b.example"}
    row = HistoryRow.of(1, NOW, "lan", "report-mistake", payload, "x", ChangeEffect(), GENESIS)
    assert reports_in([row], "s") == (Report("s", 1, NOW, "b.example", "x"),)
