# SPDX-License-Identifier: Apache-2.0
"""Sign packages of the program, for a parcel to the publisher.

The makers of the program keep the key of the role ``program`` on a machine of their own. A
parcel has the packages of **one** version: one for each release of Debian and architecture. It
names no older version: an appliance that has not taken that yet takes this one.

``newest`` in the signed metadata is the highest version that was ever signed, so that a parcel
which withdraws all packages still lets no older version follow.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from tuf.api.metadata import Metadata, Targets

from filterd.base.errors import ConfigError, FeedError
from filterd.base.paths import open_plain, reading
from filterd.base.value_class import frozen
from filterd.feed.signed.program_offer import (
    MOST_OCTETS,
    MOST_PACKAGES,
    ProgramTarget,
    is_program_version,
    read_targets,
    target_name,
    version_key,
)
from filterd.feed.version_files import PROGRAM
from filterd.publish.parcels import (
    Parcel,
    make_parcel,
    metadata_name,
    next_version,
    read_parcel,
    write_parcel,
)
from filterd.publish.signing import StoredTarget
from filterd.texts.i18n import quoted, refused, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from securesystemslib.signer import CryptoSigner

LONGEST_CARRIED_S = 86_400.0
"""From the signature to the publication: the steps of the rings are counted from the former."""

_FIELDS = ("Package", "Version", "Architecture")
_READING_S = 60.0
_MOST_FIELDS_OCTETS = 10_000
_NEWEST = "newest"
_are_parts = re.compile(r"([0-9.]+)\+deb([1-9][0-9])", re.ASCII).fullmatch


@frozen
class SignedProgram:
    """The packages of a parcel.

    Attributes:
        version: of the metadata.
        packages: those that are offered from now on.
        newest: the highest version of the program that was ever signed; empty for none.
    """

    version: int
    packages: tuple[ProgramTarget, ...]
    newest: str


def sign_program(
    packages: Iterable[Path],
    parcel: Path,
    signers: Sequence[CryptoSigner],
    *,
    now: float,
    after: int = 0,
    urgent: bool = False,
) -> SignedProgram:
    """Sign packages, and write the parcel to carry to the publisher.

    Args:
        packages: the files of one version; none withdraws what is offered.
        parcel: the folder to make; it replaces the last one.
        signers: the keys of the role ``program``.
        now: Unix time.
        after: the version of the metadata that was published last; the last parcel has it, too.
        urgent: every appliance takes it in its next window, without rings.

    Raises:
        ConfigError: ``dpkg-deb`` is missing.
        FeedError: a file is no package of filterd, they are of more than one version, or of
            one that is not above the last parcel's.
        StoreError: a file cannot be read, or the disk refused.
    """
    files = [_described(path, int(now), urgent=urgent) for path in packages]
    newest = _newest(files, newest_version(parcel))
    number = next_version(parcel, PROGRAM, after)
    made = make_parcel(PROGRAM, files, signers, version=number, now=now, **{_NEWEST: newest})
    signed = read_targets(Metadata[Targets].from_bytes(made.metadata).signed.targets)
    write_parcel(made, parcel)
    return SignedProgram(number, signed, newest)


def _newest(files: Sequence[StoredTarget], before: str) -> str:
    """Return the version of packages; without any, that of the packages before.

    Raises:
        FeedError: they cannot be offered together, or after those before.
    """
    versions = {str(file.custom[PROGRAM]["version"]) for file in files}
    if len(versions) > 1:
        raise FeedError(
            say(
                "the packages are of the versions {versions}; sign one version at a time",
                versions=", ".join(sorted(versions, key=version_key)),
            )
        )
    if len({file.name for file in files}) < len(files) or len(files) > MOST_PACKAGES:
        raise FeedError(
            say(
                "two packages are for the same system, or there are more than {most}",
                most=MOST_PACKAGES,
            )
        )
    for version in versions:
        if before and version_key(version) <= version_key(before):
            raise FeedError(
                say(
                    "version {version} is not above {newest}, which was signed last; appliances"
                    " take no older program",
                    version=version,
                    newest=before,
                )
            )
    return next(iter(versions), before)


def read_program(folder: Path, now: float) -> Parcel:
    """Read a parcel of packages that is to be published now.

    Raises:
        StoreError: a file is missing.
        FeedError: it is no parcel, or was signed too long ago.
    """
    parcel = read_parcel(folder, PROGRAM)
    for target in read_targets(Metadata[Targets].from_bytes(parcel.metadata).signed.targets):
        if target.released_at + LONGEST_CARRIED_S < now and not target.urgent:
            raise FeedError(
                say(
                    "{folder}: it was signed more than a day ago, and too many appliances would"
                    " take it at once; sign it again",
                    folder=folder,
                )
            )
    return parcel


def newest_version(parcel: Path) -> str:
    """Return the highest version that was ever signed into a parcel; empty for none."""
    if not (parcel / metadata_name(PROGRAM)).exists():
        return ""
    signed = Metadata[Targets].from_bytes(read_parcel(parcel, PROGRAM).metadata).signed
    newest = signed.unrecognized_fields.get(_NEWEST, "")
    return newest if is_program_version(newest) else ""


def _described(path: Path, now: int, *, urgent: bool) -> StoredTarget:
    """Return a package as it is to be signed."""
    with reading(path), open_plain(path) as file:
        octets = file.seek(0, 2)
    if octets > MOST_OCTETS:
        raise FeedError(say("{path}: it has more than {most} octets", path=path, most=MOST_OCTETS))
    name, version, architecture = _fields(path)
    parts = _are_parts(version)
    if name != "filterd" or parts is None or not is_program_version(parts[1]):
        raise FeedError(
            say(
                "{path}: this is not a package of filterd whose version is like 1.2.0+deb13",
                path=path,
            )
        )
    target = target_name(parts[1], parts[2], architecture)
    package = ProgramTarget(
        parts[1], parts[2], architecture, now, target, octets, sha256="", urgent=urgent
    )
    return StoredTarget(target, path, package.custom)


def _fields(path: Path) -> tuple[str, str, str]:
    """Return name, version and architecture in the control file of a package."""
    show = "\n".join(f"${{{one}}}" for one in _FIELDS)
    command = ["dpkg-deb", "--show", f"--showformat={show}", str(path.absolute())]
    try:
        shown = subprocess.run(  # noqa: S603 -- our own words, no shell
            command, capture_output=True, timeout=_READING_S, check=True
        ).stdout
    except OSError as error:
        raise ConfigError(
            say("dpkg-deb cannot be run: {why}", why=refused(error)),
            hint=say("sign on a machine with Debian"),
        ) from error
    except subprocess.SubprocessError as error:
        raise FeedError(
            say("{path}: this is not a package: {why}", path=path, why=_last_words(error))
        ) from error
    fields = shown[:_MOST_FIELDS_OCTETS].decode("utf-8", "replace").split("\n")
    name, version, architecture = (*fields, "", "", "")[: len(_FIELDS)]
    return name, version, architecture


def _last_words(error: subprocess.SubprocessError) -> object:
    """Return the last line that dpkg-deb has written of an error."""
    written = getattr(error, "stderr", None) or b""
    lines = written[-1_000:].decode("utf-8", "replace").strip().splitlines()
    return quoted(lines[-1] if lines else str(error))
