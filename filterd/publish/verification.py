# SPDX-License-Identifier: Apache-2.0
"""Verify a whole publication as a new appliance would, from the first root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tuf.api.metadata import Metadata

from filterd.feed.program_offer import refresh_program
from filterd.feed.trust import TrustFolder
from filterd.feed.tuf_refresh import refresh
from filterd.paths import write_atomically
from filterd.publish.keys import ROOT
from filterd.publish.publication import unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from filterd.feed.arrival import Moment
    from filterd.feed.fetchers import Fetcher
    from filterd.feed.program_offer import ProgramTarget
    from filterd.feed.tuf_refresh import Verified


@dataclass(frozen=True, slots=True)
class Examined:
    """A verified publication.

    Attributes:
        verified: the publication.
        octets: so much was fetched of its files, differences and packages.
        expiries: until when the word of each role holds, Unix time.
        contents: how many octets its files have, unpacked, by their paths.
        packages: of the program.
    """

    verified: Verified
    octets: int
    expiries: Mapping[str, float]
    contents: Mapping[str, int]
    packages: tuple[ProgramTarget, ...]


def verify(
    root: bytes,
    fetcher: Fetcher,
    moment: Moment,
    progress: Callable[[int, int], object] = lambda _done, _all: None,
    into: Path | None = None,
) -> Examined:
    """Fetch and verify everything that is published, and unpack every file.

    Args:
        root: what sites are given to trust.
        fetcher: where from.
        moment: the time, by which expiry is judged.
        progress: called with the targets that are done and all of them.
        into: a folder to write the files to, else they are only looked at.

    Raises:
        FetchError: something did not come.
        TrustError: something is not as it was signed, or not signed.
        StoreError: the disk refused.
    """
    octets, contents = 0, dict[str, int]()
    with TemporaryDirectory(prefix="filterd-verify-") as folder:
        trust, program = TrustFolder(Path(folder, "lists")), TrustFolder(Path(folder, "program"))
        trust.establish(root)
        program.establish(root)
        verified = refresh(trust, fetcher, moment)
        offer = refresh_program(program, fetcher, moment)
        total = len(verified.signed) + len(offer.targets)
        files = {file.target: file for file in verified.publication.files}
        for number, target in enumerate(sorted(verified.signed), 1):
            packed = verified.fetch(target)
            octets += len(packed)
            if (file := files.get(target)) is not None:
                content = unpacked(packed, file, file.path)
                contents[file.path] = len(content)
                if into is not None:
                    write_atomically(into / file.path, content)
            progress(number, total)
        for number, package in enumerate(offer.targets, len(verified.signed) + 1):
            offer.fetch(package, Path(folder, "package"))
            octets += package.octets
            progress(number, total)
        expiries = {**_expiries(program), **_expiries(trust)}
    return Examined(verified, octets, expiries, contents, offer.targets)


def _expiries(trust: TrustFolder) -> dict[str, float]:
    """Return the expiry of each verified role."""
    roles = {
        path.stem: Metadata[Any].from_bytes(path.read_bytes()).signed.expires.timestamp()
        for path in trust.metadata.glob("*.json")
    }
    return {**roles, ROOT: trust.newest_root().expires.timestamp()}
