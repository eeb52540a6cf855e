# SPDX-License-Identifier: Apache-2.0
"""The reports of a school are believed as far as its province vouches for the gateway."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from securesystemslib.signer import CryptoSigner

from filterd.appliance.enrolment import EnvelopeOwnerError, SchoolGateway, device_key
from filterd.appliance.mistake_envelope import MISTAKES_TYPE, read_reports, sealed_reports
from filterd.base.errors import EnvelopeFormatError, EnvelopeSignatureError, FilterdError
from filterd.base.signed_envelope import sealed
from filterd.lists.rules import NamingEntry
from filterd.overrides.mistake_reports import Report, to_plain
from filterd.publish.mistake_inbox import MOST_OCTETS, MOST_REPORTS, SenderStanding
from tests.support.inspected import DAY_S, NOW, SCHOOL, enrolled

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.inspected import EnrolledGateway

ENTRY = NamingEntry("feed-malware", "malware", "*.uni.example", 4, "0123456789ab")
REPORT = Report(SCHOOL["name"], 3, NOW, "uni.example", "trường đại học", "v1", "0.9", (ENTRY,))


@pytest.fixture
def school(tmp_path: Path) -> EnrolledGateway:
    return enrolled(tmp_path)


def written(school: EnrolledGateway, *reports: Report, now: float = NOW) -> bytes:
    return sealed_reports(reports or (REPORT,), SCHOOL["code"], SCHOOL["name"], school.state, now)


def test_the_reports_of_an_enrolled_school_are_read_as_it_wrote_them(
    school: EnrolledGateway,
) -> None:
    found = read_reports(written(school), school.root, NOW)
    assert (found.standing, found.code, found.reports) == (
        SenderStanding.ENROLLED,
        SCHOOL["code"],
        (REPORT,),
    )
    assert found.sender == school.gateway.device


def test_an_enrolled_school_has_the_name_that_the_province_knows(school: EnrolledGateway) -> None:
    octets = sealed_reports((REPORT,), SCHOOL["code"], "Sở Giáo dục", school.state, NOW)
    found = read_reports(octets, school.root, NOW)
    assert (found.school, found.reports[0].school) == (SCHOOL["name"], SCHOOL["name"])
    assert read_reports(octets, None, NOW).school == "Sở Giáo dục"


def test_without_root_or_after_its_enrolment_a_school_is_signed_only(
    school: EnrolledGateway,
) -> None:
    octets = written(school)
    for root, now in ((None, NOW), (school.root, NOW + 400 * DAY_S)):
        found = read_reports(octets, root, now)
        assert (found.standing, bool(found.doubt)) == (SenderStanding.SIGNED, True)


def test_lines_of_an_older_filterd_are_read_and_marked_as_not_signed() -> None:
    found = read_reports(f"{json.dumps(to_plain(REPORT))}\n".encode(), None, NOW)
    assert (found.standing, found.school) == (SenderStanding.UNSIGNED, SCHOOL["name"])
    assert found.reports == (REPORT,)


def test_a_changed_octet_is_noticed(school: EnrolledGateway) -> None:
    octets = written(school)
    for at in range(0, len(octets), 97):
        changed = bytearray(octets)
        changed[at] ^= 1
        with pytest.raises(FilterdError):
            read_reports(bytes(changed), school.root, NOW)


def test_the_enrolment_of_another_school_makes_no_vote(
    school: EnrolledGateway, tmp_path: Path
) -> None:
    content = _content(written(school))
    key = CryptoSigner.generate_ed25519()
    thief = SchoolGateway(SCHOOL["code"], SCHOOL["name"], key.public_key)
    with pytest.raises(EnvelopeOwnerError):
        read_reports(sealed(content | thief.to_content(), MISTAKES_TYPE, key), school.root, NOW)
    with pytest.raises(EnvelopeSignatureError):
        read_reports(sealed(content, MISTAKES_TYPE, key), school.root, NOW)
    other = enrolled(tmp_path / "other", code="1")
    found = read_reports(written(other), school.root, NOW)
    assert found.standing is SenderStanding.SIGNED


@pytest.mark.parametrize(
    "change",
    [
        {"reports": [{}]},
        {"reports": [5]},
        {"reports": {}},
        {"reports": [{**to_plain(REPORT), "at": 1, "name": "../../etc"}]},
        {"reports": [{**to_plain(REPORT), "at": 1, "reason": "a\x1b[2J"}]},
        {"reports": [{**to_plain(REPORT), "at": 1}] * (MOST_REPORTS + 1)},
        {"made_at": int(NOW + 2 * DAY_S)},
        {"made_at": "1"},
        {"pupil": "Nam"},
    ],
)
def test_a_content_that_no_school_writes_is_refused(
    school: EnrolledGateway, change: dict[str, Any]
) -> None:
    octets = sealed(
        _content(written(school)) | change, MISTAKES_TYPE, device_key(school.state.device_key)
    )
    with pytest.raises(EnvelopeFormatError):
        read_reports(octets, school.root, NOW)


def test_of_more_reports_than_fit_the_last_ones_leave(school: EnrolledGateway) -> None:
    many = [replace(REPORT, number=n) for n in range(1, MOST_REPORTS + 9)]
    found = read_reports(written(school, *many), school.root, NOW)
    assert [found.reports[0].number, found.reports[-1].number] == [9, MOST_REPORTS + 8]


def test_a_file_is_never_larger_than_the_centre_reads(school: EnrolledGateway) -> None:
    long = replace(REPORT, reason="ế" * 400, entries=(ENTRY,) * 16)
    octets = written(school, *(replace(long, number=n) for n in range(1, MOST_REPORTS + 1)))
    assert MOST_OCTETS // 2 < len(octets) <= MOST_OCTETS
    assert read_reports(octets, school.root, NOW).reports[-1].number == MOST_REPORTS


@pytest.mark.parametrize("octets", [b"", b"\xff", b"{}", b"x\n" * 50, b" " * (MOST_OCTETS + 1)])
def test_what_is_no_file_of_a_school_is_refused(octets: bytes) -> None:
    with pytest.raises(FilterdError) as refused:
        read_reports(octets, None, NOW)
    assert "\n" not in str(refused.value) or octets.startswith(b"x")


def test_the_file_names_no_person(school: EnrolledGateway) -> None:
    content = _content(written(school))
    assert content.keys() == {
        "version",
        "school",
        "device",
        "made_at",
        "filterd",
        "enrolment",
        "reports",
    }


def _content(octets: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(json.loads(octets)["payload"]))
    return found
