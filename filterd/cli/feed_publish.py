# SPDX-License-Identifier: Apache-2.0
"""``filterd feed publish`` and ``sign``: publish a version, sign legal orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from filterd import counted, words
from filterd.cli.context import Context, JsonOption, argument, on_named_files, option
from filterd.cli.feed_keys import (
    AfterOption,
    KeysOption,
    NewKeyOption,
    RepositoryArgument,
    key_folder,
    online_signers,
    usual_keys,
)
from filterd.cli.progress_bar import bar
from filterd.cli.render import facts, show, show_details
from filterd.i18n import say
from filterd.lists.orders_file import OrderEntry
from filterd.publish.keys import ORDERS
from filterd.publish.parcels import read_parcel
from filterd.publish.program_packages import read_program
from filterd.publish.publication import DAY_S, Published, soon_expired
from filterd.publish.release import Release, release, renew
from filterd.publish.signed_orders import sign_orders
from filterd.publish.version_rows import RELEASE, SIGNED_ORDERS

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
    parcel = None if orders is None else read_parcel(orders, ORDERS)
    now = here.clock.wall()
    packages = None if program is None else read_program(program, now)
    if version_folder is None and parcel is None:
        version = renew(repository, signers, now=now, urgent=urgent, program=packages)
        expiries = Published(repository).expiries()
        told: dict[str, Any] = {"version": version, "renewed": True, "urgent": urgent}
        done = None
    else:
        with bar(here, here.texts("Packing")) as progress:
            done = release(
                repository,
                version_folder,
                signers,
                now=now,
                urgent=urgent,
                parcel=parcel,
                program=packages,
                progress=progress,
            )
        expiries, version, told = done.expiries, done.version, _plain(done)
    offered = [one.target for one in Published(repository).packages()]
    if json:
        told |= {"packages": offered, "expiries": plain_expiries(expiries)}
        here.print_json(told)
    elif done is None:
        here.console.print(
            here.texts(
                "Version {version}: the published files are signed for another term.",
                version=version,
            )
        )
        if urgent:
            rows = [(here.texts("Urgent"), here.texts("schools take it within ten minutes"))]
            here.console.print(facts(rows))
    else:
        show_details(here, RELEASE, told)
    if packages is not None and not json:
        here.console.print(facts([(here.texts("Packages of filterd"), "\n".join(offered) or "-")]))
    if done is not None:
        _warn_of_orders(here, done.orders, now)
    warn_of_expiry(here, expiries, now)


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
                "orders": [one.model_dump() for one in ordered.orders],
                "expired": [one.model_dump() for one in ordered.expired],
            }
        )
    else:
        title = say(
            "Signed orders, version {version}: {names}",
            version=ordered.version,
            names=counted.names(ordered.names),
        )
        rows = [one.model_dump() for one in ordered.orders]
        show(here, SIGNED_ORDERS._replace(title=title), rows)
        here.console.print(
            here.texts("Signed: carry {folder} to the publisher", folder=parcel), soft_wrap=True
        )
    for one in ordered.expired:
        warning = here.texts(
            "warning: order {number} has expired on {date}; it is left out",
            number=one.number,
            date=one.expiry,
        )
        here.errors.print(warning, style="yellow")
    _warn_of_orders(here, ordered.orders, now)


def warn_of_expiry(here: Context, expiries: Mapping[str, float], now: float) -> bool:
    """Warn of roles that must soon sign anew; return whether there is one."""
    soon = soon_expired(expiries, now)
    for role, left in sorted(soon.items(), key=lambda one: one[1]):
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
        "orders": [one.model_dump() for one in done.orders],
    }


def _warn_of_orders(here: Context, orders: Iterable[OrderEntry], now: float) -> None:
    """Warn of orders that end soon, or have ended and still block."""
    from filterd.publish.signed_orders import day_of  # noqa: PLC0415

    today, soon = day_of(now), day_of(now + _SOON_S)
    for one in orders:
        if one.expiry < soon:
            key = (
                say("warning: order {number} has ended on {date} and still blocks: feed sign")
                if one.expiry < today
                else say("warning: order {number} ends on {date}; ask the authority that issued it")
            )
            warning = here.texts(key, number=one.number, date=one.expiry)
            here.errors.print(warning, style="yellow")
