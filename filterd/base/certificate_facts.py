# SPDX-License-Identifier: Apache-2.0
"""Read the facts of the dashboard's certificate without parsing it.

The commands that write a certificate (``appliance.setup.web_certificate``) leave these facts beside
it, because parsing takes a library that no serving process has in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.base.state_file import FileFormat
from filterd.base.value_class import frozen
from filterd.texts.i18n import say
from filterd.texts.rows import Column, Details, Row, Wording, when

if TYPE_CHECKING:
    from pathlib import Path

FILE = "certificate.filterd"
"""Beside the certificate."""
_MOST_OCTETS = 1 << 16


@frozen
class CertificateFacts:
    """The facts of a certificate that people compare or must know of.

    Attributes:
        fingerprint: SHA-256 of its DER, in groups of four digits; browsers show the same.
        begins_at, ends_at: Unix times.
        names: host names that it is for.
        addresses: IP addresses that it is for.
        issuer: the authority that signed it; empty where it is self-made.
    """

    fingerprint: str
    begins_at: float
    ends_at: float
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    issuer: str = ""


FACTS = FileFormat(
    CertificateFacts, magic=b"filterd certificate ", version=b"1", most_octets=_MOST_OCTETS
)


def facts_in(folder: Path) -> CertificateFacts | None:
    """Return the facts of the certificate in a folder; None where there is none."""
    return FACTS.read(folder / FILE)


def _reached_by(row: Row, _: Wording) -> str:
    return ", ".join((*row["names"], *row["addresses"]))


def _issued_by(issuer: str, by: Wording) -> str:
    return issuer or by.texts("self-made: browsers warn of it once")


def fingerprint_line(row: Row, by: Wording) -> str:
    """Return the fingerprint and the end in one line; "" for no certificate."""
    found = row.get("signals", {}).get("certificate")
    if not found:
        return ""
    end = by.texts("until {when}", when=by.clock.text(found["ends_at"]))
    return f"{found['fingerprint']} ({end})"


CERTIFICATE = Details(
    (
        Column(say("Fingerprint"), "fingerprint"),
        Column(say("For"), worded=_reached_by),
        Column(say("Issued by"), "issuer", _issued_by),
        Column(say("From"), "begins_at", when),
        Column(say("Until"), "ends_at", when),
    ),
    lambda _, by: by.texts("Certificate of the dashboard"),
)
"""Of plain facts."""
