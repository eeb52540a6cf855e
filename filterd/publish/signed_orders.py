# SPDX-License-Identifier: Apache-2.0
"""Sign legal orders, for a parcel to the publisher.

The ordering authority keeps ``orders.yaml`` and ``orders/*.txt``
(``filterd.lists.catalogs.optional_lists``) and the one key that may sign them, on a machine of its
own. Expired orders are left out of the parcel.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from filterd.base.errors import ConfigErrors, FeedError, ListError
from filterd.base.paths import reading, shipped
from filterd.base.value_class import frozen
from filterd.documents import dump
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.catalogs.optional_lists import (
    LAW_ORDERED,
    ORDERS_FILE,
    ORDERS_FOLDER,
    OrderEntry,
    load_orders,
    read_orders,
)
from filterd.lists.intake import Intake
from filterd.lists.report import Reason
from filterd.lists.sort_records import Guarded
from filterd.publish.keys import ORDERS
from filterd.publish.parcels import make_parcel, next_version, write_parcel
from filterd.publish.signing import targets_of
from filterd.texts.i18n import quoted, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from securesystemslib.signer import CryptoSigner

    from filterd.lists.rules import ListSource

_TIME_ZONE_S = 7 * 3600
"""Days are those of Viet Nam, where orders are given: UTC+7, no summer time."""


@frozen
class Ordered:
    """The signed orders.

    Attributes:
        version: of the role ``orders``.
        orders: those that are in force, as the register has them.
        expired: those that were left out.
        names: how many lines of names the files in force have.
    """

    version: int
    orders: tuple[OrderEntry, ...]
    expired: tuple[OrderEntry, ...]
    names: int


def sign_orders(
    folder: Path, parcel: Path, signers: Sequence[CryptoSigner], *, now: float, after: int = 0
) -> Ordered:
    """Sign orders, and write the parcel to carry to the publisher.

    Args:
        folder: the folder of ``orders.yaml`` and ``orders/``.
        parcel: the folder to make; it replaces the last one.
        signers: the keys of the role ``orders``.
        now: Unix time.
        after: the version that was published last; the last parcel has it, too.

    Raises:
        ConfigErrors: the register is wrong.
        ListError: a file has lines that name nothing.
        StoreError: the disk refused.
    """
    _, problems = read_orders(folder, [LAW_ORDERED])
    if problems:
        raise ConfigErrors(problems)
    _, orders = load_orders(folder)
    today = day_of(now)
    for order in orders:
        if order.date > today:
            raise FeedError(
                say(
                    "order {number}: its date, {date}, is in the future; sign it on that day",
                    number=order.number,
                    date=order.date,
                )
            )
    in_force = tuple(order for order in orders if order.expiry >= today)
    expired = tuple(order for order in orders if order.expiry < today)
    with TemporaryDirectory(prefix="filterd-orders-") as made:
        stage = _staged(folder, in_force, Path(made))
        sources, _ = read_orders(stage, [LAW_ORDERED])
        names = _checked(sources)
        targets = targets_of(stage)
    version = next_version(parcel, ORDERS, after)
    write_parcel(make_parcel(ORDERS, targets, signers, version=version, now=now), parcel)
    return Ordered(version, in_force, expired, names)


def day_of(now: float) -> str:
    """Return the day that a Unix time is in, ISO 8601."""
    return datetime.fromtimestamp(now + _TIME_ZONE_S, UTC).date().isoformat()


def _staged(folder: Path, orders: Iterable[OrderEntry], stage: Path) -> Path:
    """Copy the files to sign, and no other of the folder."""
    (stage / ORDERS_FOLDER).mkdir()
    entries = [order.model_dump() for order in orders]
    (stage / ORDERS_FILE).write_bytes(dump({"orders": entries}))
    for entry in entries:
        with reading(folder / entry["names"]):
            shutil.copyfile(folder / entry["names"], stage / entry["names"])
    return stage


def _checked(sources: Sequence[ListSource]) -> int:
    """Return how many names there are.

    A line that names nothing would order nothing, unseen; one that names what is pinned
    would have every school refuse the whole version.
    """
    names, pins = 0, load_catalog(shipped("blocklists")).pins
    for source in sources:
        intake = Intake([source], None)
        intake.take()
        intake.records.sort()
        Guarded(intake.records, intake.claims, [source], intake.refuse_key).refuse_pinned(pins)
        for sample in intake.reports[0].samples:
            raise ListError(
                say(
                    "{path}, line {line}: '{text}' {reason}; correct the line",
                    path=f"{ORDERS_FOLDER}/{Path(source.path).name}",
                    line=sample.line,
                    text=sample.text,
                    reason=quoted(Reason(sample.reason).explanation),
                )
            )
        if not intake.records:
            raise ListError(
                say(
                    "{path}: has no names; write one a line, or remove the order",
                    path=f"{ORDERS_FOLDER}/{Path(source.path).name}",
                )
            )
        names += len(intake.records)
    return names
