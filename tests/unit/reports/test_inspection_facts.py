# SPDX-License-Identifier: Apache-2.0
""""""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import EnvelopeFormatError
from filterd.reports import report_facts
from filterd.reports.inspection_facts import (
    HIDDEN,
    PrintedRecord,
    facts_of,
    plain_of,
    without_texts,
)
from filterd.texts.counted import size
from filterd.texts.i18n import quoted, say, translated
from tests.support.inspected import FACTS, NOW, SCHOOL, enrolled

if TYPE_CHECKING:
    from pathlib import Path


def test_facts_are_read_again_as_they_were() -> None:
    assert facts_of(plain_of(FACTS)) == FACTS


def test_texts_that_were_filled_in_are_hidden_and_numbers_stay() -> None:
    inner = say("{path}: cannot be read: {why}", path="/home/lan", why=quoted("No such file"))
    shown = without_texts(say("the probe failed: {why}", why=inner))
    assert str(shown) == "the probe failed: …: cannot be read: …"
    assert "/home" not in translated(shown, "vi")
    assert str(without_texts(say("there was no result within {n} s", n=19))).endswith("19 s")
    free = without_texts(say("{free} are free", free=size(12_345_678)))
    assert str(free) == "12 MB are free"
    pair = without_texts(say("{server}: {problem}", server="192.0.2.1", problem=say("timed out")))
    assert str(pair) == "…: timed out"


@pytest.mark.parametrize("text", ["192.168.1.7", "192 answers", "youtube.com", "Nguyễn Thị Lan"])
def test_a_text_of_another_program_is_hidden_whole(text: str) -> None:
    assert without_texts(quoted(text)) == HIDDEN


def test_a_sentence_that_is_none_stays_none() -> None:
    assert without_texts(say("")) == ""


def test_a_record_is_read_for_its_printed_form(tmp_path: Path) -> None:
    school = enrolled(tmp_path)
    octets = school.record()
    read = PrintedRecord.read(octets)
    assert (read.school, read.facts) == (SCHOOL, FACTS)
    assert (read.device, read.sha256) == (
        school.gateway.device,
        hashlib.sha256(octets).hexdigest(),
    )
    assert read.enrolment == (int(NOW) - 3_600, int(NOW) + 365 * 86_400)
    formats = read.report_facts()
    assert (formats.first, formats.school.name) == ("2027-01-15", SCHOOL["name"])
    assert report_facts.from_plain(formats.to_plain()) == formats


def test_without_an_enrolment_there_are_no_dates(tmp_path: Path) -> None:
    school = enrolled(tmp_path)
    school.state.enrolment.unlink()
    assert PrintedRecord.read(school.record()).enrolment is None


@pytest.mark.parametrize("octets", [b"", b"{}", b"[]", b'{"payload":"e30="}', b"[" * 5_000])
def test_what_is_no_record_is_refused(octets: bytes) -> None:
    with pytest.raises(EnvelopeFormatError, match="not an inspection record"):
        PrintedRecord.read(octets)


def test_an_unknown_time_zone_is_utc(tmp_path: Path) -> None:
    read = PrintedRecord.read(enrolled(tmp_path).record(time_zone="../Mars"))
    assert read.zone.key == "UTC"
