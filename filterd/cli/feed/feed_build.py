# SPDX-License-Identifier: Apache-2.0
"""``filterd feed build`` and ``diff``: make a version of the feed, compare it with another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, NamedTuple

import typer

from filterd.base.errors import ConfigError, ConfigErrors, GuardError
from filterd.base.paths import sole
from filterd.cli.context import Context, JsonOption, Options, argument, on_named_files, option
from filterd.cli.feed.feed_review import CatalogOption
from filterd.cli.render import listed, show
from filterd.cli.school_clock import school_clock
from filterd.cli.terminal import bar
from filterd.feed.followed.sources import (
    SourceFolder,
    SourceOutcome,
    SourceReport,
    counted,
    fetch_sources,
    read_sources,
)
from filterd.feed.followed.version_content import POPULAR
from filterd.lists.catalogs.catalog import Catalog, load_catalog
from filterd.lists.top_names import Popular, read_popular
from filterd.publish.evidence import EvidenceReport, inspect
from filterd.publish.publication import Published
from filterd.publish.review import BuiltMistakes
from filterd.publish.signed_orders import day_of
from filterd.publish.version_build import BuildReport, build_version, publishable
from filterd.publish.version_diff import SAMPLES, Differences, differences
from filterd.publish.version_rows import CATEGORIES, CHANGES, POPULAR_CHANGES, SOURCES
from filterd.texts.counted import number
from filterd.texts.i18n import say, translated
from filterd.texts.rows import Wording

_NOT_TAKEN = (SourceOutcome.KEPT, SourceOutcome.MISSING)
_MOST_WARNINGS = 10


PopularOption = Annotated[
    Path | None,
    option("--popular", "Popular names, the most popular first, one a line.", "FILE"),
]


class BuildPaths(NamedTuple):
    """The folders of a build; ``given``: the folder to read sources from, not the web."""

    catalog: Path
    out: Path
    sources: Path
    given: Path | None
    popular: Path | None
    previous: Path | None


def _places(
    catalog: CatalogOption,
    out: Annotated[Path, option("--out", "Folder of the version; it is made or replaced.", "DIR")],
    popular: PopularOption = None,
    from_folder: Annotated[
        Path | None,
        option(
            "--from-folder",
            "Read the sources from this folder, as ID.txt (default: from the web).",
            "DIR",
        ),
    ] = None,
    sources: Annotated[
        Path | None,
        option("--sources", "Folder of the last good texts (default: sources/ beside it).", "DIR"),
    ] = None,
    previous: Annotated[
        Path | None,
        option("--previous", "The version to compare with (default: the last build).", "DIR"),
    ] = None,
) -> BuildPaths:
    """Return the folders of the options."""
    texts = sources or out.absolute().parent / "sources"
    return BuildPaths(catalog, out, texts, from_folder, popular, previous)


@on_named_files
def build(
    here: Context,
    places: Annotated[BuildPaths, Options(_places)],
    accept: Annotated[
        bool, option("--accept", "Write the version although it changes unusually much.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Build a version of the feed from the catalogue and its sources.

    A source that fails, or whose content looks wrong, keeps its last good text; one that may not
    be published again is left out. A version that
    changes unusually much is not written until it is accepted. Exit code 0: written; 1:
    written, but a source failed; 50: held, not written; 2: an error, the last build stays.
    """
    if places.given is not None and not places.given.is_dir():
        raise ConfigError(
            say("there is no folder {folder}", folder=places.given), hint=say("check --from-folder")
        )
    catalog = publishable(load_catalog(places.catalog))
    evidence = inspect(places.catalog, catalog)
    if evidence.problems:
        raise ConfigErrors(evidence.problems)
    popular = read_popular(places.popular)
    busy = say("another build is running")
    with sole(places.sources / ".lock", otherwise=busy):
        sources = _take(here, places, catalog)
        report = _make(here, places, catalog, sources, popular, accept=accept)
    if json:
        code = {} if report.written else {"code": GuardError.code}
        here.print_json({**_plain(places, sources, report), **code})
    else:
        _print(here, places, catalog, sources, report)
    _warn_of_reviews(here, catalog)
    _warn_of_evidence(here, evidence)
    if not report.written:
        held = GuardError(
            say(
                "the version is held: {why}; check it, then write it with `--accept`",
                why=report.held[0],
            )
        )
        held.is_printed = json
        raise held
    raise typer.Exit(1 if any(source.outcome in _NOT_TAKEN for source in sources) else 0)


def _warn_of_reviews(here: Context, catalog: Catalog) -> None:
    """Warn of categories whose age, label and legal basis are due for review."""
    today = day_of(here.clock.wall())
    for category in catalog.categories:
        if category.review_date and category.review_date <= today:
            here.warn(
                say(
                    "warning: the review of category {category} (age, label, legal basis) was due"
                    " on {date}",
                    category=category.id,
                    date=category.review_date,
                )
            )


