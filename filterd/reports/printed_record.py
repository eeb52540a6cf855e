# SPDX-License-Identifier: Apache-2.0
"""Read the file of an inspection record, for its printed form. Pure.

Nothing is verified here: the manager has just signed the file, or ``inspect verify`` has
verified it (``appliance.inspection_record``).
"""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.errors import EnvelopeFormatError
from filterd.i18n import say
from filterd.policy.reporting_settings import PeriodKind, ReportSettings
from filterd.reports import inspection_facts
from filterd.reports.report_facts import (
    HandlingFacts,
    LogFacts,
    ReportAudience,
    ReportFacts,
    SchoolFacts,
)

if TYPE_CHECKING:
    from filterd.reports.inspection_facts import InspectionFacts

_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class PrintedRecord:
    """The content of the file of a record, without any check of its signature.

    Attributes:
        school: ``code`` and ``name``.
        device: id of the gateway's key.
        enrolment: begin and end as Unix times; None where it is not enrolled.
        facts: what it shows.
        sha256: of the file, hex.
    """

    school: dict[str, str]
    device: str
    enrolment: tuple[int, int] | None
    facts: InspectionFacts
    sha256: str

    @classmethod
    def read(cls, octets: bytes) -> PrintedRecord:
        """Read the file of a record.

        Raises:
            EnvelopeFormatError: it is none.
        """
        try:
            content = _payload(json.loads(octets))
            dates = None
            if content["enrolment"] is not None:
                enrolment = _payload(content["enrolment"])
                dates = int(enrolment["begins"]), int(enrolment["ends"])
            return cls(
                {key: str(content["school"][key]) for key in ("code", "name")},
                str(content["device"]["id"]),
                dates,
                inspection_facts.facts_of(content["facts"]),
                sha256(octets).hexdigest(),
            )
        except _MALFORMED as error:
            raise EnvelopeFormatError(say("it is not an inspection record of filterd")) from error

    @property
    def zone(self) -> ZoneInfo:
        """The school's time zone; UTC where it is none."""
        try:
            return ZoneInfo(self.facts.time_zone)
        except (ValueError, OSError, KeyError):
            return ZoneInfo("UTC")

    def plain_facts(self) -> dict[str, Any]:
        """Return the facts as plain data."""
        return inspection_facts.plain_of(self.facts)

    def report_facts(self) -> ReportFacts:
        """Return the facts that formats of reports ask for: school, day, service."""
        facts = self.facts
        day = datetime.fromtimestamp(facts.made_at, self.zone).date().isoformat()
        school = SchoolFacts(
            self.school["name"],
            "",
            facts.tiers,
            facts.grades,
            (),
            facts.networks,
            facts.rooms,
        )
        return ReportFacts(
            kind=PeriodKind.DAY,
            first=day,
            last=day,
            made_at=facts.made_at,
            time_zone=facts.time_zone,
            filterd=facts.filterd,
            audience=ReportAudience.OUTSIDE,
            scope="",
            settings=ReportSettings(self.school["code"]),
            school=school,
            categories=(),
            cells=(),
            left_out=0,
            days_missing=(),
            service=facts.service,
            handling=HandlingFacts(),
            log=LogFacts(facts.log_levels, 0, 0, 0, facts.log_full),
        )


def _payload(envelope: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(b64decode(envelope["payload"]))
    return content
