# SPDX-License-Identifier: Apache-2.0
"""Find which feed or public lists a site follows, and which lists to compile.

Public lists are those of ``site.yaml``, and those set by command. One is named by its id in
the catalogue that ships, or by an address of its own; ``recommended`` is the set that the
catalogue recommends. A version pins the hosts that its lists come from.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from filterd.base.errors import FilterdError, StoreError
from filterd.base.paths import shipped
from filterd.base.state_folder import BesideFolder
from filterd.config.site_reader import load_site
from filterd.documents import dump
from filterd.feed.appliance_files import FollowFile, FollowState, Wanted
from filterd.feed.version_files import verify
from filterd.feed.versions import Versions, is_followed
from filterd.lists.catalogs.catalog import (
    RECOMMENDED,
    PublicSource,
    fillable_categories,
    shipped_sources,
)
from filterd.lists.hostname import HostnameError, key_from_text, name_from_key
from filterd.lists.index_files import Blocklists
from filterd.lists.rules import Pin
from filterd.policy import policy_file
from filterd.texts.i18n import Sentence, say
from filterd.wire import name as wire_names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from filterd.config.site_schema import FollowEntry
    from filterd.feed.appliance_files import FollowState
    from filterd.lists.catalogs.catalog import Catalog


_MOST_HOST = 50


class FollowedSet(NamedTuple):
    """Followed lists, each once, and why others that are named are not among them."""

    sources: tuple[PublicSource, ...]
    refused: tuple[Sentence, ...]


def wanted_of(sources: Iterable[PublicSource]) -> tuple[Wanted, ...]:
    """Return sources as they are kept."""
    known = {source.id for source in shipped_sources()}
    return tuple(
        Wanted(source.id)
        if source.id in known
        else Wanted(source.id, source.address, source.category, source.format, source.subtrees)
        for source in sources
    )


def followed_set(wanted: Iterable[Wanted]) -> FollowedSet:
    """Return the sources of all that is named.

    They are in the order of the catalogue, others last.
    """
    known = {one.id: one for one in shipped_sources()}
    found, refused = dict[str, PublicSource](), list[Sentence]()
    for one in wanted:
        if one.id == RECOMMENDED:
            found |= {each.id: each for each in known.values() if each.recommended}
        elif one.url:
            source = own_source(one)
            found[source.id] = source
        elif one.id in known:
            found[one.id] = known[one.id]
        else:
            refused.append(say("'{id}' is not a list of the catalogue", id=one.id))
    for each in list(found.values()):
        if each.category not in fillable_categories():
            del found[each.id]
            refused.append(
                say("{id}: no public list may fill {category}", id=each.id, category=each.category)
            )
    order = {each: place for place, each in enumerate(known)}
    chosen = sorted(found.values(), key=lambda each: order.get(each.id, len(order)))
    return FollowedSet(tuple(chosen), tuple(refused))


def own_source(wanted: Wanted) -> PublicSource:
    """Return the source at an address that the catalogue does not have."""
    return PublicSource(
        id=wanted.id or own_id(wanted.url),
        title=wanted.url,
        category=wanted.category,
        format=wanted.format,
        address=wanted.url,
        homepage=wanted.url,
        licence="unclear",
        attribution=host_of(wanted.url),
        checked=False,
        subtrees=wanted.subtrees,
        republish=False,
    )


def own_id(url: str) -> str:
    """Return the id of a list at an address: its host, and six digits of its SHA-256."""
    host = re.sub(r"[^a-z0-9]+", "-", host_of(url).lower()).strip("-")[:_MOST_HOST].strip("-")
    return f"{host or 'list'}-{hashlib.sha256(url.encode()).hexdigest()[:6]}"


def host_of(url: str) -> str:
    """Return the host of an address; empty where it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def without_command(state: FollowState, ids: Iterable[str]) -> FollowState:
    """Return a state in which no command follows these lists; others of a set stay."""
    gone, kept = set(ids), list[Wanted]()
    for one in state.by_command:
        if one.id == RECOMMENDED and gone & {each.id for each in followed_set([one]).sources}:
            kept += wanted_of(followed_set([one]).sources)  # the set without some of it
        else:
            kept.append(one)
    left = {one.id: one for one in kept if one.id not in gone}
    return replace(state, by_command=tuple(left.values()))


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
    from filterd.feed.signed.trust import TrustFolder  # noqa: PLC0415 -- TUF, for a rare case only

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


def with_pinned_hosts(catalog: Catalog) -> Catalog:
    """Return a catalogue that pins the hosts of its sources.

    They are pinned as the program pins names.
    """
    known = {pin.name for pin in catalog.pins}
    hosts = (Pin(name, reason="feed") for name in followed_hosts(catalog.sources))
    return replace(
        catalog, pins=(*catalog.pins, *(host for host in hosts if host.name not in known))
    )


def followed_hosts(sources: Iterable[PublicSource]) -> tuple[bytes, ...]:
    """Return the names of the hosts of sources and mirrors.

    No list may close these hosts, because lists come from them.
    """
    found = dict[bytes, None]()
    for address in chain.from_iterable(source.addresses for source in sources):
        with contextlib.suppress(ValueError, HostnameError):  # a host by its address
            found[name_from_key(key_from_text(urlsplit(address).hostname or ""))] = None
    return tuple(found)


def pins_yaml(catalog: Catalog) -> bytes:
    """Return ``pins.yaml`` with the pins of a catalogue."""
    pins = [
        {"name": wire_names.to_text(pin.name), "subtree": pin.subtree, "reason": pin.reason}
        for pin in catalog.pins
    ]
    return dump({"pins": pins})
