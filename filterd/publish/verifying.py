# SPDX-License-Identifier: Apache-2.0
"""A publication, looked at as a new appliance looks at it: all of it, from the first root."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from filterd.errors import DigestError
from filterd.feeds.packing import unpack
from filterd.feeds.trust import TrustFolder
from filterd.feeds.updating import refresh
from filterd.sentences import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.feeds.fetching import Fetcher
    from filterd.feeds.updating import Moment, Verified


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found good.

    Attributes:
        verified: the publication.
        octets: so much was fetched of its files and differences.
    """

    verified: Verified
    octets: int


def verify(
    root: bytes,
    fetcher: Fetcher,
    moment: Moment,
    progress: Callable[[int, int], object] = lambda _done, _all: None,
) -> Examined:
    """Fetch and verify everything that is published, and unpack every file.

    Args:
        root: what sites are given to trust.
        fetcher: where from.
        moment: the time, by which expiry is judged.
        progress: called with the targets that are done and all of them.

    Raises:
        FetchError: something did not come.
        TrustError: something is not as it was signed, or not signed.
    """
    octets = 0
    with TemporaryDirectory(prefix="filterd-verify-") as folder:
        trust = TrustFolder(Path(folder))
        trust.establish(root)
        verified = refresh(trust, fetcher, moment)
        files = {file.target: file for file in verified.publication.files}
        for number, target in enumerate(sorted(verified.signed), 1):
            packed = verified.fetch(target)
            octets += len(packed)
            if target in files:
                _check(
                    files[target].path, files[target].sha256, unpack(packed, files[target].length)
                )
            progress(number, len(verified.signed))
    return Examined(verified, octets)


def _check(path: str, digest: str, content: bytes) -> None:
    if sha256(content).hexdigest() != digest:
        raise DigestError(
            say("{path}: what is packed is not the content that was signed for", path=path)
        )
