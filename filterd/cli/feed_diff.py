# SPDX-License-Identifier: Apache-2.0
"""``filterd feed diff``: what changes from one version to another, and for whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from filterd.cli.context import Context, JsonOption, argument, on_named_files, option
from filterd.cli.feed_build import PopularOption
from filterd.cli.progress_bar import bar
from filterd.cli.render import show
from filterd.counted import number
from filterd.errors import ConfigError
from filterd.feed.version_content import POPULAR
from filterd.i18n import say
from filterd.lists.top_names import Popular, read_popular
from filterd.publish.publication import Published
from filterd.publish.version_diff import SAMPLES, Differences, differences
from filterd.publish.version_rows import CHANGES, POPULAR_CHANGES


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
        _print(here, found, names=names)
    is_same = not (found.categories or found.popular or found.tables)
    raise typer.Exit(0 if is_same else 1)


@contextmanager
def _folders(repository: Path | None, *asked: str) -> Iterator[list[Path]]:
    if repository is None:
        yield list(map(Path, asked))
        return
    published = Published(repository)
    known = [one for one in published.versions() if published.targets(one)]
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


def _print(here: Context, found: Differences, *, names: bool) -> None:
    texts, console, plain = here.texts, here.console, found.to_json()
    if not (found.categories or found.popular or found.tables):
        console.print(texts("No difference."))
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
    console.print(texts("By the ages in the feed; a school may have other settings."), style="dim")


def _print_names(here: Context, sign: str, where: str, names: Sequence[str], count: int) -> None:
    """Print names, a line each for scripts, and the number left out."""
    start = " ".join(filter(None, (sign, where)))
    for name in names:
        here.console.print(f"{start} {name}", soft_wrap=True)
    if left := count - len(names):
        here.console.print(here.texts("{start} ... and {n} more", start=start, n=number(left)))
