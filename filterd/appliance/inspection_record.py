# SPDX-License-Identifier: Apache-2.0
"""Sign the inspection record of a gateway, and verify one anywhere else.

The content of the envelope::

    {"version": 1, "school": {"code", "name"}, "device": {"id", "key"},
     "enrolment": the envelope of the province or null, "facts": InspectionFacts}

Who has the record and the publisher's root needs nothing else: the root names the key that has
signed the enrolment, the enrolment the gateway's key, and that key has signed the record. So a
record that is signed anew with another key, or with another school's enrolment, is refused.

What this cannot show: that the facts are true. Who has the gateway's key, root at the school,
can sign any. ``python -m filterd.appliance.inspection_record`` signs in a process of its own,
because the daemon loads no code that signs: the folder ``state``, ``school`` and ``facts`` are its
input, the record is its output.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root

from filterd.appliance.enrolment import (
    EnvelopeRootError,
    SchoolGateway,
    own_content,
    read_gateway,
    read_plain_enrolment,
)
from filterd.base import bounded_child
from filterd.base.errors import EnvelopeFormatError, EnvelopeSignatureError
from filterd.base.signed_envelope import opened, sealed
from filterd.base.state_folder import StateFolder
from filterd.base.value_class import frozen
from filterd.feed.signed.trust import read_root
from filterd.reports import inspection_facts
from filterd.reports.inspection_facts import INSPECTION_TYPE, MOST_OCTETS
from filterd.texts.counted import grouped, utc
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from filterd.appliance.enrolment import GatewayEnrolment
    from filterd.reports.inspection_facts import InspectionFacts
    from filterd.texts.i18n import Sentence

_FIELDS = {"version", "school", "device", "enrolment", "facts"}
_AHEAD_S = 600.0
"""Clocks of two machines may differ by so much without a word about it."""
_MEMORY_OCTETS, _CPU_S = 256 << 20, 20


@frozen
class InspectionRecord:
    """A record whose whole chain was verified.

    Attributes:
        gateway: that has signed it, as the province has enrolled it.
        facts: what it shows.
        enrolment: of the gateway.
        sha256: of the file, hex.
        notes: what a reader must know and is no reason to refuse it.
    """

    gateway: SchoolGateway
    facts: InspectionFacts
    enrolment: GatewayEnrolment
    sha256: str
    notes: tuple[Sentence, ...]


def signed_record(school: Mapping[str, str], facts: Mapping[str, Any], state: StateFolder) -> bytes:
    """Return a record, signed by this gateway's key, which is made if it is missing.

    Args:
        school: ``code`` and ``name``.
        facts: of ``inspection_facts.plain_of``.
        state: with the key and the enrolment.

    Raises:
        ConfigError: the key is damaged.
        StoreError: the disk refused.
    """
    begin, key = own_content(school["code"], school["name"], state)
    return sealed({**begin, "facts": facts}, INSPECTION_TYPE, key)


def verify(octets: bytes, root: Root, at: float) -> InspectionRecord:
    """Verify a record by nothing but the root.

    Args:
        octets: of the file.
        root: that is trusted; see ``trusted_root``.
        at: Unix time at which it is looked at.

    Raises:
        EnvelopeError: the record must not be believed; each reason has a class of its own.
    """
    found = opened(octets, INSPECTION_TYPE, MOST_OCTETS)
    content = found.content
    if content.keys() != _FIELDS:
        raise EnvelopeFormatError(say("it was made by a newer filterd; update this one first"))
    gateway = read_gateway(content)
    try:
        facts = inspection_facts.facts_of(content["facts"])
        expires = root.expires.timestamp()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EnvelopeFormatError(say("its facts are not as filterd writes them")) from error
    if content["enrolment"] is None:
        found.check_signed([gateway.key])
        raise EnvelopeRootError(
            say(
                "no province has enrolled this gateway; compare its key with the sheet of the"
                " set-up: {device}",
                device=grouped(gateway.device),
            )
        )
    enrolment = read_plain_enrolment(content["enrolment"], root)
    enrolment.gateway.check_school(gateway)
    if enrolment.gateway.device != gateway.device:
        raise EnvelopeSignatureError(
            say("it is signed by another key than the one that is enrolled for the school")
        )
    found.check_signed([enrolment.gateway.key])
    enrolment.check_at(facts.made_at)
    if facts.made_at >= expires:
        raise EnvelopeRootError(
            say("the root ended on {day}, before the record was made", day=utc(expires))
        )
    notes = tuple(_notes(gateway, facts, enrolment, expires, at))
    return InspectionRecord(enrolment.gateway, facts, enrolment, record_sha256(octets), notes)


def record_sha256(octets: bytes) -> str:
    """Return what identifies a record: the SHA-256 of its file."""
    return hashlib.sha256(octets).hexdigest()


def trusted_root(contents: Sequence[bytes]) -> Root:
    """Return the last of some roots, of which the first is trusted.

    Args:
        contents: of the files: each is the next version after the one before, and signed by
            both.

    Raises:
        MetadataFormatError: the first is no root.
        EnvelopeRootError: one does not follow.
    """
    root = read_root(contents[0])
    for content in contents[1:]:
        try:
            following = Metadata[Root].from_bytes(content)
            for judge in (root, following.signed):
                judge.verify_delegate("root", following.signed_bytes, following.signatures)
        except (RepositoryError, ValueError, AttributeError) as error:
            raise EnvelopeRootError(
                say("a root is not signed by the keys of the one before")
            ) from error
        if following.signed.version != root.version + 1:
            raise EnvelopeRootError(
                say(
                    "after root {version} root {next} is missing",
                    version=root.version,
                    next=root.version + 1,
                )
            )
        root = following.signed
    return root


def _notes(
    gateway: SchoolGateway,
    facts: InspectionFacts,
    enrolment: GatewayEnrolment,
    expires: float,
    at: float,
) -> list[Sentence]:
    found = []
    if gateway.school != enrolment.gateway.school:
        found.append(
            say(
                "the school calls itself {name}; it is enrolled as {enrolled}",
                name=gateway.school,
                enrolled=enrolment.gateway.school,
            )
        )
    if at >= enrolment.ends:
        found.append(say("the enrolment has ended since, on {day}", day=utc(enrolment.ends)))
    if at >= expires:
        found.append(
            say("the root ended on {day}: get the publisher's newer one", day=utc(expires))
        )
    if facts.made_at > at + _AHEAD_S:
        found.append(say("it is from the future: one of the two clocks is wrong"))
    if not facts.is_time_known:
        found.append(say("the gateway did not know what time it was: its time may be wrong"))
    return found


def _sign(request: dict[str, Any], output: IO[bytes]) -> None:
    state = StateFolder(Path(request["state"]))
    output.write(signed_record(request["school"], request["facts"], state))


if __name__ == "__main__":
    sys.exit(bounded_child.answer(_sign, more_octets=_MEMORY_OCTETS, cpu_s=_CPU_S))
