# SPDX-License-Identifier: Apache-2.0
"""Hold the facts of an inspection record; read its file for printing. Pure.

They have no name that was looked up, no address and no person: an author of an exception is
there by roles, and texts of findings and errors without the texts that were filled in.

Nothing is verified here: the manager has just signed the file, or ``inspect verify`` has
verified it (``appliance.inspection_record``).
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import field
from datetime import datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from filterd.base.errors import EnvelopeFormatError
from filterd.base.state_file import ADDED, Decoders, to_plain
from filterd.base.value_class import frozen
from filterd.policy.reporting_settings import PeriodKind, ReportAudience, ReportSettings
from filterd.reports.report_facts import (
    FullLogSpan,
    HandlingFacts,
    LogFacts,
    ReportFacts,
    SchoolFacts,
    ServiceFacts,
    ServiceGap,
)
from filterd.texts.i18n import Sentence, catalogue, say

HIDDEN = "…"
"""In the place of a text that was filled in."""

INSPECTION_TYPE = "application/vnd.filterd.inspection+json"
MOST_OCTETS = 4 << 20
"""Of the file of a record."""

_HAS_WORDS = re.compile(r"\w(?![^{]*\})").search
_is_amount = re.compile(r"[0-9\u202f]{1,15}( (k|B|kB|MB|GB))?").fullmatch
"""As ``counted`` writes numbers and sizes; an address has a point or a colon."""
_LONGEST = 2_000
_LATEST = 253_402_214_400
"""The last day of the year 9999, in any time zone."""
_MOST_ROWS = 5_000
"""Of a list: what a terminal shows in seconds."""


@frozen
class InspectedList:
    """A list in force; ``version`` are digits of its SHA-256, ``is_own`` of the feed."""

    id: str
    category: str
    entries: int
    version: str
    is_own: bool


@frozen
class InspectedCategory:
    """A category: its names, the entries in force, the tiers to which it is closed.

    ``sources`` are ids of the public lists in it, ``oldest`` and ``newest`` the days of their
    texts; ``is_starter_only``: it has no list but those that ship.
    """

    id: str
    names: dict[str, str]
    entries: int
    is_locked: bool
    closed_tiers: tuple[str, ...]
    sources: tuple[str, ...] = field(default=(), metadata={ADDED: True})
    oldest: str = field(default="", metadata={ADDED: True})
    newest: str = field(default="", metadata={ADDED: True})
    is_starter_only: bool = field(default=False, metadata={ADDED: True})


@frozen
class InspectedLists:
    """All lists in force.

    Attributes:
        names: that they close.
        version: of the feed, empty for lists that come from nowhere.
        origin: ``feed``, ``public-lists`` or ``shipped``.
        built_at: Unix time of the compilation.
        verified_at: Unix time at which the publisher last answered; None for never.
        freshness: as ``feed.standing.Freshness``.
        digest: digits that identify the content.
    """

    names: int
    version: str
    origin: str
    built_at: int
    verified_at: int | None
    freshness: str
    digest: str
    lists: tuple[InspectedList, ...] = ()
    categories: tuple[InspectedCategory, ...] = ()


@frozen
class TestedCategory:
    """The outcome of a lookup of a listed name, as a device of this tier asks it."""

    tier: str
    category: str
    outcome: str
    protocol: str


@frozen
class SelfTestFacts:
    """The last self-test through the sockets that devices ask."""

    at: int
    passed: int
    failed: int
    rows: tuple[TestedCategory, ...] = ()


@frozen
class InspectedException:
    """An exception, a pause or an exam in force, without its target.

    Attributes:
        kind: of the target, or ``pause`` or ``exam``.
        is_open: whether it opens.
        audience: the kind of those for whom it is: tier, grade, class, network, client.
        begins, ends: Unix times; None for no end.
        roles: of its author; none where the account is gone.
    """

    kind: str
    is_open: bool
    audience: str
    begins: int
    ends: int | None
    roles: tuple[str, ...]


@frozen
class HistoryHead:
    """The last change of the history, and whether all before it fit."""

    number: int
    hash: str
    is_sound: bool


@frozen
class InspectedFinding:
    """A finding of ``filterd doctor``: the id of the probe, the outcome, the text."""

    probe: str
    outcome: str
    text: Sentence


@frozen
class InspectionFacts:
    """All facts of a record.

    Attributes:
        made_at: Unix time.
        is_time_known: whether the gateway knows what time it is.
        time_zone: IANA.
        filterd: the version of the program.
        update: the standing of updates: ``none``, ``waits`` or ``taken-back``.
        up_s: since the start.
        policy: digest of the policy in force.
        tiers, grades: of the site, in order.
        classes, networks, rooms: how many; ``rooms`` are networks with a timetable.
        service: days in service and gaps of the last 365 days that are over.
        self_test: None where none was made.
        log_levels: by tier.
        log_full: times in which the log had every lookup.
        unmet: expectations that the site does not meet, and other doubts of a reload.
        findings: None where they could not be had.
        partly: why the gateway protects only partly (``protection_level``); none where it does
            wholly, and in records of earlier releases.
    """

    made_at: int
    is_time_known: bool
    time_zone: str
    filterd: str
    update: str
    up_s: int
    policy: str
    tiers: tuple[str, ...]
    grades: tuple[str, ...]
    classes: int
    networks: int
    rooms: int
    lists: InspectedLists
    service: ServiceFacts
    self_test: SelfTestFacts | None
    exceptions: tuple[InspectedException, ...]
    history: HistoryHead
    log_levels: dict[str, str]
    log_full: tuple[FullLogSpan, ...] = ()
    unmet: tuple[Sentence, ...] = ()
    findings: tuple[InspectedFinding, ...] | None = None
    partly: tuple[Sentence, ...] = field(default=(), metadata={ADDED: True})


def without_texts(sentence: Sentence) -> Sentence:
    """Return a sentence whose numbers stay, and whose other values are ``HIDDEN``.

    They may be names, addresses or persons. So may a text of another program, which is in no
    catalogue.
    """
    template = sentence.template
    if _HAS_WORDS(template) and catalogue("vi").gettext(template) == template:
        return Sentence(HIDDEN)
    return sentence.filled(
        {
            name: without_texts(value)
            if isinstance(value, Sentence)
            else value
            if not isinstance(value, str) or _is_amount(value)
            else HIDDEN
            for name, value in sentence.values.items()
        }
    )


_read = Decoders(
    {
        one.__name__: one
        for one in (
            FullLogSpan,
            HistoryHead,
            InspectedCategory,
            InspectedException,
            InspectedFinding,
            InspectedList,
            InspectedLists,
            SelfTestFacts,
            ServiceFacts,
            ServiceGap,
            TestedCategory,
        )
    }
).of(InspectionFacts)


def facts_of(plain: dict[str, Any]) -> InspectionFacts:
    """Return the facts of plain data.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the data is none that ``plain_of``
            makes, or has a number that is neither a count nor a time, or a text or list that
            is too long.
    """
    _check_bounds(plain)
    facts: InspectionFacts = _read(plain)
    return facts


def _check_bounds(value: Any) -> None:
    inner: Any = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        if len(value) > _MOST_ROWS:
            raise ValueError
        for one in inner:
            _check_bounds(one)
    elif isinstance(value, str):
        if len(value) > _LONGEST:
            raise ValueError
    elif isinstance(value, int) and not 0 <= value <= _LATEST:
        raise ValueError


def plain_of(facts: InspectionFacts) -> dict[str, Any]:
    """Return the facts as plain data."""
    plain: dict[str, Any] = to_plain(facts)
    return plain


_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, RecursionError)


@frozen
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
                facts_of(content["facts"]),
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
        return plain_of(self.facts)

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
            left_out=False,
            days_missing=(),
            service=facts.service,
            handling=HandlingFacts(),
            log=LogFacts(facts.log_levels, 0, 0, 0, facts.log_full),
        )


def _payload(envelope: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(b64decode(envelope["payload"]))
    return content
