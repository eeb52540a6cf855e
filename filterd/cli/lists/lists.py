# SPDX-License-Identifier: Apache-2.0
"""``filterd lists``: compile lists, look at what was compiled, find a name on them."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from filterd.base.errors import ConfigError, IndexFormatError, StoreError
from filterd.cli.context import Context, JsonOption, argument, option
from filterd.cli.effective_state import read_or_send
from filterd.cli.lists import popular
from filterd.cli.offline_site import open_index
from filterd.cli.render import facts, listed, show, titled
from filterd.cli.school_clock import school_clock, wording_of
from filterd.cli.terminal import bar
from filterd.daemon.feed_port import ControlDaemon
from filterd.feed import index_build
from filterd.feed.feed_details import starter_warning
from filterd.lists.catalogs.catalog import load_categories
from filterd.lists.catalogs.catalog_tables import load_popular_names
from filterd.lists.category_coverage import COVERAGE, SHARES
from filterd.lists.index import Index
from filterd.lists.index_files import blocklists_in_force
from filterd.lists.list_queries import (
    ENTRIES,
    NOT_TAKEN,
    entries_of,
    not_taken_rows,
    overview,
    report_listing,
    single_hosts,
)
from filterd.lists.report import CompileReport
from filterd.operations.lists import FindEntries, ReadLists
from filterd.overrides.target_text import qname_from
from filterd.texts import counted
from filterd.texts.i18n import say


def build(
    here: Context,
    json: JsonOption = False,
    quiet: Annotated[bool, option("--quiet", "Print nothing but errors.")] = False,
    shipped_only: Annotated[
        bool, option("--shipped-only", "Leave out the site's own lists.")
    ] = False,
    no_reload: Annotated[bool, option("--no-reload", "Do not reload the running daemon.")] = False,
) -> None:
    """Compile the lists into the index that lookups read.

    These are the lists that ship with filterd and the site's own. A running daemon serves the
    new index at once. Exit code 0: done; 2: an error.
    """
    watched, before = load_popular_names(), _index_or_none(here)
    report = build_index(here, shipped_only=shipped_only, show_progress=not (quiet or json))
    _warn_of_empty(here, report)
    closed = popular.newly_closed(here, watched, before)
    popular.warn(here, closed)
    index = open_index(here)
    hosts = _locked_only(here, single_hosts(index.lists, index.claims), report)
    is_served = not no_reload and ControlDaemon(here.state.control_socket).tell()
    if json:
        more = {"popular_closed": popular.plain(closed), "single_hosts": hosts}
        here.print_json(report.to_plain() | more)
    elif not quiet:
        _print_report(here, report, here.state.index.stat().st_size, hosts)
        here.print(say("Compiled in {seconds} s", seconds=f"{report.seconds:.1f}"))
        if not no_reload:
            here.print(
                say("The daemon serves them now.")
                if is_served
                else say("The daemon is not running; it will serve them when it starts.")
            )


def status(
    here: Context,
    json: JsonOption = False,
) -> None:
    """Show how much of each list was kept, what was rejected, and why.

    Exit code 0: shown; 2: an error.
    """
    answer = read_or_send(here, lambda: overview(open_index(here)), ReadLists())
    build, octets, hosts = answer.pop("build"), answer.pop("octets"), answer.pop("single_hosts", [])
    covered = answer.pop("coverage", [])
    report = CompileReport.from_plain(answer)
    hosts = _locked_only(here, hosts, report)
    if json:
        here.print_json({"build": build, "single_hosts": hosts, "coverage": covered, **answer})
        return
    when = school_clock(here).text(build.get("when"))
    here.print(say("Compiled at {when}", when=when))
    _print_report(here, report, octets, hosts)


def report(
    here: Context,
    json: JsonOption = False,
) -> None:
    """Show what each public list adds, and how far each category is covered.

    Of a list: its names, those that no other public list of its category has, entries that were
    left out as protected or popular, popular names that it closes, the day of its text. Exit
    code 0: shown; 2: an error.
    """
    answer = read_or_send(here, lambda: overview(open_index(here)), ReadLists())
    shares, covered = answer["build"].get("sources", []), answer.get("coverage", [])
    if json:
        here.print_json({"sources": shares, "coverage": covered})
        return
    show(here, SHARES, shares, json=False)
    show(here, COVERAGE, covered, json=False)


def search(
    here: Context,
    name: Annotated[
        str, argument("NAME", "The name to look for; the names above it are included.")
    ],
    json: JsonOption = False,
) -> None:
    """Find the lists that name NAME or a name above it.

    Each match is shown with the line of its entry. Exit code 0: found; 1: on no list; 2: an
    error.
    """
    qname = qname_from(name)
    found = read_or_send(here, lambda: entries_of(open_index(here), qname), FindEntries(name=qname))
    none = ENTRIES.none.filled({"name": name})
    show(here, ENTRIES._replace(title=say("{name}", name=name), none=none), found, json=json)
    raise typer.Exit(0 if found else 1)


def _warn_of_empty(here: Context, report: CompileReport) -> None:
    """Warn of lists that have lines and yield no entry.

    An error page saved as a list would otherwise open its category unnoticed. It is only
    a warning: a list of element hiding alone is valid and yields none.
    """
    for one in report.lists:
        if not one.kept and (one.problems or one.refused):
            here.warn(
                say(
                    "warning: {list}: none of its {lines} lines can be used; check the file and"
                    " `format`",
                    list=one.id,
                    lines=one.lines,
                )
            )


def _index_or_none(here: Context) -> Index | None:
    with suppress(StoreError, IndexFormatError):
        return open_index(here)
    return None


def _locked_only(here: Context, hosts: list[str], report: CompileReport) -> list[str]:
    """Return those of these lists that are of a locked category, which covers whole sites."""
    try:
        categories = load_categories(blocklists_in_force(here.state).folder)
    except ConfigError:  # damaged tables, which this command need not report
        return []
    locked = {category.id for category in categories if category.locked}
    return [one.id for one in report.lists if one.id in hosts and one.category in locked]


def _print_report(here: Context, report: CompileReport, octets: int, hosts: list[str]) -> None:
    """Print the counts of each list, the sums, and why entries were not taken.

    Args:
        here: the console.
        report: the counts of the lists.
        octets: the size of the index.
        hosts: ids of lists of locked categories that name single hosts only.
    """
    texts, wording = here.texts, wording_of(here)
    here.console.print(listed(wording, *report_listing(report)))
    size = counted.size(octets)
    here.print(say("{names}, {size}", names=counted.names(report.names), size=size))
    if reasons := not_taken_rows(report):
        rows = ([column.cell(row, wording)[0] for column in NOT_TAKEN.columns] for row in reasons)
        here.console.print(titled(texts(NOT_TAKEN.title), facts(rows)))
        here.print(say("All rejected lines: {path}", path=here.state.problems), whole=True)
    if hosts:
        here.print(
            say(
                "These lists block single hosts only, so names beneath them stay open although"
                " the category is locked: {lists}. If a list means whole domains, add `subtrees:"
                " true` to it.",
                lists=", ".join(hosts),
            ),
            whole=True,
        )
    in_force = [(one.id, one.category) for one in report.lists if one.kept]
    if warning := starter_warning(in_force, wording):
        here.console.print(warning, style="yellow")


def build_index(here: Context, *, shipped_only: bool, show_progress: bool) -> CompileReport:
    """Compile the lists and put them in force, with a bar; see ``index_build``."""
    with bar(here, here.texts("Compiling lists"), visible=show_progress, octets=True) as progress:
        return index_build.build_index(
            here.config, here.state, here.clock, shipped_only=shipped_only, progress=progress
        )
