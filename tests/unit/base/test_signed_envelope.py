# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner

from filterd.base.errors import EnvelopeError, EnvelopeFormatError, EnvelopeSignatureError
from filterd.base.signed_envelope import MOST_DEPTH, key_of, opened, public_of, sealed

if TYPE_CHECKING:
    from collections.abc import Callable

TYPE = "application/vnd.filterd.test+json"
SIGNER = CryptoSigner.generate_ed25519()
CONTENT = {"school": "Trường THCS <Nguyễn Trãi>", "n": [1, 2, {"empty": None}]}
OCTETS = sealed(CONTENT, TYPE, SIGNER)


def read(octets: bytes, most: int = 10_000) -> dict[str, Any]:
    found = opened(octets, TYPE, most)
    found.check_signed([SIGNER.public_key])
    return found.content


def with_payload(payload: bytes) -> bytes:
    """Return an envelope of the true form, signed by nothing, with this payload."""
    plain = json.loads(OCTETS) | {"payload": base64.b64encode(payload).decode()}
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def test_what_was_sealed_is_read_again_with_the_key_that_its_content_names() -> None:
    assert read(OCTETS) == CONTENT
    key = key_of(public_of(SIGNER.public_key))
    opened(OCTETS, TYPE, 10_000).check_signed([key])


@pytest.mark.parametrize("bit", range(8))
def test_every_octet_that_is_changed_is_refused(bit: int) -> None:
    for place in range(len(OCTETS)):
        changed = bytearray(OCTETS)
        changed[place] ^= 1 << bit
        with pytest.raises(EnvelopeError):
            read(bytes(changed))


def test_control_without_the_one_form_a_change_beside_the_signature_is_not_seen() -> None:
    plain = json.loads(OCTETS)
    with_space = json.dumps(plain).encode() + b"\n"
    with pytest.raises(EnvelopeFormatError, match="not written as"):
        read(with_space)
    opened(sealed_again(with_space), TYPE, 10_000).check_signed([SIGNER.public_key])


def sealed_again(octets: bytes) -> bytes:
    """Write an envelope in the one form: what a reader does that is not strict."""
    plain = json.loads(octets)
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda octets: octets[:-1], "not written as"),
        (lambda octets: octets[:-2], "cut short"),
        (lambda octets: octets[:100], "cut short"),
        (lambda octets: octets + b"x", "something follows"),
        (lambda octets: octets + octets, "something follows"),
        (lambda _: b"", "not a signed file"),
        (lambda _: b"\xff\xfe", "not a signed file"),
        (lambda _: b"[" * 9_000, "not a signed file"),
        (lambda _: b'{"payload":1}\n', "not a signed file"),
        (lambda octets: octets.ljust(10_001), "larger than 10000"),
        (lambda octets: octets.replace(b"vnd.filterd.test", b"vnd.filterd.rest"), "another kind"),
        (lambda octets: octets.replace(b'"sig"', b'"more":1,"sig"'), "not written as"),
        (lambda _: with_payload(b'{"a":1,"a":2}'), "content is not written"),
        (lambda _: with_payload(b'{"b":1,"a":2}'), "content is not written"),
        (lambda _: with_payload(b"[1]"), "content is not written"),
        (lambda _: with_payload(b'{"a":' + b"[" * 5_000), "content is not JSON"),
        (lambda _: with_payload(rb'{"a":"\ud800"}'), "content is not JSON"),
        (lambda _: with_payload(b'{"a":' + b"9" * 5_000 + b"}"), "content is not JSON"),
    ],
)
def test_what_is_no_envelope_is_refused_with_its_reason(
    change: Callable[[bytes], bytes], reason: str
) -> None:
    with pytest.raises(EnvelopeFormatError, match=reason):
        read(change(OCTETS))


@pytest.mark.parametrize("keyid", ["any text", "\ud800", "ab" * 32])
def test_a_second_signature_is_refused_because_it_changes_the_file_unseen(keyid: str) -> None:
    plain = json.loads(OCTETS)
    plain["signatures"].append({"keyid": keyid, "sig": "AAAA"})
    with pytest.raises(EnvelopeFormatError, match="not written as"):
        read(sealed_again(json.dumps(plain).encode()))


def test_a_key_id_that_no_utf_8_can_be_is_refused() -> None:
    plain = json.loads(OCTETS)
    plain["signatures"][0]["keyid"] = "\ud800"
    with pytest.raises(EnvelopeFormatError, match="not written as"):
        read(sealed_again(json.dumps(plain).encode()))


def test_a_content_that_is_too_deep_is_refused_though_it_is_signed() -> None:
    deep: list[Any] = []
    for _ in range(MOST_DEPTH):
        deep = [deep]
    with pytest.raises(EnvelopeFormatError, match="content is not written"):
        read(sealed({"deep": deep}, TYPE, SIGNER))


def test_a_fresh_key_is_refused_and_a_changed_content_of_the_true_key_too() -> None:
    with pytest.raises(EnvelopeSignatureError, match="another key"):
        read(sealed(CONTENT, TYPE, CryptoSigner.generate_ed25519()))
    with pytest.raises(EnvelopeSignatureError, match="changed after"):
        read(with_payload(b'{"n":1}'))


@pytest.mark.parametrize("public", ["", "00", "zz" * 32, "AB" * 32, " " + "ab" * 32, 7, None])
def test_a_text_that_is_no_public_key_is_refused(public: Any) -> None:
    with pytest.raises(EnvelopeFormatError, match="no public key"):
        key_of(public)


IDENTITY = b"\x01" + bytes(31)
"""The neutral point: as a key, and as the R of a signature that fits each content."""


@pytest.mark.parametrize(
    "public",
    [
        IDENTITY.hex(),
        bytes(32).hex(),
        (bytes(31) + b"\x80").hex(),
        "ec" + "ff" * 30 + "7f",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ],
)
def test_a_public_key_that_has_no_private_half_is_refused(public: str) -> None:
    with pytest.raises(EnvelopeFormatError, match="no public key"):
        key_of(public)


def test_control_such_a_key_verifies_a_signature_that_anybody_makes() -> None:
    key = Ed25519PublicKey.from_public_bytes(IDENTITY)
    for content in (b"one", b"another"):
        key.verify(IDENTITY + bytes(32), content)


@given(st.binary(max_size=400))
def test_octets_of_any_kind_are_refused(octets: bytes) -> None:
    with pytest.raises(EnvelopeError):
        read(octets)
