# SPDX-License-Identifier: Apache-2.0
"""Whether a site follows a feed, and which lists are to be compiled for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.errors import ConfigError, StoreError
from filterd.feeds.versions import Versions, verify
from filterd.lists.in_force import Blocklists
from filterd.paths import shipped
from filterd.policy import store
from filterd.policy.site.loading import load_site

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.paths import StateFolder


def feed_of(config: Path, state: StateFolder) -> str:
    """Return the address of the feed that a site follows, empty for none.

    ``site.yaml`` says it; while that is wrong, the policy in force does.

    Args:
        config: the folder of ``site.yaml``.
        state: where the policy in force is.
    """
    try:
        return load_site(config).file.feed or ""
    except ConfigError:
        pass
    try:
        return store.load(state.policy).feed
    except StoreError:
        return ""


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
    if feed_of(config, state):
        in_force = Versions(state.feed).in_force()
        for version in (in_force.current, *in_force.previous):
            if version is not None and not verify(folder := state.feed_version(version)):
                return Blocklists(folder, version)
    return Blocklists(shipped("blocklists"))
