# SPDX-License-Identifier: Apache-2.0
"""Whether a site follows a feed, and which lists are to be compiled for it."""

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
    """The feed that a site follows.

    Attributes:
        address: where it is; empty for none.
        time_zone: of the school, whose nights count.
    """

    address: str
    time_zone: str


def followed(config: Path, state: StateFolder) -> Followed:
    """Return which feed a site follows.

    ``site.yaml`` says it; while that is wrong, the policy in force does.

    Args:
        config: the folder of ``site.yaml``.
        state: where the policy in force is.
    """
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


def blocklists_to_build(config: Path, state: StateFolder) -> Blocklists:
    """Return the folder to compile: the version of the feed in force, else the one that ships.

    A version is passed over where it is damaged on this disk: the one before is
    whole, and the next run mends what is damaged.

    Args:
        config: the folder of ``site.yaml``.
        state: where the versions are.

    Raises:
        StoreError: filterd is installed without the folder that ships.
    """
    if followed(config, state).address:
        in_force = Versions(state.feed).in_force()
        for version in (in_force.current, *in_force.previous):
            if version is not None and not verify(folder := state.feed_version(version)):
                return Blocklists(folder, version)
    return Blocklists(shipped("blocklists"))
