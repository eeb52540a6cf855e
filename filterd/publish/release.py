# SPDX-License-Identifier: Apache-2.0
"""Publish a version that was built.

The versions before are unpacked from the publication itself, so their folders need not
be kept; differences lead from each of the last seven. The production loader first reads
what schools will have, orders included. A process killed meanwhile has published nothing
and can start again: the same folders give the same octets, and existing files are not
written again.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import ChangeError, FeedError, StoreError
from filterd.base.paths import read_plain, reading, sole
from filterd.base.value_class import frozen
from filterd.feed.followed.version_content import PARTS
from filterd.feed.signed.deltas import unpack
from filterd.feed.version_files import KEPT_DELTAS, MANIFEST, digits, read_publication
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.catalogs.optional_lists import ORDERS_FILE, ORDERS_FOLDER, load_orders
from filterd.overrides.mistake_answers import FILE as MISTAKES
from filterd.overrides.mistake_answers import (
    MOST_OCTETS,
    dump_answers,
    parse_answers,
    read_answers,
)
from filterd.publish.evidence import check_contacts
from filterd.publish.publication import Published
from filterd.publish.repository import Repository
from filterd.publish.signing import content_of, targets_of
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from contextlib import AbstractContextManager

    from filterd.feed.signed.arrival import Progress
    from filterd.feed.version_files import Publication
    from filterd.lists.catalogs.optional_lists import OrderEntry
    from filterd.publish.parcels import Parcel
    from filterd.publish.repository import Signers
    from filterd.publish.signing import NewTarget, StoredTarget

_WORK = ".filterd-publish-"


@frozen
class Costs:
    """The size of a version, in octets.

    Attributes:
        unpacked: all of its files.
        full: the download of a school without a version, without metadata.
        tonight: the download of a school with the version before.
        deltas: all differences together, on the server's disk.
        metadata: the download besides.
        changed: the number of files that differ from the version before.
        files: the number of files.
    """

    unpacked: int
    full: int
    tonight: int
    deltas: int
    metadata: int
    changed: int
    files: int


@frozen
class Release:
    """The published version.

    Attributes:
        version: its number.
        before: the version that was published before it.
        urgent: whether schools take it at their next light check.
        costs: what it costs.
        orders: what it orders; one whose day is over blocks until it is signed anew.
        expiries: until when the word of each role holds, Unix time.
    """

    version: int
    before: int
    urgent: bool
    costs: Costs
    orders: tuple[OrderEntry, ...]
    expiries: dict[str, float]


def release(
    repository: Path,
    version_folder: Path | None,
    signers: Signers,
    *,
    now: float,
    urgent: bool = False,
    parcel: Parcel | None = None,
    program: Parcel | None = None,
    progress: Progress | None = None,
) -> Release:
    """Publish a version.

    Args:
        repository: the folder that the web server hands out.
        version_folder: as ``version_build`` makes it, without orders; None for what is published.
        signers: for ``targets``, ``snapshot`` and ``timestamp``.
        now: Unix time.
        urgent: schools take it at their next light check.
        parcel: new orders; None leaves those that are published.
        program: new packages of the program; None leaves those that are published.
        progress: called with how many octets are packed, and how many there are.

    Raises:
        ConfigErrors: what schools would have is no ``blocklists/`` folder.
        ConfigError: an address of its contacts is a placeholder.
        FeedError: a name belongs to another role, a signature is missing or wrong.
        InUseError: another process publishes into this folder.
        StoreError: the disk refused; nothing is published.
    """
    published = Published(repository)
    with publishing(repository), working(repository) as work:
        before = published.version
        contents = dict[str, Path]()
        earlier = [
            published.unpack(number, work / str(number), contents)
            for number in published.versions()[:KEPT_DELTAS]
        ]
        new = _new_version(version_folder, parcel, earlier[0], before + 1, work)
        targets = targets_of(new.folder, earlier, progress=progress)
        parcels = [one for one in (parcel, program) if one is not None]
        to = Repository(repository)
        version = to.publish(targets, signers, now=now, urgent=urgent, parcels=parcels)
        to.prune(keep=KEPT_DELTAS + 1)
        orders = load_orders(new.whole)[1] if (new.whole / ORDERS_FILE).exists() else ()
    costs = _costs(published, version, before)
    return Release(version, before, urgent, costs, orders, published.expiries())


class _NewVersion(NamedTuple):
    """A version before it is signed: its folder, and that which schools will have."""

    folder: Path
    whole: Path


def _new_version(
    built: Path | None, parcel: Parcel | None, last: Path, number: int, work: Path
) -> _NewVersion:
    """Put a version together, and check it.

    Args:
        built: as ``release`` has it.
        parcel: new orders.
        last: the version that is published.
        number: of the new one.
        work: where to put it together.
    """
    if built is None:  # an order may be urgent, so its contacts are not asked again
        built = _without_orders(last, work / "again")
    else:
        check_contacts(built)
    folder = _numbered(built, last, number, work / "numbered")
    whole = _whole(folder, parcel, last, work / "whole")
    _check_parts(folder, {Path(one.path) for one in load_catalog(whole).lists}, whole)
    return _NewVersion(folder, whole)


def renew(
    repository: Path,
    signers: Signers,
    *,
    now: float,
    urgent: bool = False,
    program: Parcel | None = None,
) -> int:
    """Sign the published lists for another term; return the version.

    Args:
        repository: the folder that the web server hands out.
        signers: for ``targets``, ``snapshot`` and ``timestamp``.
        now: Unix time.
        urgent: schools take the lists at their next light check.
        program: new packages of the program; None leaves those that are published.

    Raises:
        FeedError: the parcel is not to be published.
        InUseError: another process publishes into this folder.
        StoreError: the disk refused; nothing is published.
    """
    with publishing(repository):
        parcels = [program] if program else []
        version = Repository(repository).renew(signers, now=now, urgent=urgent, parcels=parcels)
        Repository(repository).prune(keep=KEPT_DELTAS + 1)
    return version


def publishing(repository: Path) -> AbstractContextManager[None]:
    """Hold the publication: only one process at a time changes it.

    The lock stands beside the folder, where no web server hands it out.

    Raises:
        InUseError: another process holds it.
        StoreError: the disk refused.
    """
    folder = repository.resolve()
    return sole(
        folder.with_name(f".{folder.name}.lock"),
        otherwise=say("another process is publishing; wait until it has ended"),
    )


def _costs(published: Published, version: int, before: int) -> Costs:
    new, old = published.publication(version), published.publication(before)
    had = {file.path: file.sha256 for file in old.files}
    changed = [file for file in new.files if had.get(file.path) != file.sha256]
    tonight = sum(
        min((file.packed_octets, *_from(new, file.path, had.get(file.path)))) for file in changed
    )
    return Costs(
        unpacked=new.octets,
        full=sum(file.packed_octets for file in new.files),
        tonight=tonight,
        deltas=sum(delta.packed_octets for delta in new.deltas),
        metadata=published.metadata_octets(version),
        changed=len(changed),
        files=len(new.files),
    )


def _from(publication: Publication, path: str, sha256: str | None) -> Iterator[int]:
    """Return the length of the difference from one content of a file, if there is one."""
    if sha256 is None:
        return
    for delta in publication.deltas:
        if delta.path == path and delta.old == digits(sha256):
            yield delta.packed_octets


def _whole(version_folder: Path, parcel: Parcel | None, last: Path, whole: Path) -> Path:
    """Put together the folder that schools will have: the version, and the orders."""
    try:
        shutil.copytree(
            version_folder, whole, copy_function=_link, ignore=shutil.ignore_patterns(MANIFEST)
        )
        if parcel is None:
            if (last / ORDERS_FILE).exists():
                shutil.copyfile(last / ORDERS_FILE, whole / ORDERS_FILE)
            if (last / ORDERS_FOLDER).exists():
                shutil.copytree(last / ORDERS_FOLDER, whole / ORDERS_FOLDER)
    except (OSError, shutil.Error) as error:
        why = (
            refused(error)
            if not isinstance(error, shutil.Error)
            else say("the download is incomplete")
        )
        raise StoreError(
            say("{path}: cannot be read: {why}", path=version_folder, why=why)
        ) from error
    for target in parcel.targets if parcel else ():
        _unpack(target, whole)
    return whole


def _check_parts(version_folder: Path, lists: Collection[Path], whole: Path) -> None:
    """Refuse files in a version that no build writes there: a key, private notes.

    Signing refuses files of orders later.
    """
    for path in sorted(one for one in version_folder.rglob("*") if not one.is_dir()):
        name = path.relative_to(version_folder)
        is_part = (
            name.as_posix() in {*PARTS, ORDERS_FILE, MANIFEST} or name.parts[0] == ORDERS_FOLDER
        )
        if not is_part and whole.absolute() / name not in lists:
            raise FeedError(
                say(
                    "{path}: this is not a part of a version; publish a folder that"
                    " `filterd feed build` has made",
                    path=path,
                )
            )


def _numbered(version_folder: Path, last: Path, number: int, made: Path) -> Path:
    """Return a version whose answers name the published version that has them first.

    Args:
        version_folder: as it was built.
        last: the version that is published.
        number: of the version that is to be.
        made: where to put it together.

    Raises:
        FeedError: the answers are none.
    """
    path = version_folder / MISTAKES
    if not path.exists():
        return version_folder
    try:
        with reading(path):
            answers = parse_answers(read_plain(path, MOST_OCTETS))
    except ChangeError as error:
        raise FeedError(say("{path}: {why}", path=path, why=error.sentence)) from error
    given = {answer._replace(version=0): answer.version for answer in read_answers(last).values()}
    numbered = (
        answer._replace(version=given.get(answer._replace(version=0)) or number)
        for answer in answers
    )
    left = shutil.ignore_patterns(MISTAKES)
    shutil.copytree(version_folder, made, copy_function=_link, ignore=left)
    (made / MISTAKES).write_bytes(dump_answers(numbered))
    return made


def _without_orders(last: Path, target: Path) -> Path:
    """Return the version that is published as ``version_build`` has made it."""
    shutil.copytree(
        last, target, copy_function=_link, ignore=shutil.ignore_patterns(ORDERS_FILE, ORDERS_FOLDER)
    )
    return target


def _unpack(target: NewTarget | StoredTarget, whole: Path) -> None:
    """Unpack a file of the parcel within its signed length."""
    content = content_of(target)
    [file] = read_publication(1, [(target.name, len(content), target.custom)]).files
    path = whole / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(unpack(content, file.length))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)


@contextmanager
def working(repository: Path) -> Iterator[Path]:
    """Yield a folder on the same disk, without the files of a killed process.

    The caller holds ``publishing``.
    """
    beside = repository.resolve().parent
    for left in beside.glob(f"{_WORK}*"):
        shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(prefix=_WORK, dir=beside) as made:
        yield Path(made)
