# SPDX-License-Identifier: Apache-2.0
"""Make the key of a gateway, and enrol it, so that its records are verifiable.

::

    gateway   request: school, public key            signed by that key itself
    province  enrolment: the same, begin and end     signed by the key ``fleet``
    publisher root                                   names the key ``fleet``

The gateway's key is an Ed25519 key (RFC 8032) in the state folder, PEM, readable by its owner
alone. It signs the inspection record and what a school reports. It is never replaced: a second key
would be a second gateway where the first is known, so a damaged one is an error.

The root names the key ``fleet`` beside its roles, as that of programs
(``feed.signed.program_offer``). It signs many enrolments, so it cannot be one of the root, which
lie in safes; and no online key of the publisher, because with that machine a thief could enrol
schools that do not exist. A new root without the key ends all enrolments that it has signed.

A set-up finds the root by its fingerprint, which the publisher reads out (``find_root``). The roots
stand in the feed's folder, ``metadata/N.root.json`` (TUF §5.3). The connection proves nothing and
need not: only the root with the fingerprint is taken.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tuf.api.exceptions import DownloadHTTPError

from filterd.base.errors import (
    ChangeError,
    ConfigError,
    EnvelopeError,
    EnvelopeFormatError,
    EnvelopeSignatureError,
    MissingFileError,
)
from filterd.base.signed_envelope import key_of, opened, opened_plain, public_of, sealed
from filterd.base.value_class import frozen
from filterd.daemon.manager.status_files import ENROLMENT, KeptEnrolment
from filterd.feed.signed.trust import ROOT_OCTETS, named_keys
from filterd.feed.version_files import FLEET_KEYS
from filterd.policy.field_checks import is_school_code, plain
from filterd.publish.keys import load_key, make_key
from filterd.texts.counted import fingerprint, utc
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from securesystemslib.signer import CryptoSigner, Key, SSlibKey
    from tuf.api.metadata import Root

    from filterd.base.signed_envelope import SealedContent
    from filterd.base.state_folder import StateFolder
    from filterd.feed.signed.fetchers import Fetcher

REQUEST_TYPE = "application/vnd.filterd.enrolment-request+json"
ENROLMENT_TYPE = "application/vnd.filterd.enrolment+json"
MOST_OCTETS = 1 << 16
LONGEST_DAYS = 3_660
MOST_ROOTS = 32

_VERSION = 1
_DAY_S = 86_400
_BEFORE_S = 3_600
"""An enrolment holds from an hour before its signature: the gateway's clock may be behind."""
_LATEST = 253_402_214_400
"""The last day of the year 9999, in any time zone."""
_LONGEST = 200


class EnvelopeOwnerError(EnvelopeError):
    """It is of another gateway or school than what comes with it."""

    code = "envelope-owner"
    exit_code = 63


class EnvelopeDateError(EnvelopeError):
    """It does not hold yet, or has ended."""

    code = "envelope-date"
    exit_code = 64


class EnvelopeRootError(EnvelopeError):
    """Nothing leads from the trusted root to the key that has signed it."""

    code = "envelope-root"
    exit_code = 65


def device_key(path: Path) -> CryptoSigner:
    """Return the key of this gateway; make it where there is none.

    Raises:
        ConfigError: what stands there is no such key, or others can read it.
        StoreError: the disk refused.
    """
    return load_key(path) if os.path.lexists(path) else make_key(path)


def key_fingerprint(key: CryptoSigner) -> str:
    """Return the SHA-256 of the public key's 32 octets in groups of four digits."""
    return fingerprint(bytes.fromhex(key.public_key.keyval["public"]))


def device_id(key: Key) -> str:
    """Return the SHA-256 of a public key's 32 octets in hexadecimal."""
    return sha256(bytes.fromhex(key.keyval["public"])).hexdigest()


