# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.lists.formats import PlainLine
from filterd.lists.formats.parsed import BLOCK_SUBTREE
from filterd.lists.line_scan import skim
from filterd.lists.sort_records import record_tail

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
