# SPDX-License-Identifier: Apache-2.0
"""Sign legal orders, and carry them to the publisher as a folder.

The ordering authority keeps ``orders.yaml`` and ``orders/*.txt``
(``filterd.lists.orders_file``) and the one key that may sign them, on a machine of its
own. A **parcel** is carried to the publisher::

    orders.json       which files are ordered, signed by the key of the role ``orders``
    orders-key.json   the public half of that key, for when it is replaced
    targets/          the files, packed

Expired orders are left out of it; the publisher cannot change it.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from securesystemslib.signer import Key
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Targets

from filterd.documents import dump
from filterd.errors import ConfigErrors, FeedError, ListError
from filterd.i18n import quoted, say
from filterd.lists.catalog import load_catalog
from filterd.lists.intake import Intake
from filterd.lists.orders_file import CATEGORY, FILE, FOLDER, OrderEntry, load_orders, read_orders
from filterd.lists.report import Reason
from filterd.lists.sort_records import Guarded
from filterd.paths import open_plain, reading, shipped, write_atomically
from filterd.publish.signing import NewTarget, sign_orders
from filterd.publish.target_files import targets_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from securesystemslib.signer import CryptoSigner

    from filterd.lists.rules import ListSource

METADATA, PUBLIC_KEY, TARGETS = "orders.json", "orders-key.json", "targets"
FIRST_VERSION = 1
"""That ``Repository.create`` signs: nothing is ordered."""

_TIME_ZONE_S = 7 * 3600
"""Days are those of Viet Nam, where orders are given: UTC+7, no summer time."""
_MOST_OCTETS = 5_000_000


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Parcel:
    """Signed orders, as they were carried here.

    Attributes:
        metadata: of the role ``orders``; its signature is checked when it is published.
        targets: the files that it names.
        public_key: the key of the signer, for a replacement of keys.
        version: of the metadata.
    """

    metadata: bytes
    targets: tuple[NewTarget, ...]
    public_key: Key
    version: int


def make_parcel(
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
    _, problems = read_orders(folder, [CATEGORY])
    if problems:
        raise ConfigErrors(problems)
    _, orders = load_orders(folder)
    today = day_of(now)
    for one in orders:
        if one.date > today:
            raise FeedError(
                say(
                    "order {number}: its date, {date}, is in the future; sign it on that day",
                    number=one.number,
                    date=one.date,
                )
            )
    in_force = tuple(one for one in orders if one.expiry >= today)
    expired = tuple(one for one in orders if one.expiry < today)
    with TemporaryDirectory(prefix="filterd-orders-") as made:
        stage = _staged(folder, in_force, Path(made))
        sources, _ = read_orders(stage, [CATEGORY])
        names = _checked(sources)
        targets = targets_of(stage)
    version = max(after, FIRST_VERSION, _last_version(parcel)) + 1
    metadata = sign_orders(targets, signers, version=version, now=now)
    _write(parcel, targets, signers[0].public_key, metadata)
    return Ordered(version, in_force, expired, names)


def read_parcel(folder: Path) -> Parcel:
    """Read a parcel of orders.

    Raises:
        StoreError: a file is missing.
        FeedError: it is no parcel.
    """
    metadata = _read(folder / METADATA)
    try:
        orders = Metadata[Targets].from_bytes(metadata).signed
        key_data = json.loads(_read(folder / PUBLIC_KEY))
        public_key = Key.from_dict(key_data.pop("keyid"), key_data)
        targets = tuple(
            NewTarget(name, _read(folder / TARGETS / name), one.custom or {})
            for name, one in orders.targets.items()
            if ".." not in name.split("/") and not name.startswith("/")
        )
        return Parcel(metadata, targets, public_key, orders.version)
    except (RepositoryError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FeedError(
            say(
                "{folder}: `filterd feed sign` has not written this; copy the folder again",
                folder=folder,
            )
        ) from error


def day_of(now: float) -> str:
    """Return the day that a Unix time is in, ISO 8601."""
    return datetime.fromtimestamp(now + _TIME_ZONE_S, UTC).date().isoformat()


def _staged(folder: Path, orders: Iterable[OrderEntry], stage: Path) -> Path:
    """Copy the files to sign, and no other of the folder."""
    (stage / FOLDER).mkdir()
    entries = [one.model_dump() for one in orders]
    (stage / FILE).write_bytes(dump({"orders": entries}))
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
                    path=f"{FOLDER}/{Path(source.path).name}",
                    line=sample.line,
                    text=sample.text,
                    reason=quoted(Reason(sample.reason).explanation),
                )
            )
        if not intake.records:
            raise ListError(
                say(
                    "{path}: has no names; write one a line, or remove the order",
                    path=f"{FOLDER}/{Path(source.path).name}",
                )
            )
        names += len(intake.records)
    return names


def _last_version(parcel: Path) -> int:
    if not (parcel / METADATA).exists():
        return 0
    return read_parcel(parcel).version


def _write(parcel: Path, targets: Sequence[NewTarget], key: Key, metadata: bytes) -> None:
    """Write the files, and last the metadata that names them."""
    for target in targets:
        write_atomically(parcel / TARGETS / target.name, target.content, mode=0o644)
    public = {"keyid": key.keyid, **key.to_dict()}
    write_atomically(parcel / PUBLIC_KEY, json.dumps(public, indent=1).encode(), mode=0o644)
    write_atomically(parcel / METADATA, metadata, mode=0o644)


def _read(path: Path) -> bytes:
    with reading(path), open_plain(path) as file:
        return file.read(_MOST_OCTETS)
