# SPDX-License-Identifier: Apache-2.0
"""Refresh and verify the metadata of a feed.

``tuf.ngclient`` decides; this module gives it a working copy, our fetchers and our time, and
turns its errors into ours. Metadata is kept when all of it is verified, see ``trust``.

Time: the clock is **known** when it shows no less than the earliest
possible time (the release, the last verified publication, the caller's own floor). Then
expired metadata is refused: an attacker may be holding newer ones back. While the clock is
unknown, versions, signatures and hashes are checked and expiry is not; the first run with a
known clock checks it.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from securesystemslib.exceptions import Error as SigningError
from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import Updater, UpdaterConfig

from filterd.base.errors import (
    DigestError,
    ExpiredError,
    MetadataFormatError,
    MissingFileError,
    RollbackError,
    SignatureError,
    StoreError,
    TooLargeError,
    TrustError,
)
from filterd.base.value_class import frozen
from filterd.feed.version_files import ONLINE, ORDERS, TARGETS, read_publication, role_of
from filterd.texts.i18n import quoted, refused, say
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from filterd.feed.signed.arrival import Moment
    from filterd.feed.signed.fetchers import Fetcher
    from filterd.feed.signed.trust import TrustFolder
    from filterd.feed.version_files import Publication
    from filterd.texts.i18n import Sentence

_BELIEVED_FOR_S = 10 * 366 * 86_400
"""A publication that was signed longer than that after the release proves nothing of the time."""

_ROTATIONS = 256
_LONGEST_TEXT = 200
_NEVER = datetime.min.replace(tzinfo=UTC)


@frozen
class Verified:
    """The published version, with all its metadata verified.

    Attributes:
        publication: its version and files.
        urgent: the last urgent version; 0 for none.
        issued_at: Unix time of signing; 0 where it is not stated.
        expires_at: Unix time until which it counts as fresh.
        clock_known: whether expiry was checked at all.
        signed: the signed data of each target, by its name.
        fetcher: the source.
    """

    publication: Publication
    urgent: int
    issued_at: float
    expires_at: float
    clock_known: bool
    signed: Mapping[str, TargetFile]
    fetcher: Fetcher

    def fetch(self, target: str) -> bytes:
        """Return the octets of a target, verified by length and hash.

        Raises:
            FetchError: nothing usable came.
            DigestError: it is not what was signed.
        """
        file = self.signed[target]
        with explained():
            url = target_url(self.fetcher, target, file.hashes["sha256"])
            content = self.fetcher.download_bytes(url, file.length)
            file.verify_length_and_hashes(content)
        return content


@frozen
class Refreshed:
    """The newest metadata, verified, in a working copy of a site's trust.

    Attributes:
        folder: the working copy, until the end of ``refreshed``.
        root: the newest.
        timestamp: the newest.
        targets: what the role ``targets`` signed.
        clock_known: whether expiry was checked at all.
    """

    folder: Path
    root: Root
    timestamp: Timestamp
    targets: Targets
    clock_known: bool

    @property
    def issued_at(self) -> int:
        """Unix time of signing; 0 where it is not stated."""
        return _whole(self.timestamp, "issued")

    def delegated(self, role: str) -> Metadata[Targets] | None:
        """Return what a delegated role signed; None where there is no such role.

        Raises:
            RepositoryError: its own key has not signed it, or the snapshot names another.
        """
        roles = self.targets.delegations.roles if self.targets.delegations else None
        if not roles or role not in roles:
            return None
        content = self.read(f"{role}.json")
        metadata = Metadata[Targets].from_bytes(content)
        # python-tuf has asked this, unless another role was delegated the same names before.
        self.targets.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
        snapshot = Metadata[Snapshot].from_bytes(self.read("snapshot.json")).signed
        snapshot.meta[f"{role}.json"].verify_length_and_hashes(content)
        return metadata

    def read(self, name: str) -> bytes:
        """Return a file of the metadata."""
        return (self.folder / name).read_bytes()


@frozen
class Announcement:
    """A timestamp's newest version and last urgent version; its ETag."""

    version: int
    urgent: int
    etag: str = ""


def refresh(trust: TrustFolder, fetcher: Fetcher, moment: Moment) -> Verified:
    """Return the published version, and keep its metadata.

    Args:
        trust: changed only when all is verified, but for new roots.
        fetcher: made for this run, which it bounds.
        moment: the time.

    Raises:
        FetchError: nothing usable came.
        TrustError: what came must not be trusted, or the site has no root.
        StoreError: the disk refused.
    """
    with refreshed(trust, fetcher, moment, ORDERS) as fresh:
        return _verified(fresh, fetcher)


