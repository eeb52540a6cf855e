# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ListError
from filterd.lists.formats import PlainLine
from filterd.lists.formats.parsed import BLOCK_SUBTREE
from filterd.lists.hostname import text_from_key
from filterd.lists.intake import MAX_CONDITIONS, count_entries, skim
from filterd.lists.rules import Claim, Effect, Scope
from filterd.lists.sort_records import CANCELS, TAIL_OCTETS, read_tail, record_tail
from filterd.lists.source_text import SourceText
from tests.support.indexes import a_list
from tests.support.intakes import taken

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.lists.intake import Intake


BARE, ADBLOCK = PlainLine("", "", BLOCK_SUBTREE), PlainLine("||", "^", BLOCK_SUBTREE)
SPECIAL = (frozenset((b"vn\0com\0",)), frozenset((b"ck\0",)))


def skimmed(*lines: str, shape: PlainLine = BARE) -> tuple[list[str], list[bytes]]:
    """Return what is left of lines that begin with number 5, and the records of claim 3."""
    left, records = list(lines), list[bytes]()
    skim(left, shape, 5, 3, SPECIAL, records)
    return left, records


def test_plain_lines_become_records_with_their_numbers() -> None:
    left, records = skimmed("example.com", "# a comment", "a.b.vn")
    assert left == ["", "# a comment", ""]
    first, second = b"com\0example\0" + record_tail(3, 5), b"vn\0b\0a\0" + record_tail(3, 7)
    assert records == [first, second]


def test_a_shape_is_what_stands_around_the_name() -> None:
    left, records = skimmed("||a.b^", "||a.b", "a.b", "||a.b^$important", shape=ADBLOCK)
    assert left == ["", "||a.b", "a.b", "||a.b^$important"]
    assert records == [b"b\0a\0" + record_tail(3, 5)]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("com.vn", id="beneath it strangers register"),
        pytest.param("any.ck", id="so they do beneath every child of ck"),
        pytest.param("example", id="one label"),
        pytest.param("Example.com", id="not as keys are written"),
        pytest.param("xn--n.example", id="an A-label, which is decoded first"),
        pytest.param("1.2.3.4", id="an address"),
        pytest.param("a..b", id="an empty label"),
        pytest.param(".a.b", id="an empty label at its start"),
        pytest.param("a.b.", id="a final dot"),
        pytest.param("x" * 64 + ".example", id="a label that is too long"),
        pytest.param("a." * 127, id="a name that is too long"),
        pytest.param("b\xe1o.example", id="letters beyond ASCII"),
        pytest.param("a.b ", id="white space"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_may_be_anything_else_is_left_to_the_parser(line: str) -> None:
    assert skimmed(line) == ([line], [])


def marked(intake: Intake) -> set[tuple[str, int]]:
    """Return the names that carry a marker, and its line."""
    return {
        (text_from_key(record[:-TAIL_OCTETS]), read_tail(record)[1])
        for record in intake.records
        if intake.claims[read_tail(record)[0]][1].effect is Effect.MARKER
    }


def test_equal_claims_of_one_list_share_an_id(tmp_path: Path) -> None:
    intake, _ = taken(a_list(tmp_path, "a.example.com\nb.example.com\n"))
    assert len(intake.claims) == 1
    assert [read_tail(record) for record in intake.records] == [(0, 1), (0, 2)]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("hosts", "0.0.0.0 a.example\n0.0.0.0 B.example c.example\n"),
        ("rpz", "a.example CNAME .\nb.example CNAME .\nc.example CNAME .\n"),
        ("adblock", "|a.example^\nb.example\n||c.example^\n"),
        ("wildcard", "=a.example\n=b.example\nc.example\n"),
    ],
)
def test_of_a_list_marked_as_subtrees_every_block_holds_beneath(
    tmp_path: Path, form: str, text: str
) -> None:
    marked_list = replace(a_list(tmp_path, text, form=form), subtrees=True)
    intake, _ = taken(marked_list)
    assert {claim for _, claim in intake.claims} == {BLOCK_SUBTREE}
    assert len(intake.records) == 3


def test_exceptions_and_conditions_of_such_a_list_stay(tmp_path: Path) -> None:
    text = "@@|a.example^\n|b.example^$dnstype=A\n|c.example^\n|c.example^$badfilter\n"
    intake, _ = taken(replace(a_list(tmp_path, text, form="adblock"), subtrees=True))
    claims = {claim for _, claim in intake.claims if claim.effect is not Effect.MARKER}
    assert claims == {
        Claim(Scope.EXACT, Effect.EXCEPT),
        Claim(Scope.SUBTREE, types=frozenset({1})),
        BLOCK_SUBTREE,
    }
    assert sum(read_tail(record)[1] == CANCELS for record in intake.records) == 1


