# SPDX-License-Identifier: Apache-2.0
"""``filterd feed verify``: verify a publication as a new school does."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from filterd.cli.context import Context, JsonOption, argument, on_named_files, option
from filterd.cli.feed_keys import ROOT_FILE
from filterd.cli.feed_publish import plain_expiries, warn_of_expiry
from filterd.cli.progress_bar import bar
from filterd.cli.render import listed, show_details
from filterd.cli.time_options import school_clock
from filterd.counted import fingerprint
from filterd.errors import ConfigError, StoreError
from filterd.feed.arrival import Moment
from filterd.feed.fetchers import Fetcher, FolderFetcher, WebFetcher
from filterd.feed.program_offer import LIMITS
from filterd.feed.trust import load_root
from filterd.i18n import quoted, say
from filterd.lists.catalog import load_catalog
from filterd.publish.publication import verify as examine
from filterd.publish.version_rows import EXPIRIES, VERIFICATION, expiry_rows
from filterd.rows import Wording
from filterd.state_file import plain_version


@on_named_files
def verify(
    here: Context,
    source: Annotated[str, argument("URL|DIR", "Address or folder of a publication.")],
    root: Annotated[
        Path | None,
        option("--root", "The root file that schools get (default: root.json beside DIR).", "FILE"),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check a publication as a new school would: fetch, verify, unpack and load everything.

    It also shows when each role's signature expires. Exit code 0: valid; 1: valid, but a role
    must sign again soon; 2: an error; 30 to 36: not fetched; 40 to 46: not trusted.
    """
    content = _root(source, root)
    now = here.clock.wall()
    with (
        TemporaryDirectory(prefix="filterd-verify-") as made,
        bar(here, here.texts("Verifying")) as progress,
    ):
        folder = Path(made)
        fetcher = _fetcher(here, source)
        examined = examine(content, fetcher, Moment(now), progress, folder)
        # The first publication is empty until something is published into it.
        catalog = load_catalog(folder) if examined.contents else None
    lists = len(catalog.lists) if catalog else 0
    orders = len(catalog.orders) if catalog else 0
    publication = examined.verified.publication
    told = {
        "version": plain_version(publication.version),
        "urgent": examined.verified.urgent,
        "issued_at": int(examined.verified.issued_at),
        "files": len(publication.files),
        "deltas": len(publication.deltas),
        "octets": examined.octets,
        "lists": lists,
        "orders": orders,
        "packages": [one.target for one in examined.packages],
        "expiries": plain_expiries(examined.expiries),
        "fingerprint": fingerprint(content),
    }
    show_details(here, VERIFICATION, told, json=json)
    if not json:
        wording = Wording(here.texts, school_clock(here))
        rows = expiry_rows(examined.expiries, wording.clock.now)
        here.console.print(listed(wording, EXPIRIES, rows))
        if not examined.contents:
            nothing = here.texts("warning: nothing has been published yet")
            here.errors.print(nothing, style="yellow")
    if not examined.verified.clock_known:
        here.errors.print(
            here.texts(
                "warning: the clock of this machine is behind; expiry dates were not checked"
            ),
            style="yellow",
        )
        raise typer.Exit(1)
    soon = warn_of_expiry(here, examined.expiries, now)
    raise typer.Exit(1 if soon else 0)


def _fetcher(here: Context, source: str) -> Fetcher:
    if "://" in source:
        return WebFetcher(source, here.clock, LIMITS)
    folder = Path(source)
    if not folder.is_dir():
        why = quoted(os.strerror(errno.ENOTDIR if folder.exists() else errno.ENOENT))
        raise StoreError(say("{path}: cannot be read: {why}", path=folder, why=why))
    return FolderFetcher(folder, here.clock, LIMITS)


def _root(source: str, root: Path | None) -> bytes:
    """Return the root that schools are given; the default is the one of ``init``."""
    if root is None:
        if "://" in source:
            raise ConfigError(
                say("the publisher's root is needed to verify a feed"),
                hint=say("--root ROOT.json, the file that schools get"),
            )
        root = Path(source).absolute().parent / ROOT_FILE
    return load_root(root)