@contextlib.contextmanager
def refreshed(
    trust: TrustFolder, fetcher: Fetcher, moment: Moment, role: str
) -> Iterator[Refreshed]:
    """Yield the newest metadata with that of one delegated role; keep it at the end.

    Nothing is kept if the caller finds something in it that must not be trusted.

    Args:
        trust: changed only when all is verified, but for new roots.
        fetcher: made for this run, which it bounds.
        moment: the time.
        role: delegated by ``targets``; it may be missing.

    Raises:
        FetchError: nothing usable came.
        TrustError: what came must not be trusted, or the site has no root.
        StoreError: the disk refused.
    """
    trust.first_root()  # or say that there is none, before anything is asked
    with trust.working_copy() as copy, explained():
        updater = _updater(trust, copy, fetcher)
        known = moment.now >= _floor(copy, moment.floor)
        # python-tuf has no other way to be given the time; a test would see it go.
        reference = datetime.fromtimestamp(moment.now, UTC) if known else _NEVER
        trusted = updater._trusted_set  # noqa: SLF001
        trusted.reference_time = reference
        updater.refresh()
        updater.get_targetinfo(f"{role}/any")  # loads what the role signed, if there is any
        targets = Metadata[Targets].from_bytes((copy / "targets.json").read_bytes()).signed
        check_names(TARGETS, targets.targets)
        yield Refreshed(
            copy,
            trusted.root,
            _timestamp((copy / "timestamp.json").read_bytes()).signed,
            targets,
            clock_known=known,
        )
        trust.keep(copy)


def look(trust: TrustFolder, fetcher: Fetcher, known: str = "") -> Announcement | None:
    """Return the announcement of the timestamp, None if its ETag is the known one.

    Expiry is not checked: only ``refresh`` takes anything.

    Raises:
        FetchError: nothing usable came.
        SignatureError: it is not signed by the known key; after a change of keys ``refresh``
            learns of it.
        RollbackError: it is older than the one that was verified last.
        TrustError: another reason.
    """
    with explained():
        root = trust.newest_root()
        came = fetcher.download_changed(
            f"{fetcher.base}metadata/timestamp.json", UpdaterConfig().timestamp_max_length, known
        )
        if came is None:
            return None
        new = _timestamp(came.content)
        root.verify_delegate("timestamp", new.signed_bytes, new.signatures)
        with contextlib.suppress(OSError, TrustError, exceptions.RepositoryError):
            last = _timestamp((trust.metadata / "timestamp.json").read_bytes())
            root.verify_delegate("timestamp", last.signed_bytes, last.signatures)
            if new.signed.version < last.signed.version:
                raise _OlderError
    urgent = _whole(new.signed, "urgent")
    return Announcement(new.signed.snapshot_meta.version, urgent, came.etag)


def _updater(trust: TrustFolder, copy: Path, fetcher: Fetcher) -> Updater:
    # The roots that are known already count against the limit of one run.
    known = sum(1 for _ in copy.glob("root_history/*.root.json"))
    return Updater(
        str(copy),
        f"{fetcher.base}metadata/",
        fetcher=fetcher,
        config=UpdaterConfig(max_root_rotations=_ROTATIONS + known),
        bootstrap=trust.given(),
    )


def _verified(fresh: Refreshed, fetcher: Fetcher) -> Verified:
    """Read the lists in what python-tuf has just verified and written."""
    orders = fresh.delegated(ORDERS)
    ordered = orders.signed.targets if orders else {}
    check_names(ORDERS, ordered)
    signed = {**fresh.targets.targets, **ordered}
    version = fresh.timestamp.snapshot_meta.version
    files = ((name, one.length, one.custom) for name, one in signed.items())
    publication = replace(
        read_publication(version, files),
        signers={
            **{role: _signers(fresh, role) for role in ONLINE},
            ORDERS: orders_keys(fresh.targets),
        },
    )
    return Verified(
        publication,
        urgent=_whole(fresh.timestamp, "urgent"),
        issued_at=fresh.issued_at,
        expires_at=fresh.timestamp.expires.timestamp(),
        clock_known=fresh.clock_known,
        signed=signed,
        fetcher=fetcher,
    )


def check_names(role: str, named: Mapping[str, TargetFile]) -> None:
    """Check that a role may sign these files, and has signed their SHA-256.

    Raises:
        SignatureError: another role alone may sign a file of this name.
        MetadataFormatError: a SHA-256 is missing.
    """
    for name, file in named.items():
        if role_of(name) != role:
            raise SignatureError(
                say("{name}: the role {role} must not sign this file", name=name, role=role)
            )
        if "sha256" not in file.hashes:
            raise MetadataFormatError(say("{name}: its SHA-256 is not signed", name=name))