def test_equal_claims_of_two_lists_are_distinguished(tmp_path: Path) -> None:
    lists = (a_list(tmp_path, "example.com\n"), a_list(tmp_path, "example.com\n", "b"))
    assert [index for index, _ in taken(*lists)[0].claims] == [0, 1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("com", "single-label"),
        ("com.vn", "public-suffix"),
        ("blogspot.com", "public-suffix"),
    ],
)
def test_names_that_no_list_may_name_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    intake, problems = taken(a_list(tmp_path, f"ok.example.com\n{text}\n"))
    assert intake.reports[0].refused == {reason: 1}
    assert problems == f"{tmp_path}/a.txt:2\t{reason}\t{text}\n"
    assert len(intake.records) == 1


def test_bad_line_is_a_problem_and_the_next_one_is_taken(tmp_path: Path) -> None:
    intake, problems = taken(a_list(tmp_path, "http://example.com/x\nexample.com\n"))
    assert intake.reports[0].problems == {"url-with-path": 1}
    assert problems.startswith(f"{tmp_path}/a.txt:1\turl-with-path\thttp://example.com/x")
    assert len(intake.records) == 1


def test_hostile_line_cannot_break_the_file_of_problems(tmp_path: Path) -> None:
    _, problems = taken(
        a_list(tmp_path, "a\tb\x1b[31mé\udce9\n".encode("utf-8", "ignore").decode())
    )
    assert problems.count("\n") == 1
    assert problems.removeprefix(str(tmp_path)).isascii()


def test_the_path_of_a_list_is_whole_in_the_file_of_problems(tmp_path: Path) -> None:
    folder = tmp_path / ("ổ đĩa" * 20 + "\n\x1b\u202e")
    folder.mkdir()
    _, problems = taken(a_list(folder, "com\n"))
    assert problems == rf"{tmp_path}/{'ổ đĩa' * 20}\n\x1b\u202e/a.txt:1" + "\tsingle-label\tcom\n"


def test_exception_marks_the_names_above_it(tmp_path: Path) -> None:
    text = "||example.co.uk^\n@@||a.b.example.co.uk^\n"
    intake, _ = taken(a_list(tmp_path, text, form="adblock"))
    assert marked(intake) == {("b.example.co.uk", 2), ("example.co.uk", 2)}


def test_denyallow_marks_the_names_above_what_it_leaves_alone(tmp_path: Path) -> None:
    text = "||example.com^$denyallow=b.a.example.com|elsewhere.org\n"
    intake, _ = taken(a_list(tmp_path, text, form="adblock"))
    assert marked(intake) == {("a.example.com", 1), ("example.com", 1)}


def test_cancelled_exception_marks_nothing(tmp_path: Path) -> None:
    text = "@@||a.example.com^\n@@||a.example.com^$badfilter\n"
    intake, _ = taken(a_list(tmp_path, text, form="adblock"))
    assert marked(intake) == set()


def test_unknown_format_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=r"format 'csv' is unknown; known: hosts, domains"):
        taken(a_list(tmp_path, "", form="csv"))


def test_conditions_beyond_the_bound_are_refused_and_plain_entries_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.lists.intake.MAX_CONDITIONS", 3)
    lines = (
        "||a.example.com^$denyallow=x.com|y.com",
        "||b.example.com^$dnstype=A",
        "||c.example.com^$dnstype=AAAA",
        "||d.example.com^$dnstype=A",
        "@@||e.example.com^",
    )
    intake, problems = taken(a_list(tmp_path, "\n".join(lines), form="adblock"))
    assert intake.reports[0].problems == {"too-many-conditions": 1}
    assert problems.startswith(f"{tmp_path}/a.txt:3\ttoo-many-conditions\tc.example.com")
    taken_lines = {read_tail(record)[1] for record in intake.records}
    assert taken_lines == {1, 2, 4, 5}


def test_each_list_has_conditions_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.lists.intake.MAX_CONDITIONS", 1)
    text = "||example.com^$dnstype=A"
    lists = [a_list(tmp_path, text, list_id, form="adblock") for list_id in "ab"]
    assert len(taken(*lists)[0].records) == 2


def test_list_of_another_claim_in_every_line_makes_no_more_than_the_bound(tmp_path: Path) -> None:
    text = "\n".join(
        f"||example.com^$denyallow=n{number}.org" for number in range(MAX_CONDITIONS + 5)
    )
    intake, _ = taken(a_list(tmp_path, text, form="adblock"))
    assert len([claim for _, claim in intake.claims if claim.denyallow]) == MAX_CONDITIONS
    assert intake.reports[0].problems == {"too-many-conditions": 5}


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("hosts", "# why\n0.0.0.0 a.example\n0.0.0.0 B.example c.example\n1.1.1.1 d.example\n"),
        ("domains", "a.example\nb.example # why\nc.com.vn\nno name\n"),
        ("adblock", "! why\n||a.example^\n||b.example^$important\n@@||c.example^\n##.x\n"),
    ],
)
def test_entries_are_counted_as_they_are_parsed(tmp_path: Path, form: str, text: str) -> None:
    (tmp_path / "list").write_text(text)
    read = SourceText(tmp_path / "list")
    assert count_entries(read, form) == (3, 1)
    assert read.line_count == text.count("\n")
