# SPDX-License-Identifier: Apache-2.0
"""``filterd lists``: compile lists, look at what was compiled, find a name on them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from filterd import control
from filterd.cli.context import (
    ConfigOption,
    Context,
    JsonOption,
    LangOption,
    StateOption,
    context,
)
from filterd.cli.render import grid, local_time, number
from filterd.cli.sites import open_index, qname_from, read_site
from filterd.clock import SystemClock
from filterd.errors import ControlError, StoreError
from filterd.lists.catalog import load_catalog
from filterd.lists.compiler import compile_lists
from filterd.lists.index import Index
from filterd.lists.report import CompileReport, ListReport
from filterd.lists.rules import Effect, Scope
from filterd.paths import StateFolder, install, shipped
from filterd.policy.site.compile import own_lists
from filterd.texts import Texts
from filterd.wire import name as names

app = typer.Typer(help="Compile lists, see what was compiled, find a name.", no_args_is_help=True)

_SCOPE_PREFIX = {Scope.EXACT: "=", Scope.SUBTREE: "", Scope.SUBDOMAINS: "*."}


@app.command()
def build(
    given: typer.Context,
    json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    shipped_only: Annotated[
        bool, typer.Option("--shipped-only", help="Leave out the site's own lists.")
    ] = False,
    config: ConfigOption = None,
    state: StateOption = None,
    lang: LangOption = None,
) -> None:
    """Compile the shipped lists and the site's own into the index that lookups read.

    A running daemon serves the new lists at once.
    """
    here = context(given, config, state, lang)
    report = _compile(here, shipped_only=shipped_only, show_progress=not (quiet or json))
    told = _tell_daemon(here)
    if json:
        here.print_json(report.to_json())
    elif not quiet:
        _print_report(here, report)
        here.console.print(here.texts("lists.reloaded" if told else "lists.not_running"))


@app.command()
def status(
    given: typer.Context,
    json: JsonOption = False,
    config: ConfigOption = None,
    state: StateOption = None,
    lang: LangOption = None,
) -> None:
    """Show the compiled lists: what was kept of each, and what was not and why."""
    here = context(given, config, state, lang)
    index = open_index(here)
    if json:
        here.print_json({"build": index.build, **index.report.to_json()})
        return
    here.console.print(here.texts("lists.built_at", when=local_time(index.build.get("when"))))
    _print_report(here, index.report)


@app.command()
def search(
    given: typer.Context,
    name: Annotated[str, typer.Argument(help="The name to look for, with what lies above it.")],
    json: JsonOption = False,
    config: ConfigOption = None,
    state: StateOption = None,
    lang: LangOption = None,
) -> None:
    """Find the lists that name NAME or a name above it, with the line of each entry.

    Exit code 0: found; 1: on no list.
    """
    here = context(given, config, state, lang)
    found = _entries(open_index(here), qname_from(name))
    if json:
        here.print_json(found)
    elif found:
        here.console.print(_entries_table(here, name, found))
    else:
        here.console.print(here.texts("lists.not_listed", name=name))
    raise typer.Exit(0 if found else 1)


def _compile(here: Context, *, shipped_only: bool, show_progress: bool) -> CompileReport:
    """Compile beside the index in force; that one becomes the previous."""
    catalog = load_catalog(shipped("blocklists"))
    sources = catalog.lists if shipped_only else (*catalog.lists, *own_lists(read_site(here)[0]))
    fresh = here.state.index.with_suffix(".new")
    with _progress(here, visible=show_progress) as progress:
        task = progress.add_task(here.texts("lists.compiling"), total=None)
        _make_folder(here.state)
        report = compile_lists(
            sources,
            pins=catalog.pins,
            protections=catalog.protections,
            target=fresh,
            now=SystemClock().wall(),
            progress=lambda done, total: progress.update(task, completed=done, total=total),
            problems=here.state.problems,
        )
    _activate(fresh, here.state)
    return report


def _make_folder(state: StateFolder) -> None:
    try:
        state.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{state.folder}: cannot be made: {error.strerror}") from error


def _activate(fresh: Path, state: StateFolder) -> None:
    """Put a verified index in force and keep the one before it."""
    try:
        if state.index.exists():
            kept = state.previous_index.with_suffix(".tmp")
            kept.unlink(missing_ok=True)
            os.link(state.index, kept)
            install(kept, state.previous_index)
        install(fresh, state.index)
    except OSError as error:
        raise StoreError(f"{state.index}: cannot be replaced: {error.strerror}") from error


def _progress(here: Context, *, visible: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=here.errors,
        transient=True,
        disable=not visible,
    )


def _tell_daemon(here: Context) -> bool:
    """Let a running daemon take the new lists; tell whether one does."""
    if not here.state.control_socket.exists():
        return False
    try:
        control.ask(here.state.control_socket, "reload")
    except ControlError:
        return False
    return True


def _print_report(here: Context, report: CompileReport) -> None:
    here.console.print(_report_table(here.texts, report))
    size = here.state.index.stat().st_size if here.state.index.exists() else 0
    here.console.print(
        here.texts(
            "lists.names",
            names=number(report.names),
            octets=number(size),
            seconds=round(report.seconds, 1),
            path=here.state.index,
        )
    )
    _print_reasons(here, report)


def _report_table(texts: Texts, report: CompileReport) -> Table:
    """Draw what became of each list; a column of zeros tells nothing and is left out."""
    keys = ["kept"] + [
        key
        for key in ("duplicate", "redundant", "cancelled", "refused", "set_aside", "problems")
        if any(_count(one, key) for one in report.lists)
    ]
    columns = [(texts("lists.id"), False), (texts("lists.category"), False)]
    table = grid(texts("lists.title"), columns + [(texts(f"lists.{key}"), True) for key in keys])
    for one in report.lists:
        table.add_row(one.id, one.category, *(number(_count(one, key)) for key in keys))
    return table


def _count(report: ListReport, key: str) -> int:
    value = getattr(report, key)
    return sum(value.values()) if isinstance(value, dict) else int(value)


def _print_reasons(here: Context, report: CompileReport) -> None:
    totals: dict[str, int] = {}
    for one in report.lists:
        for reason, count in (*one.refused.items(), *one.problems.items()):
            totals[reason] = totals.get(reason, 0) + count
    if not totals:
        return
    shown = ", ".join(f"{reason} {number(count)}" for reason, count in sorted(totals.items()))
    here.console.print(f"{here.texts('lists.reasons')}: {shown}")
    here.console.print(here.texts("lists.see_problems", path=here.state.problems))


def _entries(index: Index, qname: bytes) -> list[dict[str, Any]]:
    found = []
    for hit in index.lookup(qname):
        name = names.to_text(index.name(hit.rank))
        for claim_id, line in index.entries(hit.rank):
            list_index, claim = index.claims[claim_id]
            if claim.effect is Effect.MARKER:
                continue
            source = index.lists[list_index]
            found.append(
                {
                    "name": name,
                    "entry": _SCOPE_PREFIX[claim.scope] + name,
                    "effect": claim.effect.name,
                    "list": source.id,
                    "category": source.category,
                    "line": line,
                }
            )
    return found


def _entries_table(here: Context, name: str, found: list[dict[str, Any]]) -> Table:
    texts = here.texts
    headings = ("check.entry", "lists.effect", "check.list", "check.category")
    table = grid(name, [(texts(key), False) for key in headings])
    for one in found:
        where = texts("check.no_line", list=one["list"], line=one["line"])
        table.add_row(one["entry"], texts.word("effect", one["effect"]), where, one["category"])
    return table
