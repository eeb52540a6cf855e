# SPDX-License-Identifier: Apache-2.0
"""``filterd feed publish``, ``sign``, ``sign-program``, ``verify``: sign, publish, verify."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from filterd.base.errors import ConfigError, StoreError
from filterd.base.state_file import plain_version
from filterd.cli.context import Context, JsonOption, argument, on_named_files, option
from filterd.cli.feed.feed_keys import (
    ROOT_FILE,
    AfterOption,
    KeysOption,
    NewKeyOption,
    RepositoryArgument,
    key_folder,
    online_signers,
    usual_keys,
)
from filterd.cli.render import facts, listed, show, show_details
from filterd.cli.school_clock import wording_of
from filterd.cli.terminal import bar
from filterd.feed.signed.arrival import Moment
from filterd.feed.signed.fetchers import Fetcher, FolderFetcher, WebFetcher
from filterd.feed.signed.program_offer import LIMITS
from filterd.feed.signed.trust import load_root
from filterd.lists.catalogs.catalog import Catalog, load_catalog
from filterd.lists.catalogs.optional_lists import OrderEntry
from filterd.publish.keys import ORDERS, PROGRAM
from filterd.publish.parcels import read_parcel
from filterd.publish.program_packages import read_program
from filterd.publish.program_packages import sign_program as sign_packages
from filterd.publish.publication import DAY_S, Examined, Published, soon_expired
from filterd.publish.publication import verify as examine
from filterd.publish.release import Release, release, renew
from filterd.publish.signed_orders import sign_orders
from filterd.publish.version_rows import (
    EXPIRIES,
    RELEASE,
    SIGNED_ORDERS,
    SIGNED_PACKAGES,
    VERIFICATION,
    expiry_rows,
)
from filterd.texts import counted, words
from filterd.texts.counted import fingerprint
from filterd.texts.i18n import quoted, say

if TYPE_CHECKING:
    from filterd.publish.parcels import Parcel
    from filterd.publish.repository import Signers

_SOON_S = 30 * DAY_S
"""How long before the end of an order the signer is warned."""


@on_named_files
def publish(
    here: Context,
    repository: RepositoryArgument,
    version_folder: Annotated[
        Path | None,
        option(
            "--version-folder",
            "Folder made by `feed build` (default: sign the published version for another term).",
            "DIR",
        ),
    ] = None,
    orders: Annotated[
        Path | None, option("--orders", "New orders, made by `feed sign`.", "DIR")
    ] = None,
    program: Annotated[
        Path | None,
        option("--program", "New packages of filterd, made by `feed sign-program`.", "DIR"),
    ] = None,
    urgent: Annotated[
        bool, option("--urgent", "Urgent: schools take it within ten minutes, not at night.")
    ] = False,
    keys: KeysOption = None,
    json: JsonOption = False,
) -> None:
    """Sign and publish a version: whole files, and deltas from the last seven.

    Clients see the old version or the new one, never a mix. After an interruption, run the same
    command again. Exit code 0: published; 2, 20 or more: an error, and the last publication
    stays.
    """
    signers = online_signers(key_folder(here, keys or usual_keys(repository)))
    now = here.clock.wall()
    new = _NewParts(
        version_folder,
        None if orders is None else read_parcel(orders, ORDERS),
        None if program is None else read_program(program, now),
        urgent,
    )
    row, ordered = _publish(here, repository, signers, new, now)
    published = Published(repository)
    expiries, offered = published.expiries(), [package.target for package in published.packages()]
    if json:
        here.print_json(row | {"packages": offered, "expiries": plain_expiries(expiries)})
    else:
        _show_published(here, row, None if program is None else offered)
    _warn_of_orders(here, ordered, now)
    warn_of_expiry(here, expiries, now)


class _NewParts(NamedTuple):
    """What is published anew; None is as it was published last."""

    version_folder: Path | None
    orders: Parcel | None
    program: Parcel | None
    urgent: bool


def _publish(
    here: Context, repository: Path, signers: Signers, new: _NewParts, now: float
) -> tuple[dict[str, Any], tuple[OrderEntry, ...]]:
    """Sign and publish; return the result as plain data, and the orders of a new version."""
    if new.version_folder is None and new.orders is None:
        version = renew(repository, signers, now=now, urgent=new.urgent, program=new.program)
        return {"version": version, "renewed": True, "urgent": new.urgent}, ()
    with bar(here, here.texts("Packing")) as progress:
        done = release(
            repository,
            new.version_folder,
            signers,
            now=now,
            urgent=new.urgent,
            parcel=new.orders,
            program=new.program,
            progress=progress,
        )
    return _plain(done), done.orders


def _show_published(here: Context, row: dict[str, Any], offered: Sequence[str] | None) -> None:
    """Print a published version, and the packages that are offered now, if there are new ones."""
    if "renewed" not in row:
        show_details(here, RELEASE, row)
    else:
        line = say("Version {version}: the published files are signed for another term.")
        here.print(line.filled({"version": row["version"]}))
        if row["urgent"]:
            rows = [(here.texts("Urgent"), here.texts("schools take it within ten minutes"))]
            here.console.print(facts(rows))
    if offered is not None:
        here.console.print(facts([(here.texts("Packages of filterd"), "\n".join(offered) or "-")]))


@on_named_files
def sign(
    here: Context,
    orders: Annotated[Path, argument("ORDERS", "Folder of orders.yaml and orders/.")],
    parcel: Annotated[Path, argument("PARCEL", "Folder to make and carry to the publisher.")],
    keys: Annotated[Path, option("--keys", "Folder that has orders/orders.pem.", "DIR")],
    after: AfterOption = 0,
    new_key: NewKeyOption = False,
    json: JsonOption = False,
) -> None:
    """Sign legal orders to block names, on the machine of the authority that issues them.

    Each order has its number, issuer, date and expiry; those that have expired are left out.
    Exit code 0: signed; 2: an error, nothing is signed.
    """
    folder = key_folder(here, keys)
    path = folder.paths(ORDERS)[0]
    signers = [folder.next_key(path)] if new_key else folder.signers(ORDERS)
    now = here.clock.wall()
    ordered = sign_orders(orders, parcel, signers, now=now, after=after)
    if new_key:
        folder.promote(path)
    if json:
        here.print_json(
            {
                "version": ordered.version,
                "names": ordered.names,
                "orders": [order.model_dump() for order in ordered.orders],
                "expired": [one.model_dump() for one in ordered.expired],
            }
        )
    else:
        title = say(
            "Signed orders, version {version}: {names}",
            version=ordered.version,
            names=counted.names(ordered.names),
        )
        rows = [order.model_dump() for order in ordered.orders]
        show(here, SIGNED_ORDERS._replace(title=title), rows)
        here.print(say("Signed: carry {folder} to the publisher", folder=parcel), whole=True)
    for one in ordered.expired:
        here.warn(
            say(
                "warning: order {number} expired on {date}; it is left out",
                number=one.number,
                date=one.expiry,
            )
        )
    _warn_of_orders(here, ordered.orders, now)


def warn_of_expiry(here: Context, expiries: Mapping[str, float], now: float) -> bool:
    """Warn of roles that must soon sign anew; return whether there is one."""
    soon = soon_expired(expiries, now)
    for role, left in sorted(soon.items(), key=lambda item: item[1]):
        key = (
            say("warning: the role {role} is valid for {days} more: {remedy}")
            if left > 0
            else say("warning: the role {role} has expired, schools take nothing new: {remedy}")
        )
        remedy = here.texts.word(words.RENEWAL, role)
        days = counted.days(max(int(left // DAY_S), 0))
        here.errors.print(here.texts(key, role=role, days=days, remedy=remedy), style="yellow")
    return bool(soon)


def plain_expiries(expiries: Mapping[str, float]) -> dict[str, int]:
    """Return Unix times for scripts."""
    return {role: int(until) for role, until in sorted(expiries.items())}


def _plain(done: Release) -> dict[str, Any]:
    return {
        "version": done.version,
        "before": done.before,
        "urgent": done.urgent,
        "octets": asdict(done.costs),
        "orders": [order.model_dump() for order in done.orders],
    }


def _warn_of_orders(here: Context, orders: Iterable[OrderEntry], now: float) -> None:
    """Warn of orders that end soon, or have ended and still block."""
    from filterd.publish.signed_orders import day_of  # noqa: PLC0415

    today, soon = day_of(now), day_of(now + _SOON_S)
    for order in orders:
        if order.expiry < soon:
            key = (
                say("warning: order {number} ended on {date} and still blocks: feed sign")
                if order.expiry < today
                else say("warning: order {number} ends on {date}; ask the authority that issued it")
            )
            warning = here.texts(key, number=order.number, date=order.expiry)
            here.errors.print(warning, style="yellow")


@on_named_files
def sign_program(  # noqa: PLR0913, PLR0917 -- the options of a command
    here: Context,
    parcel: Annotated[
        Path, option("--parcel", "Folder to make and carry to the publisher.", "DIR")
    ],
    keys: Annotated[Path, option("--keys", "Folder that has program/program.pem.", "DIR")],
    packages: Annotated[list[Path] | None, argument("DEB", "The packages of one version.")] = None,
    withdraw: Annotated[
        bool, option("--withdraw", "Offer no package any more, instead of new ones.")
    ] = False,
    urgent: Annotated[
        bool, option("--urgent", "Every school takes it in its next window.")
    ] = False,
    after: AfterOption = 0,
    new_key: NewKeyOption = False,
    json: JsonOption = False,
) -> None:
    """Sign packages of filterd, on the machine of the key of the role program.

    They must be of one version, above the last one. One school in a hundred takes it at once, one
    in ten after two days, all after five. Exit code 0: signed; 2, 20: an error, nothing is signed.
    """
    if bool(packages) == withdraw:
        raise ConfigError(say("give the packages, or --withdraw"))
    folder = key_folder(here, keys)
    path = folder.paths(PROGRAM)[0]
    signers = [folder.next_key(path)] if new_key else folder.signers(PROGRAM)
    signed = sign_packages(
        packages or (), parcel, signers, now=here.clock.wall(), after=after, urgent=urgent
    )
    if new_key:
        folder.promote(path)
    if json:
        here.print_json(asdict(signed))
        return
    title = say(
        "Signed packages of filterd {newest}, version {version} of the role",
        newest=signed.newest or "-",
        version=signed.version,
    )
    show(
        here,
        SIGNED_PACKAGES._replace(title=title),
        [asdict(package) for package in signed.packages],
    )
    here.print(say("Signed: carry {folder} to the publisher", folder=parcel), whole=True)


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
    row = _examined(examined, catalog) | {"fingerprint": fingerprint(content)}
    show_details(here, VERIFICATION, row, json=json)
    if not json:
        wording = wording_of(here)
        rows = expiry_rows(examined.expiries, wording.clock.now)
        here.console.print(listed(wording, EXPIRIES, rows))
        if not examined.contents:
            here.warn(say("warning: nothing has been published yet"))
    if not examined.verified.clock_known:
        here.warn(
            say("warning: the clock of this machine is behind; expiry dates were not checked")
        )
        raise typer.Exit(1)
    soon = warn_of_expiry(here, examined.expiries, now)
    raise typer.Exit(1 if soon else 0)


def _examined(examined: Examined, catalog: Catalog | None) -> dict[str, Any]:
    """Return what a publication has, as plain data; ``catalog`` is that of its lists."""
    publication = examined.verified.publication
    return {
        "version": plain_version(publication.version),
        "urgent": examined.verified.urgent,
        "issued_at": int(examined.verified.issued_at),
        "files": len(publication.files),
        "deltas": len(publication.deltas),
        "octets": examined.octets,
        "lists": len(catalog.lists) if catalog else 0,
        "orders": len(catalog.orders) if catalog else 0,
        "packages": [package.target for package in examined.packages],
        "expiries": plain_expiries(examined.expiries),
    }


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
