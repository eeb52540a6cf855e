# SPDX-License-Identifier: Apache-2.0
"""Find which public lists a site follows.

They are those of ``site.yaml``, and those set by command.

A list is named by its id in the catalogue that ships, or by an address of its own;
``recommended`` is the set that the catalogue recommends.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from filterd.feed.follow_file import FollowState, Wanted
from filterd.i18n import Sentence, say
from filterd.lists.catalog import RECOMMENDED, PublicSource, fillable_categories, shipped_sources
from filterd.lists.hostname import HostnameError, key_from_text

if TYPE_CHECKING:
    from collections.abc import Iterable


_MOST_HOST = 50


class FollowedSet(NamedTuple):
    """Followed lists, each once, and why others that are named are not among them."""

    sources: tuple[PublicSource, ...]
    refused: tuple[Sentence, ...]


def wanted_of(sources: Iterable[PublicSource]) -> tuple[Wanted, ...]:
    """Return sources as they are kept."""
    known = {one.id for one in shipped_sources()}
    return tuple(
        Wanted(one.id)
        if one.id in known
        else Wanted(one.id, one.address, one.category, one.format, one.subtrees)
        for one in sources
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
            refused.append(say("'{id}' is no list of the catalogue", id=one.id))
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
    """Return the id of a list at an address: its host, and what tells two of it apart."""
    host = re.sub(r"[^a-z0-9]+", "-", host_of(url).lower()).strip("-")[:_MOST_HOST].strip("-")
    return f"{host or 'list'}-{hashlib.sha256(url.encode()).hexdigest()[:6]}"


def host_of(url: str) -> str:
    """Return the host of an address; empty where it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def followed_hosts(sources: Iterable[PublicSource]) -> tuple[bytes, ...]:
    """Return the keys of the hosts of sources and mirrors.

    No list may close these hosts, because lists come from them.
    """
    found = dict[bytes, None]()
    for source in sources:
        for address in source.addresses:
            try:
                found[key_from_text(host_of(address))] = None
            except HostnameError:
                continue  # a host by its address
    return tuple(found)


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
