# SPDX-License-Identifier: Apache-2.0
"""``filterd sync``: take what the feed has published, now or every night."""

from __future__ import annotations

from typing import Annotated

import typer

from filterd.cli.context import Context, JsonOption, command


@command
def sync(
    here: Context,
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="URL|DIR", help="From there, a USB stick for one; else from the feed."
        ),
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Take it although other schools take it first.")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on for ever: every night, and what is urgent.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Take the lists that the feed has published, verified and judged.

    Whatever is wrong with them leaves the last good ones in force. Exit code 0: they
    are in force, or wait for their turn; 2: something is wrong here; 30 to 36: they
    did not come; 40 to 46: they must not be trusted; 50: they are held or refused.
    """
    from filterd.cli import feed_sync  # noqa: PLC0415 -- it brings TUF and the web

    if follow:
        feed_sync.follow(here)
    else:
        feed_sync.take(here, source, at_once=now, json=json)
