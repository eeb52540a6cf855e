# SPDX-License-Identifier: Apache-2.0
"""``filterd feed mistakes``: take in the files in which schools report mistakes of lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from tuf.api.metadata import Root

from filterd.appliance.inspection_record import trusted_root
from filterd.appliance.mistake_envelope import read_reports
from filterd.base.errors import FilterdError, StoreError
from filterd.base.paths import sole
from filterd.cli.context import Context, JsonOption, argument, on_named_files, option
from filterd.cli.feed.feed_review import CatalogOption, print_mistakes
from filterd.cli.named_files import read_octets
from filterd.feed.signed.trust import load_root
from filterd.lists.catalogs.catalog import load_catalog
from filterd.publish import review
from filterd.publish.mistake_inbox import INBOX, MOST_OCTETS, Inbox, SchoolReports
from filterd.publish.signed_orders import day_of
from filterd.texts import words
from filterd.texts.i18n import UNSAID, Sentence, say, translated

_MOST_FILES = 60_000
_MOST_SHOWN = 20


class TakenFile(NamedTuple):
    """What became of a file: its sender, and why it is refused; both may be missing."""

    path: Path
    found: SchoolReports | None
    reports: int = 0
    is_newer: bool = False
    why: Sentence = UNSAID


@on_named_files
def mistakes(
    here: Context,
    catalog: CatalogOption,
    files: Annotated[
        list[Path] | None,
        argument("FILE", "Files of `report-mistake --export`, or folders of them."),
    ] = None,
    root: Annotated[
        list[Path] | None,
        option("--root", "The publisher's root; repeat it for newer ones, in order.", "ROOT"),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Take in what schools report as listed by mistake, and group it by name.

    With the root, a school that its province has enrolled is one vote; all other senders
    together are one. Decide with `feed review`. Exit code 0: all was taken; 1: a file was
    refused, the others were taken; 2: an error.
    """
    load_catalog(catalog)
    trusted = trusted_root([load_root(one) for one in root]) if root else None
    now = here.clock.wall()
    with sole(catalog / f".{INBOX}.lock", otherwise=say("another command reads the reports")):
        inbox = Inbox(catalog)
        kept = _kept(inbox, trusted, now)
        taken = [_take(inbox, kept, path, trusted, now) for path in _paths(files or ())]
        review.write_mistakes(catalog, review.grouped(kept.values(), now))
    waiting = review.read_mistakes(catalog, day_of(now))
    refused = [one for one in taken if one.found is None]
    if json:
        here.print_json(
            {
                "files": [_plain(one) for one in taken],
                "waiting": [one.model_dump(mode="json") for one in waiting],
            }
        )
    else:
        _print(here, taken)
        print_mistakes(here, waiting, everything=False)
    raise typer.Exit(1 if refused else 0)


def _kept(inbox: Inbox, root: Root | None, now: float) -> dict[Path, SchoolReports]:
    """Return the content of the inbox; a kept file that is damaged is left out."""
    found = dict[Path, SchoolReports]()
    for path in inbox.paths():
        try:
            read = read_reports(read_octets(path, MOST_OCTETS), root, now)
            found[path] = review.of_first_names(read)
        except FilterdError:
            continue
    return found


def _paths(given: Iterable[Path]) -> Iterator[Path]:
    """Yield files, those of folders in the order of their names.

    Raises:
        StoreError: there are too many.
    """
    n = 0
    for one in given:
        for path in sorted(each for each in one.iterdir()) if one.is_dir() else [one]:
            if path.is_dir():
                continue
            n += 1
            if n > _MOST_FILES:
                raise StoreError(say("more than {most} files", most=_MOST_FILES))
            yield path


def _take(
    inbox: Inbox, kept: dict[Path, SchoolReports], path: Path, root: Root | None, now: float
) -> TakenFile:
    """Keep one file; what is wrong with it stops no other."""
    try:
        octets = read_octets(path, MOST_OCTETS)
        found = read_reports(octets, root, now)
        target = inbox.path_of(found)
        is_newer = inbox.keep(octets, found, kept.get(target))
    except FilterdError as error:
        return TakenFile(path, None, why=error.sentence)
    n, found = len(found.reports), review.of_first_names(found)
    if is_newer:
        kept[target] = found
    return TakenFile(path, found, n, is_newer)


def _plain(file: TakenFile) -> dict[str, Any]:
    found = file.found
    if found is None:
        return {"file": str(file.path), "standing": None, "why": str(file.why)}
    return {
        "file": str(file.path),
        "standing": found.standing.value,
        "why": str(found.doubt),
        "code": found.code,
        "school": found.school,
        "device": found.sender,
        "reports": file.reports,
        "is_newer": file.is_newer,
    }


def _print(here: Context, taken: list[TakenFile]) -> None:
    texts = here.texts
    for one in taken[:_MOST_SHOWN]:
        if (found := one.found) is None:
            why = translated(one.why, texts.language)
            here.warn(say("warning: {file} is not taken: {why}", file=one.path, why=why))
            continue
        key = (
            say("{file}: {school}, {standing}; reports: {n}")
            if one.is_newer
            else say("{file}: {school}, {standing}; older than the file that is kept")
        )
        line = texts(
            key,
            file=one.path.name,
            school=f"{found.school} ({found.code or '-'})",
            n=one.reports,
            standing=texts.word(words.SENDER, found.standing.value),
        )
        here.console.print(line, markup=False)
    if (left := len(taken) - _MOST_SHOWN) > 0:
        here.print(say("... and {n} more (--json shows all)", n=left))
