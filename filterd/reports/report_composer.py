# SPDX-License-Identifier: Apache-2.0
"""Compose a report from facts and answers, or a letter to parents. Pure.

The letter is one page on what is filtered and what is kept, without figures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from filterd.overrides.descriptions import Describer
from filterd.policy.log_levels import KEPT, LogLevel
from filterd.policy.reporting_settings import ReportAudience
from filterd.reports.report_document import (
    BY_HAND,
    LEFT_OUT,
    Figure,
    Figures,
    Letterhead,
    Paragraph,
    ReportDocument,
    Section,
    Signature,
)
from filterd.reports.report_period import long_date, moment_of, period_of
from filterd.reports.report_sections import SectionMaker, blanks, full_spans
from filterd.reports.report_usage import capital
from filterd.texts import counted, words
from filterd.texts.rows import SchoolClock, Wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from filterd.reports.report_document import Part
    from filterd.reports.report_facts import CategoryFacts, ReportFacts
    from filterd.texts.i18n import Texts


def compose(facts: ReportFacts, answers: Mapping[str, str], texts: Texts) -> ReportDocument:
    """Return the document.

    Args:
        facts: of the period.
        answers: of ``report_questions.checked_answers``.
        texts: of the language.
    """
    by = Wording(texts, SchoolClock(ZoneInfo(facts.time_zone), facts.made_at))
    if facts.audience is ReportAudience.PARENTS:
        return parents_letter(facts, by)
    sections = SectionMaker(facts, answers, by).sections()
    notes = tuple(_notes(facts, by))
    if facts.scope:
        subject = texts(
            "Lookups of {scope}, {period}",
            scope=Describer(*by).grade(facts.scope),
            period=period_of(facts, texts),
        )
        return ReportDocument(texts.language, texts("REPORT"), subject, sections, notes=notes)
    settings = facts.settings
    document = ReportDocument(
        texts.language,
        texts("REPORT"),
        _subject(facts, by),
        sections,
        head=_head(facts, answers, by),
        signature=Signature(settings.capacity.upper(), settings.post.upper(), settings.signer),
        notes=notes,
        head_blanks=blanks("head", answers, by),
    )
    if facts.audience is ReportAudience.INSIDE:  # it goes to no authority
        return document
    programmes = settings.programmes_in(facts.first, facts.last)
    return replace(
        document,
        legal_bases=_legal_bases(facts, texts),
        receiver=next(
            (programme.receiver for programme in reversed(programmes) if programme.receiver), ""
        ),
        recipients=_enumerated(settings.recipients),
    )


def _subject(facts: ReportFacts, by: Wording) -> str:
    texts, period = by.texts, period_of(facts, by.texts)
    programmes = facts.settings.programmes_in(facts.first, facts.last)
    if facts.audience is ReportAudience.INSIDE or not programmes:
        return texts("Protection of children on the school's network, {period}", period=period)
    names = [programme.name for programme in programmes]
    name = names[0]
    for one in names[1:]:
        name = texts("{one} and {other}", one=name, other=one)
    return texts("Results of {programme}, {period}", programme=name, period=period)


def _head(facts: ReportFacts, answers: Mapping[str, str], by: Wording) -> Letterhead:
    texts, settings = by.texts, facts.settings
    made = long_date(f"{by.clock.shows(facts.made_at):%Y-%m-%d}", texts)
    return Letterhead(
        settings.superior.upper(),
        facts.school.name.upper(),
        texts(
            "No.: {number}/{symbol}", number=answers.get("number", BY_HAND), symbol=settings.symbol
        ),
        f"{settings.place or BY_HAND}, {made}",
    )


def _legal_bases(facts: ReportFacts, texts: Texts) -> tuple[str, ...]:
    """Return the legal bases of all programmes, each once, as lines of a preamble."""
    programmes = facts.settings.programmes_in(facts.first, facts.last)
    found = dict.fromkeys(
        basis.strip().rstrip(";.") for programme in programmes for basis in programme.legal_bases
    )
    lines = (
        one if one.startswith("Căn cứ ") else texts("Pursuant to {basis}", basis=one)
        for one in found
    )
    return _enumerated(lines)


def _enumerated(lines: Iterable[str]) -> tuple[str, ...]:
    """Return lines of a list: each ends with a semicolon, the last with a point."""
    bare = [line.strip().rstrip(";.") for line in lines]
    return tuple(f"{one}{';' if at < len(bare) else '.'}" for at, one in enumerate(bare, 1))


def _notes(facts: ReportFacts, by: Wording) -> Iterator[str]:
    texts = by.texts
    if any(cell.distinct is not None for cell in facts.cells):
        yield texts(
            "Distinct names: each blocked name is counted once for a class and day; a page that is"
            " loaded again and again adds lookups, not names. Of a tier at log level names it is"
            " counted once for the tier."
        )
    if facts.left_out and facts.audience is ReportAudience.INSIDE:
        yield texts(
            "Blocks of categories that fewer than {k} devices of a class asked for on a day are"
            " counted without their category.",
            k=facts.log.least_devices,
        )
    elif facts.left_out:
        yield texts(
            "{mark}: no answer, or a figure of fewer than {k} devices, which is not "
            "published. Totals count only the figures shown.",
            mark=LEFT_OUT,
            k=facts.log.least_devices,
        )
    yield texts(
        "An answer is one lookup of a device; a page needs several. Answers of devices are"
        " counted by tier, grade and category, without names of pupils or devices."
    )
    yield texts(
        "Figures by filterd {version}, made {when}.",
        version=facts.filterd,
        when=moment_of(facts.made_at, by.clock),
    )


_ADULTS = frozenset(("staff", "guest"))
"""Tiers that have no pupils."""


def parents_letter(facts: ReportFacts, by: Wording) -> ReportDocument:
    """Return the letter."""
    texts = by.texts
    made = long_date(f"{by.clock.shows(facts.made_at):%Y-%m-%d}", texts)
    return ReportDocument(
        texts.language,
        texts("TO PARENTS"),
        texts("The Internet filter of {school}", school=facts.school.name),
        (
            Section("closed", texts("What is closed"), tuple(_closed(facts, by))),
            Section("kept", texts("What is kept"), tuple(_kept(facts, by))),
            Section("whom", texts("People to turn to"), tuple(_whom(facts, by))),
        ),
        notes=(f"{facts.school.name}, {made}.",),
    )


def _closed(facts: ReportFacts, by: Wording) -> Iterator[Part]:
    texts = by.texts
    tiers = [one for one in facts.school.tiers if one not in _ADULTS]
    closed = [
        category
        for category in facts.categories
        if not set(tiers).isdisjoint(category.closed_tiers)
    ]
    common = [one for one in closed if set(tiers) <= set(one.closed_tiers)]
    groups = {_names(common, texts): [texts("all pupils")]}
    for tier in tiers:
        own = [one for one in closed if tier in one.closed_tiers and one not in common]
        groups.setdefault(_names(own, texts), []).append(texts.word(words.TIER, tier))
    figures = (
        Figure(f"closed-{at}", capital(", ".join(whom)), names)
        for at, (names, whom) in enumerate(groups.items(), 1)
        if names
    )
    yield Figures("closed", tuple(figures))
    opened: dict[tuple[str, ...], list[CategoryFacts]] = {}
    for one in closed:
        opened.setdefault(one.open_grades, []).append(one)
    opened.pop((), None)
    for at, (grades, found) in enumerate(opened.items(), 1):
        of_grades = ", ".join(map(Describer(*by).grade, grades))
        names = _names(found, texts)
        text = texts("Of these open to {grades}: {names}.", grades=of_grades, names=names)
        yield Paragraph(f"open-{at}", text)
    yield Paragraph(
        "limit",
        texts(
            "The filter sees names of websites, not what is on them, and only devices on the"
            " school's network. It does not work on mobile data (4G, 5G) or at home."
        ),
    )


def _names(categories: Iterable[CategoryFacts], texts: Texts) -> str:
    return ", ".join(category.names.get(texts.language, category.id) for category in categories)


def _kept(facts: ReportFacts, by: Wording) -> Iterator[Paragraph]:
    texts, log = by.texts, facts.log
    levels = {tier: one for tier, one in log.levels.items() if tier not in _ADULTS}
    for level in LogLevel:
        tiers = [texts.word(words.TIER, tier) for tier, one in levels.items() if one == level]
        if not tiers:
            continue
        kept = texts(KEPT[level], days=log.keep_days)
        is_one = len(tiers) == len(levels)
        of_tiers = f"{capital(', '.join(tiers))}: {kept}"
        yield Paragraph(f"kept-{level}", kept if is_one else of_tiers)
    yield Paragraph(
        "kept-totals",
        texts("Totals are kept for {days}.", days=counted.days(log.keep_totals_days)),
    )
    spans = list(full_spans(facts, by))
    if not spans:
        spans = [
            texts(
                "At no time was every lookup recorded: {period}.",
                period=period_of(facts, texts),
            )
        ]
    yield from (Paragraph(f"full-log-{at}", span) for at, span in enumerate(spans, 1))


def _whom(facts: ReportFacts, by: Wording) -> Iterator[Paragraph]:
    texts = by.texts
    if facts.school.contact:
        yield Paragraph("contact", texts("At school: {contact}", contact=facts.school.contact))
    yield Paragraph(
        "help-line",
        texts("Help for children: call 111, free, by day and by night."),
    )
