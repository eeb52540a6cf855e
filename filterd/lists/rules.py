# SPDX-License-Identifier: Apache-2.0
"""Frozen records of list data: entries, list sources, pins, protections, rewrites.

``Claim`` and ``ListSource`` are what all list formats are read into. ``Pin`` and
``Protection`` name what lists must leave alone. Both are read twice: by the
compiler, which takes the entries for these names out, and by policy, because an
entry for a *parent* of such a name is valid and must still not block the name.
``SafeSearchRewrite`` gives names that have a safe-search twin.
"""

from __future__ import annotations

from dataclasses import asdict, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.state_file import ADDED
from filterd.base.value_class import frozen

if TYPE_CHECKING:
    from filterd.lists.lookalikes import LookalikeRule

SERVICE_PREFIX = "service:"
"""The prefix of ids of the lists that are services."""

ORDER_PREFIX = "order:"
"""The prefix of ids of lists that are legal orders; the number of the order follows."""

LOOKALIKE_PREFIX = "lookalike:"
"""The prefix of ids of the lists of rules, one for each category."""

MERGED_PREFIX = "feed-"
"""How the ids of lists begin that are made of those of third parties."""

MADE_CANARY = ".blocked.filterd.example"
"""How names end that exist only to be asked for; the category stands before it."""

ALWAYS_GUARDED = frozenset(("encrypted-dns", "proxy-vpn", "self-harm", "violence"))
"""Categories that are guarded, whatever a feed says (``filterd.policy.guarded_categories``)."""
ALWAYS_CONFIDENTIAL = frozenset(("child-abuse", "self-harm"))
"""Categories whose names are never shown, also by files of before the key."""


def is_order(list_id: str) -> bool:
    """Return whether a list is a legal order, signed by the authority.

    Nothing else can have such an id: other lists of a version have no colon, services and
    look-alikes prefixes of their own.
    """
    return list_id.startswith(ORDER_PREFIX)


class Scope(IntEnum):
    """The names that an entry for ``name`` covers."""

    EXACT = 0
    """``name`` alone (hosts files)."""
    SUBTREE = 1
    """``name`` and everything beneath it."""
    SUBDOMAINS = 2
    """Everything beneath ``name``, not ``name`` (RPZ ``*.name``)."""

    def written(self, name: str) -> str:
        """Return an entry in the notation for people: ``=name``, ``name`` or ``*.name``."""
        return ("=", "", "*.")[self] + name


class Effect(IntEnum):
    """The effect of an entry on these names."""

    BLOCK = 0
    EXCEPT = 1
    """Not to be blocked by lists of the same category (``@@``, rpz-passthru)."""
    MARKER = 2
    """Made by the compiler: an exception lies beneath this name, so an NXDOMAIN
    here would deny it (RFC 8020)."""


@frozen
class Claim:
    """The claim of an entry on its name, without the name.

    Few are distinct; all are interned.
    ``important``: outranks exceptions (``$important``); an important exception
    outranks that. ``specific``: an exception that only outranks blocks of its
    own name and of shorter ones, as RPZ, dnsmasq and unbound define it; Adblock
    exceptions outrank all. ``types``: only these query types, or, where
    ``types_negated``, all but these. ``denyallow``: wire names that, with
    everything beneath them, the entry leaves alone.
    """

    scope: Scope
    effect: Effect = Effect.BLOCK
    important: bool = False
    specific: bool = False
    types: frozenset[int] | None = None
    types_negated: bool = False
    denyallow: frozenset[bytes] = frozenset()

    def covers_type(self, qtype: int) -> bool:
        """Return whether the entry covers questions of this type."""
        return self.types is None or (qtype in self.types) is not self.types_negated


@frozen
class SourceShare:
    """The part of one public source in a merged list.

    Attributes:
        id: of the source.
        names: that were taken from it.
        only: those that no other public source of the category has.
        left_out: entries for protected and popular names, and of education.
        popular: popular names that it closes, the most popular first; a few.
        date: the day on which its text came, ISO 8601; empty where that is not known.
    """

    id: str
    names: int
    only: int
    left_out: int = 0
    popular: tuple[str, ...] = ()
    date: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return plain data for a catalogue, without what says nothing."""
        plain = asdict(self) | {"popular": list(self.popular)}
        return {key: value for key, value in plain.items() if value or key in ("names", "only")}


@frozen
class ListSource:
    """A list to compile.

    ``own``: written or signed by the publisher of the index, so protection
    (``Protection``) does not hold against it. ``names``: the content of a list without
    a text of its own, which is part of the file ``path``: wire names, each with its
    line there; each includes its subtree. ``lookalikes``: families of names that it
    covers beside its entries. ``subtrees``: an entry for one host includes its subtree.
    ``made_of``: the public sources that were merged into it.
    """

    id: str
    category: str
    format: str
    path: str
    own: bool = False
    title: str = ""
    names: tuple[tuple[int, bytes], ...] | None = None
    lookalikes: tuple[LookalikeRule, ...] = ()
    subtrees: bool = False
    made_of: tuple[SourceShare, ...] = ()


@frozen
class SafeSearchRewrite:
    """A rewrite of hosts to their safe-search twin.

    ``setting`` and ``level`` select the grades: those whose policy sets ``safe_search`` or
    ``youtube`` to that level. ``names`` are the hosts, without names beneath them;
    ``target`` is the name whose addresses they get.
    """

    setting: str
    level: str
    target: bytes
    names: tuple[bytes, ...]


@frozen
class Pin:
    """A name that nothing may block. ``subtree``: everything beneath it too."""

    name: bytes
    subtree: bool = False
    reason: str = ""


@frozen
class Protection:
    """A name that third-party lists may not block, an urgent order may.

    ``except_categories``: lists of these categories may block it all the same;
    a chat service is no scam, and still social media. ``entry_only``: it holds only
    against entries for exactly this name, which an administrator has suspended.
    ``every_list``: it holds against the publisher's own lists and services, too.
    """

    name: bytes
    subtree: bool = True
    reason: str = ""
    except_categories: frozenset[str] = frozenset()
    entry_only: bool = False
    every_list: bool = field(default=False, metadata={ADDED: True})


class NamingEntry(NamedTuple):
    """An entry of a third-party list that closes a name.

    ``entry`` is in list notation, ``line`` is its line; ``version`` identifies the text of
    the list.
    """

    list: str
    category: str
    entry: str
    line: int
    version: str
