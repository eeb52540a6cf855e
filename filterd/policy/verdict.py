# SPDX-License-Identifier: Apache-2.0
"""The verdict of policy on one question, with its provenance."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple, Protocol

from filterd.texts.i18n import say


class Action(StrEnum):
    """The action on a query."""

    PASS = "pass"  # noqa: S105 -- RPZ's word for letting a question through
    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    SINKHOLE = "sinkhole"
    REWRITE = "rewrite"
    REFUSE = "refuse"


class Rule(IntEnum):
    """The kinds of rules, in their order (``precedence``), the smaller number first.

    ``PROTECTED`` and ``LIST_EXCEPTION`` do not let a name pass by themselves: they
    remove the claims of third-party lists, or of lists of one category,
    (``filterd.policy.precedence``). ``OPEN`` is no rule but worth reporting: the name
    is listed in a category that this grade may use. ``ALLOW_ONLY``: the grade sees only
    what is allowed, and the name is not.
    """

    PIN = 1
    ORDERED = 2
    PROTECTED = 3
    LOCKED = 4
    LOCAL = 5
    LIST_EXCEPTION = 6
    CATEGORY = 7
    OPEN = 8
    ALLOW_ONLY = 9

    @property
    def label(self) -> str:
        """The stable text for scripts and logs, such as ``list-exception``."""
        return self.name.lower().replace("_", "-")


class EntryView(Protocol):
    """A view of a list entry, decoded when it is read."""

    @property
    def name(self) -> bytes:
        """The listed name."""

    @property
    def line(self) -> int:
        """The line of the entry in its list."""

    @property
    def entry(self) -> str:
        """The entry as lists write it."""


class Match(NamedTuple):
    """One rule that covers the question, whether it decided or not.

    ``subject`` is the name in the rule, the qname or an ancestor, or the entry with it.
    ``covers_subtree``: it holds for all types and for everything beneath the qname as
    well. From a list come ``list_id``, ``line`` and ``entry`` (``=name`` exact host,
    ``name`` with its subtree, ``*.name`` what is beneath, ``~shape`` a look-alike
    rule); from the site's files ``local_id``. ``third_party``: protection holds against
    it. ``except_categories``: against lists of these a protection does not hold;
    ``entry_only``: only against entries that give exactly its name; ``every_list``: against
    the publisher's own lists, too.
    """

    rule: Rule
    blocks: bool
    subject: bytes | EntryView
    covers_subtree: bool = True
    category: str = ""
    list_id: str = ""
    local_id: str = ""
    reason: str = ""
    third_party: bool = False
    except_categories: frozenset[str] = frozenset()
    entry_only: bool = False
    every_list: bool = False

    @property
    def name(self) -> bytes:
        """The name in the rule.

        Raises:
            IndexFormatError: the index is damaged where it had to be read.
        """
        return self.subject if isinstance(self.subject, bytes) else self.subject.name

    @property
    def line(self) -> int:
        """The line of a list; 0 for other rules. Raises as ``name`` does."""
        return 0 if isinstance(self.subject, bytes) else self.subject.line

    @property
    def entry(self) -> str:
        """The entry of a list; empty for other rules. Raises as ``name`` does."""
        return "" if isinstance(self.subject, bytes) else self.subject.entry


class Verdict(NamedTuple):
    """The decision on one question of one client.

    ``match`` decided (None: no rule covers the name, so it passes),
    ``next_match`` would have decided without it. ``valid_until`` is the Unix
    time at which the site's own rules may decide otherwise, None for never.
    ``target`` is the name that answers in the place of one that is rewritten.
    ``covering`` are the rules of a name that passes which cover its targets,
    whether or not they overruled a block of the name itself.
    """

    action: Action
    match: Match | None = None
    next_match: Match | None = None
    valid_until: float | None = None
    covering: tuple[Match, ...] = ()
    target: bytes | None = None

    @property
    def blocked(self) -> bool:
        """Whether the name is blocked for the client."""
        return self.action not in _PASSING


_PASSING = (Action.PASS, Action.REWRITE)

PASSED = Verdict(Action.PASS)
"""The verdict on a name that no rule covers: nearly all of them."""


REASON = {
    "pin": say("pinned: nothing may block it"),
    "ordered": say("a legal order"),
    "protected": say("protected from third-party lists"),
    "locked": say("a category locked for everybody"),
    "local": say("the school's own rule"),
    "list-exception": say("the list excepts this name"),
    "service": say("a service open to this grade"),
    "category": say("a category closed to this grade"),
    "open": say("a category open to this grade"),
    "allow-only": say("only what is allowed is open now (an exam, or closed hours)"),
    "not-asked": say("a record type that is never forwarded (zone transfers and the like)"),
    "not-listed": say("on no list"),
    "alias": say("its alias leads to a blocked name"),
    "private-answer": say("a public name that leads to a private address"),
    "rewritten": say("the safe mode of the service"),
    "local-zone": say("a zone of the school's own"),
    "lease": say("a name that a device gave to the DHCP server"),
    "localhost": say("the asking device itself (localhost)"),
    "never-delegated": say("a name that is not on the Internet"),
    "private-reverse": say("reverse name of a private address"),
    "single-label": say("a single label"),
    "discovery": say("proxy discovery (wpad, isatap)"),
    "canary": say("the signal for devices not to use an encrypted DNS of their own"),
    "encrypted-dns-discovery": say("discovery of encrypted DNS"),
}
"""Why a name is blocked or passes, for people: by the label of a rule or of a local answer."""
