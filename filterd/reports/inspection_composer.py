# SPDX-License-Identifier: Apache-2.0
"""Compose the printed form of an inspection record, in one language. Pure.

The terminal, HTML and Word draw the same document. Its code and its foot have what identifies
the signed file, which it does not replace: paper proves nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filterd.reports.report_document import (
    BY_HAND,
    Code,
    Figure,
    Figures,
    Paragraph,
    ReportDocument,
    ReportTable,
    Section,
    TableColumn,
)
from filterd.texts import words
from filterd.texts.counted import duration, grouped
from filterd.texts.i18n import Sentence, say, say_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from filterd.reports.inspection_facts import InspectedCategory, PrintedRecord
    from filterd.reports.report_document import Cell, Part
    from filterd.texts.i18n import Texts


_ROOM_TO_SIGN = 6 * "\n"
_UPDATE = {
    "none": say_in("update", "up to date"),
    "waits": say_in("update", "an update waits"),
    "taken-back": say_in("update", "the last update was taken back"),
}
_ORIGIN = {
    "feed": say_in("origin", "signed feed"),
    "public-lists": say_in("origin", "public lists"),
    "shipped": say_in("origin", "starter lists of filterd only"),
}
_TESTED = {
    "passed": say_in("self-test", "blocked"),
    "failed": say_in("self-test", "OPEN"),
    "unknown": say_in("self-test", "not answered"),
}
_FOUND = {
    "found": say_in("finding", "found"),
    "clean": say_in("finding", "clean"),
    "unseen": say_in("finding", "unseen"),
}
_KIND = {
    "name": say_in("exception", "name"),
    "service": say_in("exception", "service"),
    "category": say_in("exception", "category"),
    "entry": say_in("exception", "entry of a list"),
    "pause": say_in("exception", "pause"),
    "exam": say_in("exception", "exam"),
}
_AUDIENCE = {
    "everybody": say_in("audience", "everybody"),
    "tier": say_in("audience", "a tier"),
    "grade": say_in("audience", "a grade"),
    "class": say_in("audience", "a class"),
    "network": say_in("audience", "a network"),
    "client": say_in("audience", "a device"),
}


def compose_inspection(
    record: PrintedRecord, texts: Texts, notes: Sequence[Sentence] = ()
) -> ReportDocument:
    """Return the document.

    Args:
        record: what it shows.
        texts: of the language.
        notes: what a verification found that does not refuse the record.
    """
    drawer = _Drawer(record, texts)
    sections = drawer.sections(notes)
    subject = texts("{school}, {time}", school=record.school["name"], time=drawer.time_made)
    return ReportDocument(
        texts.language,
        texts(say("INSPECTION RECORD")),
        subject,
        sections,
        notes=(
            texts(
                say(
                    "This printout is for reading. Only the signed file can be "
                    "verified: filterd inspect verify FILE --root ROOT."
                )
            ),
        ),
    )


class _Elements:
    """The parts of which sections are made, in one language."""

    def __init__(self, texts: Texts, zone: tzinfo) -> None:
        self._texts, self._zone = texts, zone

    def time(self, at: int | None) -> str:
        """Return a moment of the school; empty for none."""
        return "" if at is None else f"{datetime.fromtimestamp(at, self._zone):%H:%M %d/%m/%Y}"

    def word(self, known: dict[str, Sentence], key: str) -> str:
        """Return the word of a key; the key itself if it has none."""
        return self._texts(known[key]) if key in known else key

    def warning(self, id_: str, sentence: Sentence) -> Paragraph:
        """Return a paragraph that stands out."""
        return Paragraph(id_, self._texts(sentence), is_warning=True)

    def figures(self, id_: str, *rows: tuple[str, Sentence, Cell]) -> Figures:
        """Return values with their labels; empty ones are left out."""
        return Figures(
            id_,
            tuple(
                Figure(key, self._texts(label), self._cell(value))
                for key, label, value in rows
                if value != ""
            ),
        )

    def _cell(self, value: Cell) -> Cell:
        return self._texts(value) if isinstance(value, Sentence) else value

    def table(
        self,
        id_: str,
        title: Sentence,
        headings: Sequence[Sentence],
        rows: Sequence[tuple[Cell, ...]],
        numbers: Sequence[int] = (),
    ) -> ReportTable:
        """Return a table; ``numbers`` are the columns of numbers."""
        columns = tuple(
            TableColumn(self._texts(heading), at in numbers) for at, heading in enumerate(headings)
        )
        return ReportTable(id_, self._texts(title), columns, tuple(rows))


class _Drawer:
    """The sections of one record."""

    def __init__(self, record: PrintedRecord, texts: Texts) -> None:
        self._record, self._facts, self._texts = record, record.facts, texts
        elements = _Elements(texts, record.zone)
        self._time, self._word, self._warning = elements.time, elements.word, elements.warning
        self._figures, self._table = elements.figures, elements.table
        self.time_made = self._time(record.facts.made_at)

    def sections(self, notes: Sequence[Sentence]) -> tuple[Section, ...]:
        texts = self._texts
        return tuple(
            Section(id_, texts(title), tuple(parts))
            for id_, title, parts in (
                ("gateway", say("Gateway"), self._gateway(notes)),
                ("lists", say("Lists"), self._lists()),
                ("service", say("Service"), self._service()),
                ("self-test", say("Self-test"), self._self_test()),
                ("exceptions", say("Exceptions and pauses in force"), self._exceptions()),
                ("log", say("Query log"), self._log()),
                ("findings", say("Findings"), self._findings()),
                ("signature", say("Signed file"), self._signature()),
                ("signatures", say("Signatures"), self._signatures()),
            )
        )

    def _gateway(self, notes: Sequence[Sentence]) -> Iterator[Part]:
        facts, record = self._facts, self._record
        if not facts.is_time_known:
            yield self._warning("clock", say("The gateway did not know what time it was."))
        for at, note in enumerate(notes):
            yield Paragraph(f"note-{at}", self._texts(note), is_warning=True)
        enrolled = say("not enrolled")
        if record.enrolment is not None:
            begins, ends = map(self._time, record.enrolment)
            enrolled = say("from {begins} to {ends}", begins=begins, ends=ends)
        yield self._figures(
            "gateway",
            ("school", say("School"), record.school["name"]),
            ("code", say("Code of the school"), record.school["code"]),
            ("made", say("Made on"), self.time_made),
            ("enrolled", say("Enrolment by the province"), enrolled),
            ("filterd", say("Version of filterd"), facts.filterd),
            ("update", say("Updates"), self._word(_UPDATE, facts.update)),
            ("up", say("In service since the last start"), duration(facts.up_s)),
            ("policy", say("Digest of the policy"), facts.policy),
            ("history", say("Changes recorded"), facts.history.number),
            ("history-hash", say("Hash of the last change"), grouped(facts.history.hash)),
            (
                "history-sound",
                say("History"),
                say("sound") if facts.history.is_sound else say("ALTERED OR DAMAGED"),
            ),
            (
                "tiers",
                say("Tiers"),
                ", ".join(self._word(words.TIER, tier) for tier in facts.tiers),
            ),
            (
                "grades",
                say("Grades"),
                ", ".join(self._word(words.TIER, grade) for grade in facts.grades),
            ),
            ("classes", say("Number of classes"), facts.classes),
            ("networks", say("Networks"), facts.networks),
            ("rooms", say("of which rooms with a timetable"), facts.rooms),
        )

    def _lists(self) -> Iterator[Part]:
        lists, partly = self._facts.lists, self._facts.partly
        for at, sentence in enumerate(partly):
            yield self._warning(f"partly-{at}", say("Partly protected: {why}", why=sentence))
        yield self._figures(
            "lists",
            ("origin", say("Lists come from"), self._word(_ORIGIN, lists.origin)),
            ("version", say("Version"), lists.version),
            ("digest", say("Digest"), lists.digest),
            ("names", say("Names"), lists.names),
            ("built", say("Compiled on"), self._time(lists.built_at)),
            ("verified", say("Publisher last answered"), self._time(lists.verified_at)),
            ("freshness", say("Freshness"), self._word(words.FRESHNESS, lists.freshness)),
        )
        language = self._texts.language
        yield self._table(
            "categories",
            say("Categories"),
            (say("Category"), say("Names"), say("Closed to"), say("Sources")),
            [
                (
                    category.names.get(language) or category.id,
                    category.entries,
                    self._closed_to(category.closed_tiers),
                    _sources(category, self._texts),
                )
                for category in lists.categories
            ],
            numbers=(1,),
        )
        yield self._table(
            "lists-in-force",
            say("Lists in force"),
            (say("List"), say("Entries"), say("Version")),
            [(one.id, one.entries, one.version) for one in lists.lists],
            numbers=(1,),
        )

    def _closed_to(self, tiers: Sequence[str]) -> str:
        if set(tiers) == set(self._facts.tiers):
            return self._texts(say("all tiers"))
        return ", ".join(self._word(words.TIER, tier) for tier in tiers)

    def _service(self) -> Iterator[Part]:
        service = self._facts.service
        if not service.days:
            yield self._warning("no-service", say("There is no record of a whole day yet."))
            return
        expected = max(service.minutes_expected, 1)
        yield self._figures(
            "service",
            ("days", say("Days recorded, of the last 365"), service.days),
            ("days-in-service", say("of which in service"), service.days_in_service),
            ("share", say("Time in service (%)"), round(100 * service.minutes / expected, 2)),
            ("gaps", say("Gaps"), service.gap_count),
        )
        if service.days_unreadable:
            days = ", ".join(service.days_unreadable)
            yield self._warning("unreadable", say("Days without a record: {days}", days=days))
        yield self._table(
            "longest-gaps",
            say("The longest gaps"),
            (say("From"), say("To"), say("Minutes")),
            [
                (self._time(gap.begins), self._time(gap.ends), (gap.ends - gap.begins) // 60)
                for gap in service.gaps
            ],
            numbers=(2,),
        )

    def _self_test(self) -> Iterator[Part]:
        test = self._facts.self_test
        if test is None:
            yield self._warning("no-test", say("No self-test was made."))
            return
        yield self._figures(
            "test",
            ("at", say("Tested on"), self._time(test.at)),
            ("passed", say("Blocked as it must be"), test.passed),
            ("failed", say("Open that must be blocked"), test.failed),
        )
        names = {category.id: category.names for category in self._facts.lists.categories}
        language = self._texts.language
        yield self._table(
            "not-passed",
            say("What was not blocked"),
            (say("Tier"), say("Category"), say("Outcome"), say("Protocol")),
            [
                (
                    self._word(words.TIER, row.tier),
                    names.get(row.category, {}).get(language) or row.category,
                    self._word(_TESTED, row.outcome),
                    row.protocol,
                )
                for row in test.rows
                if row.outcome != "passed"
            ],
        )

    def _exceptions(self) -> Iterator[Part]:
        rows: list[tuple[Cell, ...]] = [
            (
                self._word(_KIND, exception.kind),
                self._texts(say("opens") if exception.is_open else say("closes")),
                self._word(_AUDIENCE, exception.audience),
                self._time(exception.begins),
                self._time(exception.ends),
                ", ".join(self._word(words.ROLE, role) for role in exception.roles),
            )
            for exception in self._facts.exceptions
        ]
        if not rows:
            yield Paragraph("none", self._texts(say("There is none.")))
        yield self._table(
            "exceptions",
            say("Exceptions"),
            (say("Kind"), say("Effect"), say("For"), say("From"), say("To"), say("Set by")),
            rows,
        )

    def _log(self) -> Iterator[Part]:
        yield self._table(
            "levels",
            say("Log level"),
            (say("Tier"), say("Level")),
            [
                (self._word(words.TIER, one), self._facts.log_levels.get(one, ""))
                for one in self._facts.tiers
            ],
        )
        for at, one in enumerate(self._facts.log_full):
            tier = self._word(words.TIER, one.tier) if one.tier else self._texts(say("all tiers"))
            yield self._warning(
                f"full-{at}",
                say(
                    "Every lookup of {tier} was stored from {begins} to {ends}.",
                    tier=tier,
                    begins=self._time(one.begins),
                    ends=self._time(one.ends),
                ),
            )

    def _findings(self) -> Iterator[Part]:
        for at, one in enumerate(self._facts.unmet):
            yield Paragraph(f"unmet-{at}", self._texts(one), is_warning=True)
        findings = self._facts.findings
        if findings is None:
            yield self._warning("not-examined", say("The gateway could not be examined."))
            return
        order = list(_FOUND)
        ranked = sorted(findings, key=lambda finding: _rank(order, finding.outcome))
        yield self._table(
            "findings",
            say("Examination, with the rights of the service"),
            (say("Finding"), say("About"), say("What")),
            [(self._word(_FOUND, one.outcome), one.probe, self._texts(one.text)) for one in ranked],
        )

    def _signature(self) -> Iterator[Part]:
        record = self._record
        made_at = datetime.fromtimestamp(self._facts.made_at, UTC)
        yield self._figures(
            "signature",
            ("sha256", say("Fingerprint of the file"), grouped(record.sha256)),
            ("device", say("Fingerprint of the gateway's key"), grouped(record.device)),
        )
        content = (
            f"filterd-inspection 1 {record.school['code']} {made_at:%Y-%m-%dT%H:%M:%SZ}"
            f" {record.sha256} {record.device}"
        )
        caption = say("School, time, SHA-256 of the file, gateway")
        yield Code("code", content, self._texts(caption))

    def _signatures(self) -> Iterator[Part]:
        """Yield the room in which inspector and school sign the paper."""
        room = self._texts(say("(signature, full name)")) + _ROOM_TO_SIGN
        yield self._table(
            "signatures",
            say("Place and date: {by_hand}", by_hand=2 * BY_HAND),
            (say("For the inspection"), say("For the school")),
            [(room, room)],
        )


def _sources(category: InspectedCategory, texts: Texts) -> str:
    """Return the public lists of a category, and the days of their texts."""
    if category.is_starter_only:
        return texts(say("starter list only"))
    days = dict.fromkeys(filter(None, (category.oldest, category.newest)))
    return " ".join(filter(None, (", ".join(category.sources), "…".join(days))))


def _rank(order: Sequence[str], outcome: str) -> int:
    return order.index(outcome) if outcome in order else len(order)
