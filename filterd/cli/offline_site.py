# SPDX-License-Identifier: Apache-2.0
"""Read the site's files and the compiled lists, for commands without a daemon.

It imports YAML, pydantic and SQLite, so commands that ask the daemon import it late.
"""

from __future__ import annotations

from typing import Any

from filterd.base.errors import StoreError
from filterd.cli.context import Context
from filterd.config.site_reader import SiteSources, load_site
from filterd.daemon import policy_reader
from filterd.daemon.time import known_time
from filterd.lists.catalogs.catalog import Catalog, load_catalog
from filterd.lists.index import Index
from filterd.lists.index_files import blocklists_in_force
from filterd.operations.policy import CheckName, CheckPast
from filterd.overrides.history.policy_versions import PolicyVersions
from filterd.overrides.history.store import Store
from filterd.policy.model import Policy
from filterd.policy.unknown_time import Certainty
from filterd.resolve.explain import PastQuestion, PastState, client_of, explain, explain_past
from filterd.resolve.site import Site
from filterd.texts.i18n import refused, say
from filterd.upstream import resolv_conf


def read_site(here: Context) -> tuple[SiteSources, Catalog]:
    """Read the site's files and the catalogue that the lists in force are of.

    Raises:
        ConfigErrors: all that is wrong with them.
    """
    return load_site(here.config), load_catalog(blocklists_in_force(here.state).folder)


def policy_of(here: Context) -> Policy:
    """Compile the site's files as they are now, without writing anything.

    Raises:
        ConfigErrors: all that is wrong with them.
    """
    return policy_reader.of_files(here.config, here.state)


def open_index(here: Context) -> Index:
    """Open the compiled lists.

    Raises:
        StoreError: there are none.
        IndexFormatError: they are damaged.
    """
    try:
        return Index.open(here.state.index)
    except OSError as error:
        raise StoreError(
            say(
                "{index}: {why}; compile the lists with `filterd lists build`",
                index=here.state.index,
                why=refused(error),
            )
        ) from error


def load_site_offline(here: Context, at: float | None = None) -> Site:
    """Join the site's files as they are now with the compiled lists and the overrides.

    Args:
        here: which site and state.
        at: the policy time; None for now.

    Raises:
        FilterdError: one of them cannot be read.
    """
    policy = policy_of(here)
    servers = resolv_conf.servers(policy.upstreams, policy.listen)
    now, certain = policy_time(here)
    return Site.of(
        policy,
        open_index(here),
        servers,
        overrides=store(here).current(),
        now=now if at is None else at,
        certain=lambda: certain,
    )


def policy_time(here: Context) -> tuple[float, Certainty]:
    """Return the time that policy goes by, and what is certain about it."""
    return known_time.without_daemon(here.state, here.clock)


def store(here: Context) -> Store:
    """Return the store of changes."""
    return Store(here.state, here.clock)


def versions(here: Context) -> PolicyVersions:
    """Return the policies that were in force last."""
    return PolicyVersions(here.state, store(here), here.clock)


def explain_now(here: Context, asked: CheckName) -> dict[str, Any] | None:
    """Explain a verdict by the files on disk; None for a client that may not ask.

    Raises:
        FilterdError: the files cannot be read.
    """
    site = load_site_offline(here, asked.at)
    found = client_of(site, asked.grade, asked.client)
    now = policy_time(here)[0] if asked.at is None else asked.at
    return None if found is None else explain(site, found, *asked.question, now).to_plain()


def explain_then(here: Context, asked: CheckPast) -> dict[str, Any] | None:
    """Explain a verdict of the past by the history; None for a client that might not ask.

    Raises:
        FilterdError: what was in force then is not known, or cannot be read.
    """
    past = PastState(versions(here), store(here), open_index(here))
    question = PastQuestion(*asked.question, asked.grade, asked.client, asked.at, asked.shown)
    found = explain_past(past, question)
    return None if found is None else found.to_plain()
