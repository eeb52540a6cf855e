# SPDX-License-Identifier: Apache-2.0
"""Sign metadata of files and roles, and on another machine legal orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, TargetFile, Targets

from filterd.errors import FeedError
from filterd.feed.targets import ORDERED
from filterd.i18n import say
from filterd.publish.keys import ORDERS, ROOT, SNAPSHOT, TARGETS, TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from securesystemslib.signer import CryptoSigner, Key
    from tuf.api.metadata import Root

RELEASES = "releases"
"""No role: what the root's keys sign of versions that are held."""
LIVES = {
    ROOT: timedelta(days=730),
    TARGETS: timedelta(days=365),
    ORDERS: timedelta(days=365),
    SNAPSHOT: timedelta(days=90),
    TIMESTAMP: timedelta(days=30),
    RELEASES: timedelta(days=180),
}
"""For how long what a role signs is to be used."""


class NewTarget(NamedTuple):
    """A file to publish.

    Attributes:
        name: its path below ``targets/``, without the hash.
        content: its octets.
        custom: signed data about it; see ``filterd.feed.targets``.
    """

    name: str
    content: bytes
    custom: Mapping[str, Any]


def sign_orders(
    files: Iterable[NewTarget], signers: Sequence[CryptoSigner], *, version: int, now: float
) -> bytes:
    """Return the signed metadata that makes lists the law's.

    It is signed on the orderer's own machine.

    Args:
        files: all lists that are ordered now, with their register.
        signers: the role's own keys.
        version: one more than the last.
        now: Unix time.
    """
    named = {file.name: describe(file) for file in files}
    orders = Targets(version=version, expires=until(ORDERS, now), targets=named)
    return signed(Metadata(orders), signers)


def describe(file: NewTarget) -> TargetFile:
    """Return the signed data of a file.

    Raises:
        FeedError: its name leaves the folder.
    """
    path = PurePosixPath(file.name)
    if path.is_absolute() or ".." in path.parts or str(path) != file.name or path.name == "":
        raise FeedError(say("{name}: this is not a name for a file of the feed", name=file.name))
    target = TargetFile.from_data(file.name, file.content, ["sha256"])
    if file.custom:
        target.unrecognized_fields["custom"] = dict(file.custom)
    return target


def hashed_name(name: str, digest: str) -> str:
    """Return the name of a target's file below ``targets/``.

    The target's hash stands before the last part.
    """
    path = PurePosixPath(name)
    return str(path.with_name(f"{digest}.{path.name}"))


def until(role: str, now: float) -> datetime:
    """Return the expiry of metadata that a role signs now."""
    return datetime.fromtimestamp(int(now), UTC) + LIVES[role]


def signed(metadata: Metadata[Any], signers: Iterable[CryptoSigner]) -> bytes:
    """Return metadata in its published form, signed by these keys only."""
    metadata.signatures.clear()
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


class Identified(Protocol):
    """A key of which the public half is enough: a lost one, or another holder's."""

    @property
    def public_key(self) -> Key:
        """The public half."""


def delegations(signers: Sequence[Identified]) -> Delegations:
    """Return the delegation of legal orders: the keys, and the paths they may sign."""
    keys = {signer.public_key.keyid: signer.public_key for signer in signers}
    role = DelegatedRole(ORDERS, list(keys), threshold=1, terminating=True, paths=list(ORDERED))
    return Delegations(dict(keys), {ORDERS: role})


def check_signed(root: Root, role: str, content: bytes) -> None:
    """Check that metadata is signed as a root requires.

    Raises:
        FeedError: too few of the keys of the role have signed.
    """
    verify_signed(root, role, Metadata[Any].from_bytes(content))


def verify_signed(judge: Root, role: str, metadata: Metadata[Any]) -> None:
    """Check the same for parsed metadata."""
    try:
        judge.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
    except RepositoryError as error:
        raise FeedError(
            say("too few of the keys of the role {role} have signed", role=role)
        ) from error
