# SPDX-License-Identifier: Apache-2.0
"""Find which feed a site follows, and which lists are to be compiled for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.config.site_reader import load_site
from filterd.errors import FilterdError, StoreError
from filterd.feed.manifest import verify
from filterd.feed.versions import Versions
from filterd.lists.index_files import Blocklists
from filterd.paths import shipped
from filterd.policy import policy_file

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.state_folder import StateFolder

_ZONE = "Asia/Ho_Chi_Minh"


class Followed(NamedTuple):
    """The address of the feed that a site follows, or none; the school's time zone."""

    address: str
    time_zone: str


def followed(config: Path, state: StateFolder) -> Followed:
    """Return the feed of ``site.yaml``, or of the active policy if that is wrong."""
    try:
        file = load_site(config).file
    except FilterdError:
        pass
    else:
        return Followed(file.feed or "", file.time_zone)
    try:
        policy = policy_file.load(state.policy)
    except StoreError:
        return Followed("", _ZONE)
    return Followed(policy.feed, policy.time_zone)


def _is_trusted(state: StateFolder, folder: Path) -> bool:
    from filterd.feed.trust import TrustFolder  # noqa: PLC0415 -- TUF, for a rare case only

    return TrustFolder(state.feed).trusts_version(folder)


def blocklists_to_build(config: Path, state: StateFolder) -> Blocklists:
    """Return the folder to compile: the feed's active version, else what ships.

    A version that is damaged on this disk is passed over for the one before, if its keys
    were not withdrawn since; the next run mends it.

    Raises:
        StoreError: filterd is installed without the shipped folder.
    """
    if followed(config, state).address:
        in_force = Versions(state.feed).in_force()
        for version in (in_force.current, *in_force.previous):
            if version is None or verify(folder := state.feed_version(version)):
                continue
            if version == in_force.current or _is_trusted(state, folder):
                return Blocklists(folder, version)
    return Blocklists(shipped("blocklists"))