def _warn_of_evidence(here: Context, evidence: EvidenceReport) -> None:
    """Warn of entries of own lists that a person has to look at again."""
    due = evidence.due(day_of(here.clock.wall()))
    for one in due[:_MOST_WARNINGS]:
        here.warn(
            say(
                "warning: {place}: the evidence of {name} is of {date}; look at it again",
                place=one.place,
                name=one.name,
                date=one.seen,
            )
        )
    if left := len(due[_MOST_WARNINGS:]):
        here.warn(say("warning: look again at the evidence of {n} more", n=left))


def _take(here: Context, places: BuildPaths, catalog: Catalog) -> tuple[SourceReport, ...]:
    folder = SourceFolder(places.sources)
    with bar(here, here.texts("Taking sources")) as progress:
        if places.given is not None:
            return read_sources(catalog.sources, folder, places.given, progress=progress)
        return fetch_sources(catalog.sources, folder, here.clock, progress=progress)


def _make(
    here: Context,
    places: BuildPaths,
    catalog: Catalog,
    sources: tuple[SourceReport, ...],
    popular: Popular,
    *,
    accept: bool,
) -> BuildReport:
    folder = SourceFolder(places.sources)
    good = {source.id for source in sources if source.outcome is not SourceOutcome.MISSING}
    texts = {source.id: folder.text(source.id) for source in catalog.sources if source.id in good}
    last = places.previous or (places.out if (places.out / "catalog.yaml").exists() else None)
    with bar(here, here.texts("Building")) as progress:
        return build_version(
            places.catalog,
            texts,
            places.out,
            today=day_of(here.clock.wall()),
            popular=popular,
            previous=last,
            accepted=accept,
            progress=progress,
        )


def _plain(
    places: BuildPaths, sources: tuple[SourceReport, ...], report: BuildReport
) -> dict[str, Any]:
    return {
        "folder": str(places.out),
        "written": report.written,
        "held": [str(one) for one in report.held],
        "outcomes": {str(outcome): n for outcome, n in counted(sources).items()},
        "sources": [
            {
                "id": source.id,
                "outcome": str(source.outcome),
                "reason": str(source.reason),
                "entries": source.entries,
                "problems": source.problems,
                "octets": source.octets,
            }
            for source in sources
        ],
        "categories": {
            category: {
                "names": one.names,
                "popular": {str(rank): name for rank, name in sorted(one.popular.items())},
                "set_aside": one.set_aside,
                "redundant": one.redundant,
                "single_hosts": one.single_hosts,
            }
            for category, one in report.categories.items()
        },
        "mistakes": {
            "left_out": report.mistakes.left_out,
            "listed": dict(report.mistakes.listed),
            "waiting": report.mistakes.waiting,
        },
        "lookalikes": {
            "rules": report.rules,
            "waiting": report.waiting,
            "errors": [error._asdict() | {"names": list(error.names)} for error in report.errors],
        },
        "lists": [
            {"id": one.id, "category": one.category, "entries": one.entries} for one in report.lists
        ],
    }


def _print(
    here: Context,
    places: BuildPaths,
    catalog: Catalog,
    sources: tuple[SourceReport, ...],
    report: BuildReport,
) -> None:
    texts, plain = here.texts, _plain(places, sources, report)
    if sources:
        categories = {source.id: source.category for source in catalog.sources}
        show(
            here, SOURCES, [{**one, "category": categories[one["id"]]} for one in plain["sources"]]
        )
    refused = [source for source in sources if source.reason]
    for one in refused[:_MOST_WARNINGS]:
        why = translated(one.reason, texts.language)
        here.warn(say("warning: not taken: {why}", why=why))
    if left := len(refused[_MOST_WARNINGS:]):
        here.warn(say("warning: not taken: and {n} more (--json shows all)", n=left))
    _print_categories(here, report, plain)
    if report.rules or report.waiting:
        rules, waiting = number(report.rules), number(report.waiting)
        here.print(
            say(
                "Look-alike rules: {rules} in force, {waiting} wait for a decision (feed review)",
                rules=rules,
                waiting=waiting,
            )
        )
    _print_mistakes(here, report.mistakes)
    for reason in report.held:
        key = (
            say("warning: accepted and written: {why}")
            if report.written
            else say("warning: held: {why}")
        )
        held = texts(key, why=translated(reason, texts.language))
        here.errors.print(held, style="yellow")
    if report.written:
        here.print(say("Written to {folder}", folder=places.out), whole=True)