@frozen
class SchoolGateway:
    """A gateway: the ministry's code and the name of its school, its public key."""

    code: str
    school: str
    key: SSlibKey

    @property
    def device(self) -> str:
        """Its id: the SHA-256 of the public key's 32 octets, as ``device_key`` shows it."""
        return device_id(self.key)

    def to_content(self) -> dict[str, Any]:
        """Return the fields of a signed content."""
        return {
            "version": _VERSION,
            "school": {"code": self.code, "name": self.school},
            "device": {"id": self.device, "key": public_of(self.key)},
        }

    def check_school(self, other: SchoolGateway) -> None:
        """Check that another content is of the school that this one is enrolled for.

        Raises:
            EnvelopeOwnerError: it is of another one.
        """
        if self.code != other.code:
            raise EnvelopeOwnerError(
                say(
                    "the enrolment is of the school {enrolled}, not of {code}",
                    enrolled=self.code,
                    code=other.code,
                )
            )


@frozen
class GatewayEnrolment:
    """The word of a province whose a gateway is, between two Unix times."""

    gateway: SchoolGateway
    begins: int
    ends: int

    def check_at(self, at: float) -> None:
        """Check that it holds at a Unix time.

        Raises:
            EnvelopeDateError: it does not hold yet, or has ended.
        """
        if at < self.begins:
            raise EnvelopeDateError(
                say("the enrolment is valid from {day} only", day=utc(self.begins))
            )
        if at >= self.ends:
            raise EnvelopeDateError(say("the enrolment ended on {day}", day=utc(self.ends)))


def own_content(code: str, school: str, state: StateFolder) -> tuple[dict[str, Any], CryptoSigner]:
    """Return what begins a signed content of this gateway, and its key to sign with.

    Args:
        code: of the school at the ministry; may be empty.
        school: its name.
        state: with the key, which is made if it is missing, and the enrolment.

    Raises:
        ConfigError: the key is damaged.
        StoreError: the disk refused.
    """
    key, kept = device_key(state.device_key), ENROLMENT.read(state.enrolment)
    gateway = SchoolGateway(code, school, key.public_key)
    is_own = kept is not None and kept.device == gateway.device
    enrolment = json.loads(kept.envelope) if kept is not None and is_own else None
    return {**gateway.to_content(), "enrolment": enrolment}, key


def request(gateway: SchoolGateway, signer: CryptoSigner, now: float) -> bytes:
    """Return the request of a gateway, signed by its own key."""
    return sealed({**gateway.to_content(), "made_at": int(now)}, REQUEST_TYPE, signer)


def read_request(octets: bytes) -> SchoolGateway:
    """Return the gateway of a request that its key has signed.

    Raises:
        EnvelopeError: it is no request, or another key has signed it.
    """
    found = opened(octets, REQUEST_TYPE, MOST_OCTETS)
    _check_fields(found.content, {"version", "school", "device", "made_at"})
    gateway = read_gateway(found.content)
    found.check_signed([gateway.key])
    if not gateway.code:
        raise EnvelopeFormatError(say("it has no code of a school"))
    return gateway


def enrol(gateway: SchoolGateway, signer: CryptoSigner, now: float, days: int) -> bytes:
    """Return the enrolment of a gateway for so many days, signed by the key ``fleet``."""
    dates = {"begins": int(now) - _BEFORE_S, "ends": int(now) + days * _DAY_S}
    return sealed(gateway.to_content() | dates, ENROLMENT_TYPE, signer)


def read_enrolment(octets: bytes, root: Root) -> GatewayEnrolment:
    """Return an enrolment that a key has signed which the root names.

    Raises:
        EnvelopeError: it is none; EnvelopeRootError: the root does not lead to it.
    """
    return _verified(opened(octets, ENROLMENT_TYPE, MOST_OCTETS), root)


def read_plain_enrolment(content: Any, root: Root) -> GatewayEnrolment:
    """Return the enrolment that stands in another content; as ``read_enrolment``."""
    return _verified(opened_plain(content, ENROLMENT_TYPE), root)


