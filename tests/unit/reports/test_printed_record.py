# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from filterd.errors import EnvelopeFormatError
from filterd.reports import report_facts
from filterd.reports.printed_record import PrintedRecord
from tests.support.inspected import FACTS, NOW, SCHOOL, enrolled

if TYPE_CHECKING:
    from pathlib import Path


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
