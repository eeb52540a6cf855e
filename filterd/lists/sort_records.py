# SPDX-License-Identifier: Apache-2.0
r"""Sorted records of the compiler: each entry as ``bytes``; guards, survey, text.

``key + b"\0" + claim (u32) + line (u32)``, both big-endian. The NUL keeps the
order of keys: it is smaller than any octet that may follow a key within a longer
one. Sorted, the records of a name stand together by claim and line, and
everything beneath a name is one run. So taking out the entries of a pinned or
protected name costs two binary searches, not a test of each of a million entries.

The line 0, which no list has, *cancels* its claim: it sorts before the entries
that it cancels (Adblock's ``$badfilter``).

A list of a million names is surveyed and written every night; no object is made for a
name, and native code does both where it was built.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.native import live_only
from filterd.lists.hostname import key_from_name, text_from_key
from filterd.lists.report import Reason
from filterd.lists.rules import Effect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from typing import TypeAlias

    from filterd.lists.rules import Claim, ListSource, Pin, Protection

    Refuse: TypeAlias = Callable[[int, int, Reason, bytes], None]

TAIL_OCTETS = 9
CANCELS = 0

_tail = struct.Struct(">xII")
record_tail = _tail.pack
"""``record_tail(claim, line)`` is the part behind the key; a bare function, as it runs per line."""


def read_tail(record: bytes) -> tuple[int, int]:
    """Return claim id and line of a record."""
    claim, line = _tail.unpack(record[-TAIL_OCTETS:])
    return claim, line


def run_of(records: Sequence[bytes], key: bytes, *, subtree: bool) -> slice:
    """Return the slice of ``key``'s records, with ``subtree`` also of all beneath."""
    first, beyond = (key, b"\xff") if subtree else (key + b"\0", b"\1")
    return slice(bisect_left(records, first), bisect_left(records, key + beyond))


class Guarded:
    """Guards, applied to sorted records in place.

    Args:
        records: sorted.
        claims: for each claim id, the index into ``sources`` and the claim.
        sources: the lists.
        refuse: called for every block that is taken out with the index of its
            list, its line, the reason and the key.
    """

    def __init__(
        self,
        records: list[bytes],
        claims: Sequence[tuple[int, Claim]],
        sources: Sequence[ListSource],
        refuse: Refuse,
    ) -> None:
        self._records, self._claims, self._sources = records, claims, sources
        self._refuse = refuse

    def refuse_pinned(self, pins: Iterable[Pin]) -> None:
        """Remove all claims of lists on pinned names.

        Exceptions go too, as nothing is blocked.
        """
        everything = frozenset(range(len(self._claims)))
        for pin in pins:
            self._take_out(pin.name, everything, Reason.PINNED, subtree=pin.subtree)

    def set_aside_protected(self, protections: Iterable[Protection]) -> None:
        """Remove the blocks of third-party lists on protected names."""
        claims_but = dict[frozenset[str], frozenset[int]]()  # hundreds share a few exceptions
        for protection in protections:
            spared = protection.except_categories
            if spared not in claims_but:
                claims_but[spared] = frozenset(
                    claim_id
                    for claim_id, (index, claim) in enumerate(self._claims)
                    if claim.effect is Effect.BLOCK
                    and not self._sources[index].own
                    and self._sources[index].category not in spared
                )
            if theirs := claims_but[spared]:  # none in a list of the publisher's own
                self._take_out(
                    protection.name, theirs, Reason.PROTECTED, subtree=protection.subtree
                )

    def _take_out(
        self, name: bytes, claim_ids: frozenset[int], reason: Reason, *, subtree: bool
    ) -> None:
        """Remove these claims from the run of one guarded name."""
        key = key_from_name(name)
        if not key:
            return  # no list can have an entry for it
        run = run_of(self._records, key, subtree=subtree)
        found = self._records[run]
        kept = [record for record in found if read_tail(record)[0] not in claim_ids]
        if len(kept) == len(found):
            return
        for record in found:
            self._report(record, claim_ids, reason)
        self._records[run] = kept

    def _report(self, record: bytes, claim_ids: frozenset[int], reason: Reason) -> None:
        claim_id, line = read_tail(record)
        index, claim = self._claims[claim_id]
        if claim_id in claim_ids and claim.effect is Effect.BLOCK and line != CANCELS:
            self._refuse(index, line, reason, record[:-TAIL_OCTETS])


USED, CANCELLED = 1, 2
"""Uses of a claim, added: a record has it; one of them cancels it."""


def plainly_survey(
    records: Sequence[bytes], seen: AbstractSet[bytes], wanted: bytes
) -> tuple[bytes, list[bytes]]:
    """Return the uses of each claim, and the records that are picked, in their order.

    Args:
        records: see ``filterd.lists.sort_records``.
        seen: keys whose records are picked.
        wanted: for each claim id, whether its records are picked, too.
    """
    uses, picked = bytearray(len(wanted)), list[bytes]()
    for record in records:
        claim, line = read_tail(record)
        uses[claim] |= USED | (CANCELLED if line == CANCELS else 0)
        if wanted[claim] or record[:-TAIL_OCTETS] in seen:
            picked.append(record)
    return bytes(uses), picked


survey = getattr(live_only("filterd.lists._matcher"), "survey", plainly_survey)
"""``plainly_survey``, or the native code that finds the same."""


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
