# SPDX-License-Identifier: Apache-2.0
"""Write to parents what is filtered and what is kept: one page, no figures. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd import counted, words
from filterd.overrides.descriptions import Teller
from filterd.policy.log_levels import KEPT, LogLevel
from filterd.reports.report_dates import long_date, period_of
from filterd.reports.report_document import Figure, Figures, Paragraph, ReportDocument, Section
from filterd.reports.report_sections import full_spans
from filterd.reports.report_usage import capital

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.i18n import Texts
    from filterd.reports.report_document import Part
    from filterd.reports.report_facts import CategoryFacts, ReportFacts
    from filterd.rows import Wording

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
            Section("whom", texts("Whom to turn to"), tuple(_whom(facts, by))),
        ),
        notes=(f"{facts.school.name}, {made}.",),
    )


def _closed(facts: ReportFacts, by: Wording) -> Iterator[Part]:
    texts = by.texts
    tiers = [one for one in facts.school.tiers if one not in _ADULTS]
    closed = [one for one in facts.categories if not set(tiers).isdisjoint(one.closed_tiers)]
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
        of_grades = ", ".join(map(Teller(*by).grade, grades))
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
    return ", ".join(one.names.get(texts.language, one.id) for one in categories)


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
                "Single lookups of all pages were not recorded in: {period}.",
                period=period_of(facts, texts),
            )
        ]
    yield from (Paragraph(f"full-log-{at}", one) for at, one in enumerate(spans, 1))


def _whom(facts: ReportFacts, by: Wording) -> Iterator[Paragraph]:
    texts = by.texts
    if facts.school.contact:
        yield Paragraph("contact", texts("At school: {contact}", contact=facts.school.contact))
    yield Paragraph(
        "help-line",
        texts("Help for children: call 111, free, by day and by night."),
    )
