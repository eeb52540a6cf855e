# SPDX-License-Identifier: Apache-2.0
"""``filterd feed`` for a school: what the commands take, and what they promise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from filterd.cli.context import Context, JsonOption, command

VersionArgument = Annotated[
    int | None,
    typer.Argument(metavar="VERSION", min=1, help="Which version; else the one that waits."),
]
ReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the feed's history.")
]


@command
def trust(
    here: Context,
    root: Annotated[
        Path, typer.Argument(metavar="ROOT.json", help="The publisher's, as it was handed out.")
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Forget another root, and trust this one.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Say whose signatures count, once, when the school is set up.

    Compare the fingerprint that it prints with the publisher's, by telephone: all
    trust begins here. Exit code 0: trusted; 2: not; 45: it is not a root; 46: the school
    trusts another.
    """
    from filterd.cli import feed_admin  # noqa: PLC0415 -- it brings TUF and the web

    feed_admin.trust(here, root, replace=replace, json=json)


@command
def status(here: Context, json: JsonOption = False) -> None:
    """Show which lists are in force, what waits and why, and how old all of it is.

    Exit code 0: all is well, or the school follows no feed; 1: look at it; 2: it
    cannot be told.
    """
    from filterd.cli import feed_status  # noqa: PLC0415 -- as above

    feed_status.status(here, json=json)


@command
def history(here: Context, json: JsonOption = False) -> None:
    """Show what became of the versions of the feed, the latest last.

    Exit code 0: shown; 2: it cannot be told.
    """
    from filterd.cli import feed_status  # noqa: PLC0415 -- as above

    feed_status.history(here, json=json)


@command
def approve(
    here: Context,
    version: VersionArgument = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Put a version in force that is held because it changes much, or was rolled back.

    It is judged again; what nobody can approve of stays refused. It works without the
    Internet. Exit code 0: in force; 2: something is wrong; 50: not.
    """
    from filterd.cli import feed_admin  # noqa: PLC0415 -- as above

    feed_admin.approve(here, None if version is None else str(version), reason, json=json)


@command
def refuse(
    here: Context,
    version: VersionArgument = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Never take a version that waits; the next one may come.

    Exit code 0: done; 2 or 50: not.
    """
    from filterd.cli import feed_admin  # noqa: PLC0415 -- as above

    feed_admin.refuse(here, None if version is None else str(version), reason, json=json)


@command
def rollback(here: Context, reason: ReasonOption = "", json: JsonOption = False) -> None:
    """Go back to the version before, at once; the present one is not taken again.

    It works without the Internet. The next version comes the night that it would have
    come: `filterd feed hold` keeps what is in force. Exit code 0: done; 2 or 50: not.
    """
    from filterd.cli import feed_admin  # noqa: PLC0415 -- as above

    feed_admin.rollback(here, reason, json=json)


@command
def hold(
    here: Context,
    reason: ReasonOption = "",
    off: Annotated[bool, typer.Option("--off", help="Let versions come again.")] = False,
    json: JsonOption = False,
) -> None:
    """Keep the version that is in force until told otherwise.

    What the law orders urgently does not come either. Exit code 0: done; 2: not.
    """
    from filterd.cli import feed_admin  # noqa: PLC0415 -- as above

    feed_admin.hold(here, reason, off=off, json=json)
