# SPDX-License-Identifier: Apache-2.0
"""The site as the files on disk have it, for commands that work without the daemon."""

from __future__ import annotations

from ipaddress import ip_address
from math import inf

from filterd.cli.context import Context
from filterd.config.compile import compile_policy
from filterd.config.site_reader import SiteSources, load_site
from filterd.errors import ConfigError, NameTextError, StoreError
from filterd.i18n import quoted, refused, say
from filterd.lists.catalog import Catalog, load_catalog
from filterd.lists.hostname import HostnameError, key_from_text, name_from_key
from filterd.lists.index import Index
from filterd.lists.index_files import blocklists_in_force
from filterd.overrides.store import Store
from filterd.policy.model import GRADES, Policy
from filterd.resolve.site import Site
from filterd.upstream import resolv_conf
from filterd.wire import name as names

_SUCH_AS = say("write a name such as vnu.edu.vn")


def qname_from(text: str) -> bytes:
    """Return the wire name that a person wrote, in letters of any language.

    Raises:
        ConfigError: it is no name, or one that nobody means: an address or a
            URL is a name to the DNS, and passing it would mislead who pasted it.
    """
    _refuse_what_is_never_looked_up(text)
    try:
        return names.from_text(text) if text.isascii() else name_from_key(key_from_text(text))
    except HostnameError as error:
        raise ConfigError(error.sentence, hint=_SUCH_AS) from error
    except NameTextError as error:
        raise ConfigError(
            say("{text} is not a name: {reason}", text=repr(text), reason=quoted(error.reason)),
            hint=_SUCH_AS,
        ) from error


def _refuse_what_is_never_looked_up(text: str) -> None:
    # RFC 2317 has slashes in the names of reverse zones.
    if "/" in text and not text.removesuffix(".").endswith(".in-addr.arpa"):
        host = text.partition("://")[2] or text
        hint = say("a lookup is for its host: {host}", host=repr(host.partition("/")[0]))
        raise ConfigError(say("{text} is a URL", text=repr(text)), hint=hint)
    if _is_address(text):
        raise ConfigError(
            say("{text} is an address, which needs no lookup", text=repr(text)), hint=_SUCH_AS
        )


def _is_address(text: str) -> bool:
    try:
        ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def grade_from(text: str) -> str:
    """Return the grade that a person wrote.

    Raises:
        ConfigError: there is no such grade.
    """
    if text not in GRADES:
        raise ConfigError(
            say("{text} is not a grade", text=repr(text)),
            hint=say("one of {known}", known=", ".join(GRADES)),
        )
    return text


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
            say(
                "{index}: {why}; compile the lists with `filterd lists build`",
                index=here.state.index,
                why=refused(error),
            )
        ) from error


def load_site_offline(here: Context, now: float, floor: float = -inf) -> Site:
    """Join the site's files as they are now with the compiled lists and what is set.

    Args:
        here: which site and state.
        now: the policy time at which it is to hold.
        floor: what the time is at least, where it is not known.

    Raises:
        FilterdError: any of them cannot be read.
    """
    policy = policy_of(here)
    servers = resolv_conf.servers(policy.upstreams, policy.listen)
    overrides = Store(here.state, here.clock).current()
    return Site.of(policy, open_index(here), servers, overrides=overrides, now=now, floor=floor)
