# SPDX-License-Identifier: Apache-2.0
"""The light check: was something urgent published? One small file, often unchanged.

``timestamp.json`` names the last version that was published urgently. It counts
only once its signature is verified (``tuf_refresh.look``); then a run takes what it
announces (``tuf_refresh.refresh``), with all that a run verifies. What is merely new
waits for the night's slot.

The server's mark of a timestamp (its ETag) is kept with what that timestamp
announced, so that most checks bring no octet of it. A server could give every
school another mark and know it again; so a mark is kept only until the next run
that finds something new, a day as a rule, and never beyond the address or the
root it came by.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.errors import StoreError
from filterd.feed.tuf_refresh import Announcement, look
from filterd.state_file import FileFormat

if TYPE_CHECKING:
    from filterd.feed.http_fetcher import Fetcher
    from filterd.feed.trust import TrustFolder


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the last check saw, and what its mark holds for."""

    basis: str
    version: int
    urgent: int
    etag: str


_FORMAT = FileFormat(_Seen, magic=b"filterd feed-check ", most_octets=1_000, legacy=json.loads)


def check(trust: TrustFolder, fetcher: Fetcher) -> Announcement:
    """Return what is announced now, verified; ``schedule.after_check`` says what follows.

    Args:
        trust: the site's.
        fetcher: where from, fresh for each check: it bounds it.

    Raises:
        FetchError: nothing usable came.
        TrustError: what came must not be trusted, or the site has no root.
    """
    path = trust.folder / "last-check.json"
    basis = _basis(trust, fetcher)
    seen = _FORMAT.read(path)
    holds = seen is not None and seen.basis == basis
    last = Announcement(seen.version, seen.urgent, seen.etag) if seen and holds else None
    announced = look(trust, fetcher, last.etag if last else "")
    if announced is None:
        assert last is not None, "only who has a mark hears that nothing changed"
        return last
    if announced != last:
        with suppress(StoreError):  # it costs a few octets more the next time
            _FORMAT.save(path, _Seen(basis, announced.version, announced.urgent, announced.etag))
    return announced


def _basis(trust: TrustFolder, fetcher: Fetcher) -> str:
    """Return what a mark holds for: where from, by which root, and since which run."""
    digest = hashlib.sha256(fetcher.base.encode())
    digest.update(hashlib.sha256(trust.given()).digest())
    with suppress(OSError):
        digest.update((trust.metadata / "timestamp.json").read_bytes())
    return digest.hexdigest()
