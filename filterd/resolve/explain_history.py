# SPDX-License-Identifier: Apache-2.0
"""Explanation of the past: by the policy and the overrides of that time.

The lists are those of today, and so is what the network shows of the devices. This
module brings SQLite with it: no worker imports it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from filterd.errors import ConfigError
from filterd.i18n import say
from filterd.policy import policy_file as policy_store
from filterd.resolve.explain import client_of, explain
from filterd.resolve.site import Site

if TYPE_CHECKING:
    from filterd.clients.network_view import Surroundings
    from filterd.lists.index import Index
    from filterd.overrides.policy_versions import PolicyVersions
    from filterd.overrides.store import Store
    from filterd.resolve.explain import Explanation


class PastState(NamedTuple):
    """The recorded history, and the present state for what is not recorded."""

    versions: PolicyVersions
    store: Store
    lists: Index
    surroundings: Surroundings | None = None


class PastQuestion(NamedTuple):
    """A question about the past: for a grade or an address, at Unix time ``when``.

    ``shown`` is that time as the school's clock showed it.
    """

    qname: bytes
    qtype: int
    grade: str | None
    address: str | None
    when: float
    shown: str


def explain_past(past: PastState, asked: PastQuestion) -> Explanation | None:
    """Explain a past result for a client; None for an address that was not allowed.

    Raises:
        ConfigError: the policy of that time is not known.
        StoreError: it cannot be read.
    """
    version, overrides = past.versions.at(asked.when), past.store.at(asked.when)
    if version is None or overrides is None:
        hint = say("`filterd policy history` shows from when it is")
        raise ConfigError(
            say("what was in force at {told} is not known", told=asked.shown), hint=hint
        )
    policy = policy_store.load(version.path)
    site = Site.of(policy, past.lists, (), past.surroundings, overrides, asked.when)
    client = client_of(site, asked.grade, asked.address)
    if client is None:
        return None
    told = explain(site, client, asked.qname, asked.qtype, asked.when)
    return replace(told, source="history")