def _print_mistakes(here: Context, mistakes: BuiltMistakes) -> None:
    """Print what was done with names that schools have reported."""
    if mistakes.left_out or mistakes.waiting:
        here.print(
            say(
                "Reported mistakes: {n} left out, {waiting} wait for a decision (feed review)",
                n=number(len(mistakes.left_out)),
                waiting=number(mistakes.waiting),
            )
        )
    for name, list_id in mistakes.listed[:_MOST_WARNINGS]:
        here.warn(
            say(
                "warning: {name} was accepted as a mistake, but {list} still closes it;"
                " correct it there",
                name=name,
                list=list_id,
            )
        )


def _print_categories(here: Context, report: BuildReport, plain: dict[str, Any]) -> None:
    """Print what each category closes, and which sources of it name single hosts only."""
    texts, console = here.texts, here.console
    rows = [
        {"id": category, **made}
        for category, made in plain["categories"].items()
        if made["names"] or made["set_aside"]
    ]
    console.print(listed(Wording(texts, school_clock(here)), CATEGORIES, rows))
    if hosts := [each for one in report.categories.values() for each in one.single_hosts]:
        here.print(
            say(
                "These lists block single hosts only, so names beneath them stay open although"
                " the category is locked: {lists}. If a list means whole domains, add `subtrees:"
                " true` to it.",
                lists=", ".join(hosts),
            ),
            whole=True,
        )


@on_named_files
def diff(
    here: Context,
    old: Annotated[str, argument("V1", "Folder of a version, or its number with --repo.")],
    new: Annotated[str, argument("V2", "The version to compare with it.")],
    repository: Annotated[
        Path | None, option("--repo", "The publication that contains both versions.", "DIR")
    ] = None,
    popular: PopularOption = None,
    names: Annotated[
        bool, option("--names", "Show the first names of each category as well.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show what changes between two versions, and for whom.

    Shows changes by category, and popular names that are newly closed or opened, by rank. The
    grades follow from the ages in the feed, not from settings of schools. Exit code 0: nothing
    differs; 1: something does; 2: an error.
    """
    with _folders(repository, old, new) as (a, b), bar(here, here.texts("Comparing")) as progress:
        found = differences(a, b, _popular(popular, a, b), progress=progress)
    if json:
        here.print_json(found.to_json())
    else:
        _print_differences(here, found, names=names)
    is_same = not (found.categories or found.popular or found.tables)
    raise typer.Exit(0 if is_same else 1)


@contextmanager
def _folders(repository: Path | None, *asked: str) -> Iterator[list[Path]]:
    if repository is None:
        yield list(map(Path, asked))
        return
    published = Published(repository)
    known = [version for version in published.versions() if published.targets(version)]
    for number_ in asked:
        if not number_.isdecimal() or int(number_) not in known:
            raise ConfigError(
                say("version '{number}' is not here", number=number_),
                hint=say("known: {known}", known=", ".join(map(str, known)) or "-"),
            )
    with TemporaryDirectory(prefix="filterd-diff-") as made:
        contents = dict[str, Path]()
        yield [
            published.unpack(int(one), Path(made) / side, contents)
            for side, one in zip(("old", "new"), asked, strict=True)
        ]


def _popular(given: Path | None, old: Path, new: Path) -> Popular:
    """Return the given popular names, else those of a version."""
    if given is not None:
        return read_popular(given)
    carried = [one / POPULAR for one in (new, old) if (one / POPULAR).is_file()]
    return read_popular(carried[0]) if carried else Popular()


def _print_differences(here: Context, found: Differences, *, names: bool) -> None:
    console, plain = here.console, found.to_json()
    if not (found.categories or found.popular or found.tables):
        here.print(say("No difference."))
        return
    if found.categories:
        show(here, CHANGES, plain["categories"])
    for one in found.categories if names else ():
        _print_names(here, "+", one.id, one.added_names, one.added)
        _print_names(here, "-", one.id, one.removed_names, one.removed)
    if found.popular:
        show(here, POPULAR_CHANGES, plain["popular"])
    for kind, (added, removed) in found.tables.items():
        console.print(f"{kind}.yaml", style="bold")
        _print_names(here, "+", "", added[:SAMPLES], len(added))
        _print_names(here, "-", "", removed[:SAMPLES], len(removed))
    here.print(say("By the ages in the feed; a school may have other settings."), "dim")


def _print_names(here: Context, sign: str, where: str, names: Sequence[str], count: int) -> None:
    """Print names, a line each for scripts, and the number left out."""
    start = " ".join(filter(None, (sign, where)))
    for name in names:
        here.console.print(f"{start} {name}", soft_wrap=True)
    if left := count - len(names):
        here.print(say("{start} ... and {n} more", start=start, n=number(left)))
