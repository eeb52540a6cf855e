# SPDX-License-Identifier: Apache-2.0
"""The site as the files on disk have it, for commands that work without the daemon."""

from __future__ import annotations

from filterd.cli.context import Context
from filterd.errors import ConfigError, NameTextError, StoreError
from filterd.lists.catalog import Catalog, load_catalog
from filterd.lists.hostname import HostnameError, key_from_text, name_from_key
from filterd.lists.index import Index
from filterd.paths import shipped
from filterd.policy.model import GRADES, Policy
from filterd.policy.site.compile import compile_policy
from filterd.policy.site.loading import SiteSources, load_site
from filterd.resolve.site import Site
from filterd.upstream import system
from filterd.wire import name as names


def qname_from(text: str) -> bytes:
    """Return the wire name that a person wrote, in letters of any language.

    Raises:
        ConfigError: it is no name.
    """
    try:
        return names.from_text(text) if text.isascii() else name_from_key(key_from_text(text))
    except HostnameError as error:
        raise ConfigError(str(error), hint="write a name such as vnu.edu.vn") from error
    except NameTextError as error:
        reason = f"'{text}' is no name: {error.reason}"
        raise ConfigError(reason, hint="write a name such as vnu.edu.vn") from error


def grade_from(text: str) -> str:
    """Return the grade that a person wrote.

    Raises:
        ConfigError: there is no such grade.
    """
    if text not in GRADES:
        raise ConfigError(f"'{text}' is no grade", hint=f"one of {', '.join(GRADES)}")
    return text


def read_site(here: Context) -> tuple[SiteSources, Catalog]:
    """Read the site's files and the catalogue that ships.

    Raises:
        ConfigErrors: all that is wrong with them.
    """
    return load_site(here.config), load_catalog(shipped("blocklists"))


def policy_of(here: Context) -> Policy:
    """Compile the site's files as they are now, without writing anything.

    Raises:
        ConfigErrors: all that is wrong with them.
    """
    return compile_policy(*read_site(here))


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
            f"{here.state.index}: {error.strerror}; compile the lists with `filterd lists build`"
        ) from error


def load_site_offline(here: Context) -> Site:
    """Join the site's files as they are now with the compiled lists."""
    policy = policy_of(here)
    return Site.of(policy, open_index(here), system.servers(policy.upstreams, policy.listen))
