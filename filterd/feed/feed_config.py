# SPDX-License-Identifier: Apache-2.0
"""Find which feed or public lists a site follows.

Find also which lists are to be compiled for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.config.site_reader import load_site
from filterd.errors import FilterdError, StoreError
from filterd.feed.follow_file import FollowFile, Wanted
from filterd.feed.followed_sources import followed_set
from filterd.feed.manifest import verify
from filterd.feed.versions import Versions, is_followed
from filterd.lists.index_files import Blocklists
from filterd.paths import shipped
from filterd.policy import policy_file
from filterd.state_folder import BesideFolder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.config.site_schema import FollowEntry
    from filterd.feed.follow_file import FollowState
    from filterd.i18n import Sentence
    from filterd.lists.catalog import PublicSource
    from filterd.state_folder import StateFolder

_ZONE = "Asia/Ho_Chi_Minh"


class Followed(NamedTuple):
    """What a site follows, and the school's time zone.

    It follows a feed, public lists, both or nothing.

    Attributes:
        address: of the feed.
        time_zone: of the school.
        sources: the public lists.
        refused: why others that are named are not among them.
    """

    address: str
    time_zone: str
    sources: tuple[PublicSource, ...] = ()
    refused: tuple[Sentence, ...] = ()

    @property
    def is_any(self) -> bool:
        """Whether there is anything to follow."""
        return bool(self.address or self.sources)

    @property
    def first(self) -> Followed:
        """The feed, or else the public lists: what the versions in ``state.feed`` are of."""
        return self._replace(sources=(), refused=()) if self.address else self

    @property
    def beside(self) -> Followed:
        """The public lists that stand beside a feed; nothing where there is none."""
        return self._replace(address="") if self.address else Followed("", self.time_zone)


def followed(config: Path, state: StateFolder) -> Followed:
    """Return what ``site.yaml`` and commands follow.

    If that file is wrong, the feed is that of the active policy, or the lists those of the
    last run.
    """
    kept = FollowFile(state.feed).read()
    try:
        file = load_site(config).file
    except FilterdError:
        return _followed_last(state, kept)
    found = followed_set((*wanted_by(file.follow), *kept.by_command))
    return Followed(file.feed or "", file.time_zone, *found)


def wanted_by(follow: Iterable[FollowEntry]) -> tuple[Wanted, ...]:
    """Return the lists that ``follow`` of ``site.yaml`` names."""
    return tuple(
        Wanted(one.id or "", one.url or "", one.category or "", one.format, one.subtrees)
        for one in follow
    )


def _followed_last(state: StateFolder, kept: FollowState) -> Followed:
    try:
        policy = policy_file.load(state.policy)
    except StoreError:
        return Followed("", _ZONE, *followed_set(kept.last))
    return Followed(policy.feed, policy.time_zone, *followed_set(kept.last))


def _is_trusted(state: StateFolder, folder: Path) -> bool:
    from filterd.feed.trust import TrustFolder  # noqa: PLC0415 -- TUF, for a rare case only

    return TrustFolder(state.feed).trusts_version(folder)


def blocklists_to_build(config: Path, state: StateFolder) -> Blocklists:
    """Return the folder to compile: the feed's active version, else what ships.

    With it comes the active version of the public lists beside a feed. A version that is
    damaged on this disk is passed over for the one before, if its keys were not withdrawn
    since; the next run mends it.

    Raises:
        StoreError: filterd is installed without the shipped folder.
    """
    follows = followed(config, state)
    found = _in_force(state) if follows.is_any else None
    beside = _in_force(BesideFolder(state.folder)) if follows.beside.is_any else None
    return (found or Blocklists(shipped("blocklists")))._replace(beside=beside)


def _in_force(state: StateFolder) -> Blocklists | None:
    in_force = Versions(state.feed).in_force()
    for version in (in_force.current, *in_force.previous):
        if version is None or verify(folder := state.feed_version(version)):
            continue
        if version == in_force.current or is_followed(version) or _is_trusted(state, folder):
            return Blocklists(folder, version)
    return None
