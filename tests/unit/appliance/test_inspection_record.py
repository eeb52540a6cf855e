# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from filterd.appliance import enrolment
from filterd.appliance.enrolment import (
    EnvelopeDateError,
    EnvelopeOwnerError,
    EnvelopeRootError,
    device_key,
)
from filterd.appliance.inspection_record import record_sha256, trusted_root, verify
from filterd.base import bounded_child, signed_envelope
from filterd.base.errors import EnvelopeError, EnvelopeFormatError, EnvelopeSignatureError
from filterd.base.signed_envelope import opened, public_of, sealed
from filterd.reports import inspection_facts
from filterd.reports.inspection_facts import INSPECTION_TYPE, MOST_OCTETS
from filterd.texts.counted import grouped
from filterd.texts.i18n import say
from tests.support.inspected import DAY_S, FACTS, NOW, EnrolledGateway, enrolled
from tests.support.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def school(tmp_path: Path) -> EnrolledGateway:
    return enrolled(tmp_path)


def content_of(octets: bytes) -> dict[str, Any]:
    return opened(octets, INSPECTION_TYPE, MOST_OCTETS).content


def by_key(content: dict[str, Any], key: CryptoSigner) -> bytes:
    return sealed(content, INSPECTION_TYPE, key)


def key_of(school: EnrolledGateway) -> CryptoSigner:
    return device_key(school.state.device_key)


def test_the_record_and_the_root_are_enough(school: EnrolledGateway) -> None:
    octets = school.record()
    found = verify(octets, school.root, NOW + 60)
    assert (found.facts, found.notes) == (FACTS, ())
    assert (found.gateway.code, found.gateway.device) == ("79000701", school.gateway.device)
    assert found.sha256 == record_sha256(octets)


def test_the_child_signs_as_the_function_does(school: EnrolledGateway) -> None:
    facts, state = inspection_facts.plain_of(FACTS), str(school.state.folder)
    record = bounded_child.ask(
        "filterd.appliance.inspection_record",
        {"school": school.school, "facts": facts, "state": state},
        say("no record: {why}"),
        say("too late"),
        limit_s=60.0,
        most_octets=MOST_OCTETS,
    )
    assert verify(record, school.root, NOW).facts == FACTS


def test_a_record_that_is_signed_anew_with_a_fresh_key_is_refused(school: EnrolledGateway) -> None:
    content, fresh = content_of(school.record()), CryptoSigner.generate_ed25519()
    with pytest.raises(EnvelopeSignatureError, match="signed by another key"):
        verify(by_key(content, fresh), school.root, NOW)
    device = enrolment.SchoolGateway("79000701", "", fresh.public_key)
    content["device"] = {"id": device.device, "key": public_of(fresh.public_key)}
    with pytest.raises(EnvelopeSignatureError, match="than the one that is enrolled"):
        verify(by_key(content, fresh), school.root, NOW)