def target_url(fetcher: Fetcher, target: str, sha256: str) -> str:
    """Return the address of a target's file: its hash stands before the last part."""
    folder, slash, name = target.rpartition("/")
    return f"{fetcher.base}targets/{folder}{slash}{sha256}.{name}"


def _signers(fresh: Refreshed, role: str) -> tuple[str, ...]:
    """Return the ids of the root's keys that signed the metadata of a role."""
    metadata = Metadata[Any].from_bytes(fresh.read(f"{role}.json"))
    result = fresh.root.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
    return tuple(sorted(result.signed))


def orders_keys(targets: Targets) -> tuple[str, ...]:
    """Return the ids of the keys that may sign legal orders."""
    roles = targets.delegations.roles if targets.delegations else None
    return tuple(sorted(roles[ORDERS].keyids)) if roles and ORDERS in roles else ()


def _floor(copy: Path, floor: float) -> float:
    """Return the earliest possible time; the last publication was signed before now."""
    issued = 0.0
    with contextlib.suppress(OSError, TrustError, exceptions.RepositoryError):
        issued = _whole(_timestamp((copy / "timestamp.json").read_bytes()).signed, "issued")
    believed = issued if issued < RELEASED_AT + _BELIEVED_FOR_S else 0.0
    return max(RELEASED_AT, believed, floor)


def _timestamp(content: bytes) -> Metadata[Timestamp]:
    metadata = Metadata[Timestamp].from_bytes(content)
    if not isinstance(metadata.signed, Timestamp):
        raise MetadataFormatError(say("timestamp.json is of another role"))
    return metadata


def _whole(timestamp: Timestamp, key: str) -> int:
    value = timestamp.unrecognized_fields.get(key, 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise MetadataFormatError(say("timestamp.json: `{key}` is not a number", key=key))
    return value


class _OlderError(Exception):
    """The timestamp is older than the last one."""


_MEANING: tuple[tuple[type[Exception], type[TrustError], Callable[[str], Sentence]], ...] = (
    (
        exceptions.UnsignedMetadataError,
        SignatureError,
        lambda what: say(
            "too few valid keys have signed: {what}; the last good version stays; tell the"
            " publisher",
            what=what,
        ),
    ),
    (
        exceptions.BadVersionNumberError,
        RollbackError,
        lambda what: say(
            "something older than before is offered: {what}; the last good version stays; tell"
            " the publisher",
            what=what,
        ),
    ),
    (
        exceptions.ExpiredMetadataError,
        ExpiredError,
        lambda what: say(
            "nothing new has been signed for too long: {what}; the last good version stays;"
            " check the clock and the connection to the server",
            what=what,
        ),
    ),
    (
        exceptions.LengthOrHashMismatchError,
        DigestError,
        lambda what: say(
            "the files do not match their signatures: {what}; the last good version stays; try"
            " again",
            what=what,
        ),
    ),
)
"""Errors of python-tuf: their kind here, and the sentence for people."""


_MALFORMED = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
    SigningError,
)


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn python-tuf's errors into a ``TrustError`` or ``FetchError``."""
    try:
        yield
    except _OlderError as error:
        raise RollbackError(say("timestamp.json is older than the last one seen")) from error
    except exceptions.DownloadHTTPError as error:
        raise MissingFileError(say("not found: {what}", what=str(error))) from error
    except exceptions.DownloadLengthMismatchError as error:
        raise TooLargeError(quoted(str(error))) from error
    except OSError as error:
        raise StoreError(
            say("the feed's metadata cannot be saved: {why}", why=refused(error))
        ) from error
    except (exceptions.RepositoryError, exceptions.DownloadError) as error:
        raise _meaning(error) from error
    except _MALFORMED as error:
        raise MetadataFormatError(
            say("the metadata is malformed: {what}", what=type(error).__name__)
        ) from error


def _meaning(error: Exception) -> TrustError:
    text = str(error)
    for kind, meaning, sentence in _MEANING:
        if isinstance(error, kind):
            return meaning(sentence(text[:_LONGEST_TEXT]))
    if "missing info for" in text:
        return RollbackError(
            say(
                "a role is gone from the snapshot: {what};"
                " the last good version stays, tell the publisher",
                what=text[:_LONGEST_TEXT],
            )
        )
    return MetadataFormatError(say("the metadata is malformed: {what}", what=text[:_LONGEST_TEXT]))
