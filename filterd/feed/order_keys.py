# SPDX-License-Identifier: Apache-2.0
"""Whose orders are orders: a key that the online keys alone have named is held first.

TUF lets the role ``targets`` say whose key the role ``orders`` has. A thief of the online keys
could name their own, and order by law what no list may close. So another key than that of the
version in force waits, until an administrator or the root keys (``released_holds``) agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.feed.guard.guard_report import Severity, found
from filterd.i18n import say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from filterd.feed.guard.guard_report import Finding

ROLE = "orders"
KIND = "orders-key"
"""The kind of what is found here."""


def other_key(new: Collection[str] | None, known: Collection[str] | None) -> Iterator[Finding]:
    """Find whether another key than until now signs what the law orders.

    Args:
        new: ids of the keys of the role in a version; None where they are not known.
        known: the same of the version in force.
    """
    if not known or new is None or set(new) == set(known):
        return
    sentence = say("what the law orders would be signed by another key than until now")
    yield found(KIND, Severity.HELD, sentence, (), [f"+{ROLE} {one}" for one in sorted(new)])
