# SPDX-License-Identifier: Apache-2.0
"""Sign the reported mistakes of a school, and read such files at the centre.

The content of the envelope::

    {"version": 1, "school": {"code", "name"}, "device": {"id", "key"}, "made_at": Unix time,
     "filterd": version, "enrolment": the envelope of the province or null,
     "reports": as overrides.mistake_reports.to_plain gives them}

The gateway's key signs. Without an enrolment this shows only that two files come from the same
gateway: anyone can make a key. Files of filterd before that are lines of JSON, not signed.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from filterd.appliance.enrolment import (
    EnvelopeDateError,
    EnvelopeOwnerError,
    EnvelopeRootError,
    SchoolGateway,
    own_content,
    read_gateway,
    read_plain_enrolment,
)
from filterd.base.errors import ChangeError, ConfigError, EnvelopeFormatError
from filterd.base.signed_envelope import opened, sealed
from filterd.overrides import mistake_reports
from filterd.publish.mistake_inbox import (
    MOST_OCTETS,
    MOST_REPORTS,
    SchoolReports,
    SenderStanding,
)
from filterd.texts.i18n import UNSAID, say
from filterd.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuf.api.metadata import Root

    from filterd.base.state_folder import StateFolder
    from filterd.overrides.mistake_reports import Report
    from filterd.texts.i18n import Sentence

MISTAKES_TYPE = "application/vnd.filterd.mistakes+json"
_FIELDS = {"version", "school", "device", "made_at", "filterd", "enrolment", "reports"}
_AHEAD_S = 86_400.0
"""A later date would keep newer files of the gateway out of the inbox."""
_ENVELOPE = b'{"payload":'


def sealed_reports(
    reports: Sequence[Report], code: str, school: str, state: StateFolder, now: float
) -> bytes:
    """Return the file for the centre, signed by this gateway's key.

    Args:
        reports: in the order of the history; of more than fit, the last ones are in the file.
        code: of the school at the ministry; may be empty.
        school: its name.
        state: with the key, which is made if it is missing, and the enrolment.
        now: Unix time.

    Raises:
        ConfigError: the key is damaged.
        StoreError: the disk refused.
    """
    begin, key = own_content(code, school, state)
    rows = [
        {**mistake_reports.to_plain(report), "at": int(report.at)}
        for report in reports[-MOST_REPORTS:]
    ]
    content = {**begin, "made_at": int(now), "filterd": __version__}
    while len(octets := sealed({**content, "reports": rows}, MISTAKES_TYPE, key)) > MOST_OCTETS:
        rows = rows[len(rows) // 4 + 1 :]
    return octets


def read_reports(octets: bytes, root: Root | None, now: float) -> SchoolReports:
    """Read a file of a school: signed, or lines of an older filterd.

    Args:
        octets: of the file; one more than ``MOST_OCTETS`` is enough of a longer one.
        root: the publisher's; None where no school can be known as enrolled.
        now: Unix time, by which an enrolment must hold.

    Raises:
        EnvelopeError: it was changed, or is of another gateway than it names.
        ConfigError: lines are wrong.
    """
    if not octets.startswith(_ENVELOPE):
        return _unsigned(octets)
    found = opened(octets, MISTAKES_TYPE, MOST_OCTETS)
    content = found.content
    if content.keys() != _FIELDS:
        raise EnvelopeFormatError(say("it was made by a newer filterd; update this one first"))
    gateway = read_gateway(content)
    found.check_signed([gateway.key])
    made_at = content["made_at"]
    if type(made_at) is not int or not 0 <= made_at <= now + _AHEAD_S:
        raise EnvelopeFormatError(say("its date is in the future"))
    enrolment, doubt = _enrolment(content["enrolment"], gateway, root, now)
    standing = SenderStanding.ENROLLED if enrolment else SenderStanding.SIGNED
    school = (enrolment or gateway).school  # of an enrolled one as the province has it
    reports = _reports(content["reports"], school)
    return SchoolReports(standing, gateway.code, school, gateway.device, made_at, reports, doubt)


def _enrolment(
    enrolment: Any, gateway: SchoolGateway, root: Root | None, now: float
) -> tuple[SchoolGateway | None, Sentence]:
    """Return the gateway as it is enrolled; None with the reason where it is not.

    Raises:
        EnvelopeError: the enrolment is of another school or gateway, or was changed.
    """
    if enrolment is None:
        return None, say("no province has enrolled this gateway")
    if root is None:
        return None, say("without --root no enrolment can be verified")
    try:
        verified = read_plain_enrolment(enrolment, root)
        verified.check_at(now)
    except (EnvelopeDateError, EnvelopeRootError) as error:
        return None, error.sentence
    verified.gateway.check_school(gateway)
    if verified.gateway.device != gateway.device:
        raise EnvelopeOwnerError(say("the enrolment is of another gateway"))
    return verified.gateway, UNSAID


def _reports(rows: Any, school: str) -> tuple[Report, ...]:
    if not isinstance(rows, list) or len(rows) > MOST_REPORTS:
        raise EnvelopeFormatError(say("it has more than {most} reports", most=MOST_REPORTS))
    try:
        return tuple(replace(mistake_reports.from_plain(row), school=school) for row in rows)
    except ChangeError as error:
        raise EnvelopeFormatError(error.sentence) from error
    except (TypeError, ValueError) as error:
        raise EnvelopeFormatError(say("this is not a report")) from error


def _unsigned(octets: bytes) -> SchoolReports:
    """Return the reports of lines of JSON; the school is what they name.

    Raises:
        ConfigError: a line is wrong, or there are too many.
    """
    if len(octets) > MOST_OCTETS:
        raise EnvelopeFormatError(say("it is larger than {most} octets", most=MOST_OCTETS))
    try:
        reports = mistake_reports.parse(octets.decode(), "")
    except UnicodeDecodeError:
        raise ConfigError(say("this is not a report")) from None
    if not 0 < len(reports) <= MOST_REPORTS:
        raise ConfigError(say("it has no reports, or more than {most}", most=MOST_REPORTS))
    school = reports[0].school
    sender = sha256(school.encode()).hexdigest()
    made_at = int(max(report.at for report in reports))
    return SchoolReports(
        SenderStanding.UNSIGNED, "", school, sender, made_at, reports, say("it is not signed")
    )
