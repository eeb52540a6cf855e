# SPDX-License-Identifier: Apache-2.0
"""Write the names of sorted records as the text of a list, natively or not.

A list of a million names is written every night; no object is made for a name.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from filterd.lists.hostname import text_from_key
from filterd.lists.sort_records import CANCELS, TAIL_OCTETS, read_tail
from filterd.native import live_only

if TYPE_CHECKING:
    from collections.abc import Sequence

EXACT, SUBTREE, BLOCKS = 1, 2, 4
"""Roles of a claim, added: its name is written as one host, or with all beneath; it is counted."""


class WrittenNames(NamedTuple):
    """Names as the text of a list, in the format ``wildcard``.

    Attributes:
        text: one name a line; ``=`` before those that are one host.
        entries: of the text.
        names: distinct names with a claim that counts, written or not.
        redundant: names left out because they are beneath one that is written.
        has_exact: whether ``text`` has a ``=``; without, it is in the format ``domains``, too.
    """

    text: bytes
    entries: int
    names: int
    redundant: int
    has_exact: bool


def plainly_write_names(
    records: Sequence[bytes], roles: bytes, drops_covered: bool
) -> tuple[bytes, int, int, int, bool]:
    """Return the parts of ``WrittenNames``.

    Args:
        records: sorted; see ``filterd.lists.sort_records``.
        roles: of each claim, by its id.
        drops_covered: whether names beneath a name that is written with its subtree are left out.
    """
    lines, names, redundant, has_exact = list[str](), 0, 0, False
    above: bytes | None = None
    for key, same in groupby(records, lambda one: one[:-TAIL_OCTETS]):
        role = 0
        for claim, line in map(read_tail, same):
            role |= roles[claim] if line != CANCELS else 0
        names += bool(role & BLOCKS)
        if not role & (EXACT | SUBTREE):
            continue
        if drops_covered and above is not None and key.startswith(above):
            redundant += 1
        elif role & SUBTREE:
            above = key
            lines.append(f"{text_from_key(key)}\n")
        else:
            has_exact = True
            lines.append(f"={text_from_key(key)}\n")
    return "".join(lines).encode("ascii"), len(lines), names, redundant, has_exact


_write_names = getattr(live_only("filterd.lists._matcher"), "write_names", plainly_write_names)


def write_names(
    records: Sequence[bytes], roles: bytes, *, drops_covered: bool = False
) -> WrittenNames:
    """Write names; see ``plainly_write_names``."""
    return WrittenNames(*_write_names(records, roles, drops_covered))