def install(octets: bytes, root: Root, own: SchoolGateway, now: float, path: Path) -> KeptEnrolment:
    """Keep the enrolment of this gateway in the state folder.

    Args:
        octets: the file of the province.
        root: the newest that this site trusts.
        own: this gateway, as it asks for enrolment.
        now: Unix time.
        path: ``StateFolder.enrolment``.

    Raises:
        EnvelopeError: it is no enrolment of this gateway and school that holds now; the one
            before stays.
        StoreError: the disk refused.
    """
    enrolment = read_enrolment(octets, root)
    enrolment.gateway.check_school(own)
    if enrolment.gateway.device != own.device:
        raise EnvelopeOwnerError(say("the enrolment is of another gateway"))
    enrolment.check_at(now)
    kept = KeptEnrolment(enrolment.begins, enrolment.ends, own.device, octets.decode())
    ENROLMENT.save(path, kept)
    return kept


def read_gateway(content: Mapping[str, Any]) -> SchoolGateway:
    """Return the gateway of a signed content.

    Raises:
        EnvelopeFormatError: a field is missing or of another form, or the version a newer one.
    """
    if content.get("version") != _VERSION:
        raise EnvelopeFormatError(say("it was made by a newer filterd; update this one first"))
    school = _check_fields(content.get("school"), {"code", "name"})
    device = _check_fields(content.get("device"), {"id", "key"})
    code, name = (_text(school[one]) for one in ("code", "name"))
    if code and not is_school_code(code):
        raise EnvelopeFormatError(say("it has no code of a school"))
    gateway = SchoolGateway(code, name, key_of(device["key"]))
    if device["id"] != gateway.device:
        raise EnvelopeFormatError(say("its id of the gateway does not belong to its key"))
    return gateway


def _verified(found: SealedContent, root: Root) -> GatewayEnrolment:
    keys = named_keys(root, FLEET_KEYS)
    if not keys:
        raise EnvelopeRootError(say("the root names no key that enrols gateways"))
    if set(found.envelope.signatures).isdisjoint(key.keyid for key in keys):
        raise EnvelopeRootError(say("the enrolment is signed by a key that the root does not name"))
    try:
        found.check_signed(keys)
    except EnvelopeSignatureError as error:
        raise EnvelopeSignatureError(
            say("the enrolment was changed after it was signed")
        ) from error
    content = _check_fields(found.content, {"version", "school", "device", "begins", "ends"})
    return GatewayEnrolment(
        read_gateway(content), *(_time(content[one]) for one in ("begins", "ends"))
    )


def _check_fields(value: Any, wanted: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != wanted:
        raise EnvelopeFormatError(say("a field is missing, or one too many"))
    return value


def _text(value: Any) -> str:
    try:
        if isinstance(value, str) and len(value) <= _LONGEST:
            return plain(value, say("the school's name"))
    except ChangeError:
        pass
    raise EnvelopeFormatError(say("school or code is not a short text"))


def _time(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _LATEST:
        raise EnvelopeFormatError(say("a time is malformed"))
    return value


def find_root(fetcher: Fetcher, wanted: str) -> bytes:
    """Return the root with a fingerprint.

    Args:
        fetcher: of the feed.
        wanted: 64 digits.

    Raises:
        ConfigError: the feed has no such root.
        FetchError: it cannot be reached.
    """
    for number in range(1, MOST_ROOTS + 1):
        address = f"{fetcher.base}metadata/{number}.root.json"
        try:
            content = fetcher.download_bytes(address, ROOT_OCTETS)
        except (DownloadHTTPError, MissingFileError):
            break
        if fingerprint(content).replace(" ", "") == wanted:
            return content
    raise ConfigError(
        say("the feed has no root with this fingerprint; nothing was trusted"),
        hint=say("compare address and fingerprint with the publisher's by telephone"),
    )