def test_another_schools_enrolment_is_refused(school: EnrolledGateway, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = EnrolledGateway(
        tmp_path / "other" / "state", {"code": "79000702", "name": ""}, school.province
    )
    other.enrol()
    content = content_of(school.record())
    content["enrolment"] = content_of(other.record())["enrolment"]
    with pytest.raises(EnvelopeOwnerError, match="school 79000702, not of 79000701"):
        verify(by_key(content, key_of(school)), school.root, NOW)
    content["school"] = {"code": "79000702", "name": ""}  # it takes the name on, too
    with pytest.raises(EnvelopeSignatureError, match="than the one that is enrolled"):
        verify(by_key(content, key_of(school)), school.root, NOW)


def test_control_without_the_comparison_of_schools_it_would_speak_for_the_other_one(
    school: EnrolledGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of(school.record())
    content["school"] = {"code": "79000702", "name": "Trường khác"}
    octets = by_key(content, key_of(school))
    with pytest.raises(EnvelopeOwnerError):
        verify(octets, school.root, NOW)
    monkeypatch.setattr(enrolment.SchoolGateway, "check_school", lambda *_: None)
    assert verify(octets, school.root, NOW).facts == FACTS


@pytest.mark.parametrize(
    ("made_at", "why"),
    [(NOW - 2 * DAY_S, "is valid from"), (NOW + 366 * DAY_S, "ended on")],
)
def test_an_enrolment_that_did_not_hold_when_the_record_was_made_is_refused(
    school: EnrolledGateway, made_at: float, why: str
) -> None:
    with pytest.raises(EnvelopeDateError, match=why):
        verify(school.record(made_at=int(made_at)), school.root, NOW)


def test_what_has_ended_since_and_a_wrong_clock_are_notes(school: EnrolledGateway) -> None:
    late = verify(school.record(), school.root, NOW + 800 * DAY_S)
    assert [str(note).split(",")[0].split(":")[0] for note in late.notes] == [
        "the enrolment has ended since",
        "the root ended on 2029-01-14 08",
    ]
    early = verify(school.record(is_time_known=False), school.root, NOW - DAY_S)
    assert ["future" in str(note) for note in early.notes] == [True, False]


def test_a_school_that_calls_itself_otherwise_is_named_as_it_is_enrolled(
    school: EnrolledGateway,
) -> None:
    content = content_of(school.record())
    content["school"]["name"] = "Trường chuyên"
    found = verify(by_key(content, key_of(school)), school.root, NOW)
    assert found.gateway.school == school.gateway.school
    assert "calls itself Trường chuyên; it is enrolled as" in str(found.notes[0])


def test_a_root_that_had_ended_before_the_record_is_refused(tmp_path: Path) -> None:
    school = enrolled(tmp_path, days=3_000)
    octets = school.record(made_at=int(NOW + 731 * DAY_S))
    with pytest.raises(EnvelopeRootError, match="before the record was made"):
        verify(octets, school.root, NOW + 731 * DAY_S)


def test_another_publishers_root_is_refused(school: EnrolledGateway, tmp_path: Path) -> None:
    other = Publisher(tmp_path / "other")
    with pytest.raises(EnvelopeRootError, match="the root does not name"):
        verify(school.record(), trusted_root([other.root]), NOW)


def test_a_gateway_without_an_enrolment_is_refused_and_its_key_is_shown(
    school: EnrolledGateway,
) -> None:
    school.state.enrolment.unlink()
    with pytest.raises(EnvelopeRootError, match=grouped(school.gateway.device)):
        verify(school.record(), school.root, NOW)


def test_newer_roots_may_follow_the_trusted_one(school: EnrolledGateway) -> None:
    school.province.renew_root()
    second = (school.province.metadata / "2.root.json").read_bytes()
    school.province.renew_root()
    third = (school.province.metadata / "3.root.json").read_bytes()
    root = trusted_root([school.province.root, second, third])
    assert (root.version, verify(school.record(), root, NOW).facts) == (3, FACTS)
    with pytest.raises(EnvelopeRootError, match="root 2 is missing"):
        trusted_root([school.province.root, third])
    forged = Metadata[Any].from_bytes(second)
    forged.signatures.clear()
    with pytest.raises(EnvelopeRootError, match="not signed by the keys of the one before"):
        trusted_root([school.province.root, forged.to_bytes()])
    with pytest.raises(EnvelopeRootError):
        trusted_root([school.province.root, b"{}"])


@pytest.mark.parametrize("bit", [1, 32])
def test_every_octet_that_is_changed_is_refused(school: EnrolledGateway, bit: int) -> None:
    octets, root = school.record(), school.root
    for place in range(len(octets)):
        changed = bytearray(octets)
        changed[place] ^= bit
        with pytest.raises(EnvelopeError):
            verify(bytes(changed), root, NOW)


def test_control_without_the_signature_a_changed_fact_would_be_believed(
    school: EnrolledGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of(school.record())
    content["facts"]["filterd"] = "9.9.9"
    octets = by_key(content, CryptoSigner.generate_ed25519())
    monkeypatch.setattr(signed_envelope.SealedContent, "check_signed", lambda *_: None)
    assert verify(octets, school.root, NOW).facts.filterd == "9.9.9"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda octets: octets[: len(octets) // 2], "cut short"),
        (lambda octets: octets + b"\n", "something follows"),
        (lambda octets: octets.ljust(MOST_OCTETS + 1), "larger than 4194304"),
        (lambda _: b"", "not a signed file"),
    ],
)
def test_a_file_that_is_cut_or_longer_or_huge_is_refused_with_the_reason(
    school: EnrolledGateway, change: Callable[[bytes], bytes], why: str
) -> None:
    with pytest.raises(EnvelopeFormatError, match=why):
        verify(change(school.record()), school.root, NOW)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.update(more=1),
        lambda one: one["facts"].update(more=1),
        lambda one: one["facts"].update(made_at="now"),
        lambda one: one["facts"].update(up_s=10**12),
        lambda one: one["facts"]["service"].update(minutes=-1),
        lambda one: one["facts"].update(filterd="x" * 2_001),
        lambda one: one["facts"]["lists"].update(built_at=253_402_300_799),
        lambda one: one["facts"].update(unmet=["x"] * 5_001),
        lambda one: one["facts"].update(log_levels={str(n): "" for n in range(5_001)}),
        lambda one: one["facts"]["lists"].update(lists={}),
        lambda one: one.update(facts=[]),
        lambda one: one.update(enrolment=[]),
        lambda one: one["enrolment"].update(payload="AA"),
    ],
)
def test_a_malformed_content_is_refused_though_the_gateway_has_signed_it(
    school: EnrolledGateway, change: Callable[[dict[str, Any]], Any]
) -> None:
    content = content_of(school.record())
    change(content)
    with pytest.raises(EnvelopeError):
        verify(by_key(content, key_of(school)), school.root, NOW)
