# SPDX-License-Identifier: Apache-2.0
"""Seal and open signed JSON: DSSE envelopes that have exactly one form.

The envelope of DSSE 1.0 (Dead Simple Signing Envelope) has a payload, its type and one signature
over both. Here the payload is a JSON object, and both payload and envelope are canonical: keys
in order, no space, UTF-8, a line feed at the end of the file. Whatever is written in another
way is refused, so no octet can change unseen, not even one that the signature does not cover.

Keys are Ed25519 (RFC 8032), in contents as the 32 octets of the public half in hexadecimal.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import SSlibKey

from filterd.base.errors import EnvelopeError, EnvelopeFormatError, EnvelopeSignatureError
from filterd.base.value_class import frozen
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from securesystemslib.signer import Key, Signer

MOST_DEPTH = 24
"""Of braces and brackets within each other, in a payload."""

_FIELDS = {"payload", "payloadType", "signatures"}
_SIGNATURE_FIELDS = {"keyid", "sig"}
_P = 2**255 - 19
_Y8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
_SMALL_ORDER = {0, 1, _P - 1, _P, _P + 1, _Y8, _P - _Y8}
"""The y of points whose order is 8 or less: anybody can make a signature of such a key."""
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, RecursionError)


@frozen
class SealedContent:
    """The content of an envelope, which is **not verified** before ``check_signed``."""

    content: dict[str, Any]
    envelope: Envelope

    def check_signed(self, keys: Sequence[Key]) -> None:
        """Check that one of the keys has signed the content.

        Raises:
            EnvelopeSignatureError: another one has, or the content was changed since.
        """
        if set(self.envelope.signatures).isdisjoint(key.keyid for key in keys):
            raise EnvelopeSignatureError(say("it is signed by another key"))
        try:
            self.envelope.verify(list(keys), 1)
        except (VerificationError, UnverifiedSignatureError) as error:
            raise EnvelopeSignatureError(
                say("its signature does not fit: it was changed after it was signed")
            ) from error


def sealed(content: Mapping[str, Any], payload_type: str, signer: Signer) -> bytes:
    """Return the octets of a signed envelope.

    Args:
        content: JSON types only, without fractions.
        payload_type: what the content is, such as ``application/vnd.filterd.inspection+json``.
        signer: of the one signature.
    """
    envelope = Envelope(_canonical(content), payload_type, {})
    envelope.sign(signer)
    return _canonical(envelope.to_dict()) + b"\n"


def opened(octets: bytes, payload_type: str, most_octets: int) -> SealedContent:
    """Read an envelope; its signatures are not verified yet.

    Args:
        octets: of the file; one more than ``most_octets`` is enough of a longer one.
        payload_type: the only type that is taken.
        most_octets: of the whole file.

    Raises:
        EnvelopeFormatError: it is none of this type, is too long, cut short, or goes on.
    """
    if len(octets) > most_octets:
        raise EnvelopeFormatError(say("it is larger than {most} octets", most=most_octets))
    try:
        text = octets.decode()
        plain, end = json.JSONDecoder().raw_decode(text)
    except _MALFORMED as error:
        if octets[:1] == b"{" and octets[-2:] != b"}\n":
            raise EnvelopeFormatError(say("it is cut short")) from error
        raise EnvelopeFormatError(say("it is not a signed file of filterd")) from error
    if text[end:] not in {"", "\n"}:
        raise EnvelopeFormatError(say("something follows its end"))
    found = opened_plain(plain, payload_type)
    if _canonical(plain) + b"\n" != octets:
        raise EnvelopeFormatError(say("it is not written as filterd writes it"))
    return found


def opened_plain(plain: Any, payload_type: str) -> SealedContent:
    """Read an envelope that stands within another content, as JSON types.

    Raises:
        EnvelopeFormatError: it is none of this type.
    """
    try:
        form = {**plain, "signatures": [dict(one) for one in plain["signatures"]]}
        envelope = Envelope.from_dict(form)
        kind = envelope.payload_type
        has_form = (
            envelope.to_dict() == plain  # base64 too has one form only
            and all(
                signature.isascii() for signature in envelope.signatures
            )  # else no UTF-8 may be it
            and plain.keys() == _FIELDS
            and all(one.keys() == _SIGNATURE_FIELDS for one in plain["signatures"])
            and len(envelope.signatures) == 1  # a second one need not be true, and changes the file
        )
    except _MALFORMED as error:
        raise EnvelopeFormatError(say("it is not a signed file of filterd")) from error
    if not has_form:
        raise EnvelopeFormatError(say("it is not written as filterd writes it"))
    if kind != payload_type:
        raise EnvelopeFormatError(say("it is a signed file of another kind"))
    return SealedContent(_content_of(envelope.payload), envelope)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the file's name before the reason for which it is refused."""
    try:
        yield
    except EnvelopeError as error:
        raise type(error)(say("{path}: {why}", path=path, why=error.sentence)) from error


def key_of(public: str) -> SSlibKey:
    """Return the public key of a content.

    Raises:
        EnvelopeFormatError: it is not 32 octets in lower-case hexadecimal, or has no private half.
    """
    try:
        octets = bytes.fromhex(public)
        key = Ed25519PublicKey.from_public_bytes(octets)
    except _MALFORMED as error:
        raise EnvelopeFormatError(say("it names no public key")) from error
    if octets.hex() != public or int.from_bytes(octets, "little") % 2**255 in _SMALL_ORDER:
        raise EnvelopeFormatError(say("it names no public key"))
    return SSlibKey.from_crypto(key)


def public_of(key: Key) -> str:
    """Return a public key as a content has it."""
    return str(key.keyval["public"])


def _content_of(payload: bytes) -> dict[str, Any]:
    try:
        content = json.loads(payload)
        is_one = isinstance(content, dict) and _canonical(content) == payload
        is_flat = _depth(content) <= MOST_DEPTH
    except _MALFORMED as error:
        raise EnvelopeFormatError(say("its content is not JSON")) from error
    if not (is_one and is_flat):  # a key that stands twice is one of the reasons
        raise EnvelopeFormatError(say("its content is not written as filterd writes it"))
    return dict(content)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _canonical(value: Any) -> bytes:
    text = json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    return text.encode()
