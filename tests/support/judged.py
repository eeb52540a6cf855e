# SPDX-License-Identifier: Apache-2.0
"""A policy as the guard leaves it behind: of the site in force, and of the lists to come."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.lists.catalog import load_catalog
from filterd.lists.in_force import blocklists_in_force
from filterd.policy import store
from filterd.policy.site.origin import look, site_of
from filterd.policy.site.writing import write_policy

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.paths import StateFolder
    from filterd.policy.model import Policy


def write_judged(config: Path, state: StateFolder, *, port: int) -> Policy:
    """Write such a policy, told from the one in force by where it listens."""
    blocklists = blocklists_in_force(state).folder
    looked, site, policy = look(config, blocklists), site_of(state.policy), store.load(state.policy)
    assert looked is not None
    assert site is not None
    judged = replace(policy, listen=tuple(replace(one, port=port) for one in policy.listen))
    lists = load_catalog(blocklists).compiled
    write_policy(state.judged_policy, judged, looked.with_site(config, site), lists)
    return judged
