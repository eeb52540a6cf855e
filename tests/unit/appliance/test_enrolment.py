# SPDX-License-Identifier: Apache-2.0
"""The key of a gateway, its enrolment, and the root of a publisher by its fingerprint."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from securesystemslib.signer import CryptoSigner

from filterd.appliance import enrolment
from filterd.appliance.enrolment import (
    ENROLMENT_TYPE,
    REQUEST_TYPE,
    EnvelopeDateError,
    EnvelopeOwnerError,
    EnvelopeRootError,
    SchoolGateway,
    device_key,
    enrol,
    find_root,
    install,
    key_fingerprint,
    read_enrolment,
    read_request,
    request,
)
from filterd.base.errors import (
    ConfigError,
    EnvelopeError,
    EnvelopeFormatError,
    EnvelopeSignatureError,
    StoreError,
)
from filterd.base.signed_envelope import sealed
from filterd.base.state_folder import StateFolder
from filterd.daemon.manager.status_files import ENROLMENT, facts
from filterd.feed.signed.fetchers import FolderFetcher
from filterd.feed.signed.trust import read_root
from filterd.texts.counted import fingerprint
from tests.support.clock import FakeClock
from tests.support.publisher import DAY_S, NOW, Publisher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DEVICE, OTHER = (CryptoSigner.generate_ed25519() for _ in range(2))
GATEWAY = SchoolGateway("79000701", "Trường THCS Nguyễn Trãi", DEVICE.public_key)


@pytest.fixture
def province(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path / "www")


def signed(province: Publisher, gateway: SchoolGateway = GATEWAY, days: int = 730) -> bytes:
    return enrol(gateway, province.signers["fleet"][0], NOW, days)


def root_of(province: Publisher) -> Any:
    return read_root(province.root)


def test_a_request_is_read_with_the_id_that_the_gateway_shows_on_its_sheet() -> None:
    read = read_request(request(GATEWAY, DEVICE, NOW))
    assert (read.code, read.school) == (GATEWAY.code, GATEWAY.school)
    assert read.device == key_fingerprint(DEVICE).replace(" ", "")


def test_an_enrolment_is_kept_and_its_end_is_in_the_status(
    province: Publisher, tmp_path: Path
) -> None:
    path = StateFolder(tmp_path).enrolment
    octets = signed(province)
    install(octets, root_of(province), GATEWAY, NOW - 1_800, path)  # of a clock that is behind
    assert ENROLMENT.load(path).envelope.encode() == octets
    ends = int(NOW + 730 * DAY_S)
    shown = facts(StateFolder(tmp_path))["enrolment"]
    assert shown == {"begins": int(NOW) - 3_600, "ends": ends, "device": GATEWAY.device}


def test_a_request_that_another_key_has_signed_is_refused() -> None:
    with pytest.raises(EnvelopeSignatureError):
        read_request(request(GATEWAY, OTHER, NOW))


def test_a_request_without_a_code_is_refused_and_a_name_from_word_is_not() -> None:
    with pytest.raises(EnvelopeFormatError, match="no code"):
        read_request(request(replace(GATEWAY, code=""), DEVICE, NOW))
    of_word = replace(GATEWAY, school="Trường\u00a0THCS")
    assert read_request(request(of_word, DEVICE, NOW)).school == of_word.school


@pytest.mark.parametrize("role", ["targets", "root", "program"])
def test_the_keys_of_other_roles_enrol_no_gateway(province: Publisher, role: str) -> None:
    octets = enrol(GATEWAY, province.signers[role][0], NOW, 730)
    with pytest.raises(EnvelopeRootError, match="does not name"):
        read_enrolment(octets, root_of(province))


def test_control_the_same_key_enrols_once_the_root_names_it(province: Publisher) -> None:
    key = province.signers["targets"][0]
    province.root_changes.name_fleet_key(key.public_key, province.signers["root"], now=NOW)
    root = read_root((province.metadata / "2.root.json").read_bytes())
    assert read_enrolment(enrol(GATEWAY, key, NOW, 730), root).gateway.code == GATEWAY.code


def test_a_key_that_was_exchanged_enrols_nothing_any_more(province: Publisher) -> None:
    octets = signed(province)
    province.root_changes.name_fleet_key(OTHER.public_key, province.signers["root"], now=NOW)
    root = read_root((province.metadata / "2.root.json").read_bytes())
    with pytest.raises(EnvelopeRootError, match="does not name"):
        read_enrolment(octets, root)


def test_a_root_of_an_earlier_release_names_no_key(province: Publisher) -> None:
    root = root_of(province)
    del root.unrecognized_fields["fleet_keys"]
    with pytest.raises(EnvelopeRootError, match="names no key"):
        read_enrolment(signed(province), root)


@pytest.mark.parametrize(
    ("own", "at", "error", "why"),
    [
        ({"key": OTHER.public_key}, NOW, EnvelopeOwnerError, "another gateway"),
        ({"code": "79000702"}, NOW, EnvelopeOwnerError, "school 79000701, not of 79000702"),
        ({}, NOW - 3_601, EnvelopeDateError, "is valid from 2027-01-15 07:00 UTC"),
        ({}, NOW + 730 * DAY_S, EnvelopeDateError, "ended on 2029-01-14 08:00 UTC"),
    ],
)
def test_what_is_not_of_this_gateway_or_does_not_hold_now_is_not_kept(
    province: Publisher,
    tmp_path: Path,
    own: dict[str, Any],
    at: float,
    error: type[EnvelopeError],
    why: str,
) -> None:
    path = tmp_path / "enrolment.filterd"
    with pytest.raises(error, match=why):
        install(signed(province), root_of(province), replace(GATEWAY, **own), at, path)
    assert not path.exists()


WRONG: list[Callable[[dict[str, Any]], Any]] = [
    lambda one: one.pop("begins"),
    lambda one: one.update(more=1),
    lambda one: one.update(version=2),
    lambda one: one.update(begins=-1),
    lambda one: one.update(ends=True),
    lambda one: one.update(ends=10**12),
    lambda one: one.update(school=[]),
    lambda one: one["school"].update(name="x" * 201),
    lambda one: one["school"].update(name="a\nb"),
    lambda one: one["school"].update(name="a\u202eb"),
    lambda one: one["school"].update(name="a\x1b[2J"),
    lambda one: one["school"].update(code=7),
    lambda one: one["school"].update(code="\uff17\uff19000701"),
    lambda one: one["school"].update(code="7\u0430"),
    lambda one: one["device"].update(id="00" * 32),
    lambda one: one["device"].update(key="zz"),
]


@pytest.mark.parametrize("change", WRONG)
def test_a_malformed_content_is_refused_though_it_is_signed(
    province: Publisher, change: Callable[[dict[str, Any]], Any]
) -> None:
    content = {**GATEWAY.to_content(), "begins": int(NOW), "ends": int(NOW) + 1}
    change(content)
    octets = sealed(content, ENROLMENT_TYPE, province.signers["fleet"][0])
    with pytest.raises(EnvelopeFormatError):
        read_enrolment(octets, root_of(province))


def test_a_request_is_no_enrolment(province: Publisher) -> None:
    content = {**GATEWAY.to_content(), "begins": int(NOW), "ends": int(NOW) + 1}
    octets = sealed(content, REQUEST_TYPE, province.signers["fleet"][0])
    with pytest.raises(EnvelopeFormatError, match="another kind"):
        read_enrolment(octets, root_of(province))


def test_every_octet_that_is_changed_is_refused(province: Publisher) -> None:
    octets, root = signed(province), root_of(province)
    for place in range(len(octets)):
        changed = octets[:place] + bytes([octets[place] ^ 1]) + octets[place + 1 :]
        with pytest.raises(EnvelopeError):
            read_enrolment(changed, root)


def test_control_without_the_check_of_the_owner_another_schools_enrolment_would_be_kept(
    province: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolment.SchoolGateway, "check_school", lambda *_: None)
    own = SchoolGateway("79000702", "Trường khác", DEVICE.public_key)
    kept = install(signed(province), root_of(province), own, NOW, tmp_path / "enrolment.filterd")
    assert kept.device == own.device


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "device.pem"
    made = device_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert device_key(path).public_key == made.public_key


def test_its_fingerprint_is_that_of_the_public_octets_in_groups_of_four(tmp_path: Path) -> None:
    key = device_key(tmp_path / "device.pem")
    groups = key_fingerprint(key).split(" ")
    public = bytes.fromhex(key.public_key.keyval["public"])
    assert {len(group) for group in groups} == {4}
    assert "".join(groups) == hashlib.sha256(public).hexdigest()


@pytest.mark.parametrize("content", [b"", b"\0" * 100])
def test_a_damaged_key_is_an_error_and_is_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "device.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=r"device\.pem: this is not a private key"):
        device_key(path)
    assert path.read_bytes() == content


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "device.pem"
    device_key(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="others can read"):
        device_key(path)


def test_a_folder_that_is_missing_is_made_and_a_file_in_its_place_is_an_error(
    tmp_path: Path,
) -> None:
    device_key(tmp_path / "state" / "device.pem")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError):
        device_key(tmp_path / "file" / "device.pem")


@pytest.fixture
def fetcher(tmp_path: Path) -> FolderFetcher:
    (tmp_path / "metadata").mkdir()
    for number in (1, 2):
        (tmp_path / "metadata" / f"{number}.root.json").write_bytes(b"root %d" % number)
    return FolderFetcher(tmp_path, FakeClock(0))


@pytest.mark.parametrize("number", [1, 2])
def test_the_root_with_the_fingerprint_is_found(fetcher: FolderFetcher, number: int) -> None:
    content = b"root %d" % number
    assert find_root(fetcher, fingerprint(content).replace(" ", "")) == content


def test_a_root_with_another_fingerprint_is_not_taken(fetcher: FolderFetcher) -> None:
    with pytest.raises(ConfigError, match="nothing was trusted"):
        find_root(fetcher, fingerprint(b"another").replace(" ", ""))
