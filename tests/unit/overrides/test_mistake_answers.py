# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ChangeError
from filterd.overrides.mistake_answers import (
    FILE,
    MOST_ANSWERS,
    MOST_OCTETS,
    MistakeAnswer,
    MistakeOutcome,
    dump_answers,
    parse_answers,
    read_answers,
)

if TYPE_CHECKING:
    from pathlib import Path

MENDED = MistakeAnswer("uni.example", MistakeOutcome.MENDED, "2027-01-15", "trường đại học", 12)
REFUSED = MistakeAnswer("bad.example", MistakeOutcome.REFUSED, "2027-01-15", "lừa đảo")


def test_answers_are_read_as_they_are_written_and_in_one_order(tmp_path: Path) -> None:
    octets = dump_answers([MENDED, REFUSED])
    assert parse_answers(octets) == (REFUSED, MENDED)
    assert dump_answers([REFUSED, MENDED]) == octets
    (tmp_path / FILE).write_bytes(octets)
    assert read_answers(tmp_path) == {"uni.example": MENDED, "bad.example": REFUSED}


GOOD = json.loads(dump_answers([MENDED]))["answers"][0]


@pytest.mark.parametrize(
    "answers",
    [
        {},
        [[]],
        [GOOD | {"name": "../x"}],
        [GOOD | {"outcome": "allow"}],
        [GOOD | {"on": "yesterday"}],
        [GOOD | {"version": -1}],
        [GOOD | {"reason": "x\x1b[2J"}],
        [GOOD | {"allow": True}],
        [GOOD] * (MOST_ANSWERS + 1),
    ],
)
def test_anything_else_is_refused_and_an_appliance_goes_on_without(
    answers: object, tmp_path: Path
) -> None:
    octets = json.dumps({"answers": answers}).encode()
    with pytest.raises(ChangeError):
        parse_answers(octets)
    (tmp_path / FILE).write_bytes(octets)
    assert read_answers(tmp_path) == {}


@pytest.mark.parametrize("octets", [b"", b"[" * 9_000, b"\xff", b" " * (1 << 21)])
def test_octets_that_are_no_answers_are_none(octets: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(octets)
    assert read_answers(tmp_path) == {}


def test_as_many_answers_as_the_bound_are_taken_and_fields_may_be_missing() -> None:
    many = [{**GOOD, "name": f"n{number}.example"} for number in range(MOST_ANSWERS)]
    assert len(parse_answers(json.dumps({"answers": many}).encode())) == MOST_ANSWERS
    short = {key: GOOD[key] for key in ("name", "outcome", "on")}
    (found,) = parse_answers(json.dumps({"answers": [short]}).encode())
    assert (found.reason, found.version) == ("", 0)
    for key in short:
        less = {name: value for name, value in short.items() if name != key}
        with pytest.raises(ChangeError, match="is missing"):
            parse_answers(json.dumps({"answers": [less]}).encode())


@pytest.mark.parametrize("octets", [b"[]", b'{"more": []}', b'{"answers": null}', b"5"])
def test_what_has_no_list_of_answers_is_refused(octets: bytes) -> None:
    with pytest.raises(ChangeError, match="these are not answers"):
        parse_answers(octets)


def test_the_file_of_answers_is_an_interface() -> None:
    assert FILE == "mistakes.json"


def test_the_file_is_a_line_a_value_in_the_letters_of_its_language() -> None:
    assert dump_answers([REFUSED]).decode() == (
        '{\n "answers": [\n  {\n   "name": "bad.example",\n   "outcome": "refused",\n'
        '   "on": "2027-01-15",\n   "reason": "lừa đảo"\n  }\n ]\n}\n'
    )


def test_octets_up_to_the_bound_are_read_and_one_more_is_not() -> None:
    octets = dump_answers([MENDED])
    whole = octets + b" " * (MOST_OCTETS - len(octets))
    assert parse_answers(whole) == (MENDED,)
    with pytest.raises(ChangeError, match="these are not answers"):
        parse_answers(whole + b" ")


def test_an_answer_may_have_an_empty_reason() -> None:
    octets = json.dumps({"answers": [GOOD | {"reason": ""}]}).encode()
    assert parse_answers(octets)[0].reason == ""


@pytest.mark.parametrize("row", [[], "x", None, 5])
def test_a_row_that_is_no_object_is_no_answer(row: object) -> None:
    with pytest.raises(ChangeError, match="these are not answers"):
        parse_answers(json.dumps({"answers": [row]}).encode())
