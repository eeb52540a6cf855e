# SPDX-License-Identifier: Apache-2.0
"""``filterd import``: settings of another DNS filter, as pieces of ``site.yaml``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from filterd.base.privileges import own_rights
from filterd.cli.console import write
from filterd.cli.context import Context, JsonOption, argument, on_named_files, option
from filterd.cli.named_files import read_apart, write_named
from filterd.cli.render import listed
from filterd.cli.school_clock import school_clock
from filterd.config.imported_settings import (
    ImportedSettings,
    read_adguard,
    read_pihole,
)
from filterd.texts import counted
from filterd.texts.i18n import UNSAID, say, translated
from filterd.texts.rows import Column, Listing, Wording

OutOption = Annotated[
    Path | None, option("--out", "File to write the pieces to (default: print them).", "FILE")
]


@on_named_files
def pihole(
    here: Context,
    file: Annotated[Path, argument("FILE", "Teleporter file, gravity.db, or a list of addresses.")],
    out: OutOption = None,
    json: JsonOption = False,
) -> None:
    """Print the settings of a Pi-hole as pieces of site.yaml.

    Lists, allowed and blocked names and local names; what could not be taken is shown. Nothing
    is changed: look through the pieces, and copy them. Exit code 0: done; 2: an error.
    """
    _import(here, read_pihole, file, out, json=json)


@on_named_files
def adguard(
    here: Context,
    file: Annotated[Path, argument("FILE", "The file AdGuardHome.yaml.")],
    out: OutOption = None,
    json: JsonOption = False,
) -> None:
    """Print the settings of AdGuard Home as pieces of site.yaml.

    Lists, allowed and blocked names and local names; what could not be taken is shown. Nothing
    is changed: look through the pieces, and copy them. Exit code 0: done; 2: an error.
    """
    _import(here, read_adguard, file, out, json=json)


def _import(
    here: Context,
    read: Callable[[Path], ImportedSettings],
    file: Path,
    out: Path | None,
    *,
    json: bool,
) -> None:
    with own_rights():
        found = ImportedSettings.from_plain(read_apart(lambda path: read(path).to_plain(), file))
    if out is not None:
        write_named(out, found.to_yaml(), "--out")
    if json:
        here.print_json(
            {
                "site": found.to_site(),
                "guessed": found.guessed,
                "not_taken": [{"what": what, "why": str(why)} for what, why in found.not_taken],
                "left_out": found.left_out,
            }
        )
        return
    if out is None:
        write(found.to_yaml())
    _summarise(here, found)


def _summarise(here: Context, found: ImportedSettings) -> None:
    """Print on standard error what was taken, what is a guess, and what was not taken."""
    texts, errors = here.texts, here.errors
    here.note(
        say(
            "{lists}, {names}, {zones} taken",
            lists=counted.lists(len(found.follow)),
            names=counted.names(len(found.exceptions)),
            zones=counted.zones(len(found.zones)),
        )
    )
    if found.guessed:
        here.warn(
            say(
                "check category and format of lists that filterd does not know: {n}",
                n=len(found.guessed),
            )
        )
    if found.not_taken:
        rows = [
            {"what": what, "why": translated(why, texts.language)} for what, why in found.not_taken
        ]
        errors.print(listed(Wording(texts, school_clock(here)), NOT_TAKEN, rows))
    if found.left_out:
        here.note(say("and {n} more", n=found.left_out))


NOT_TAKEN = Listing(
    say("Not taken"), UNSAID, (Column(say("What"), "what"), Column(say("Reason"), "why"))
)
