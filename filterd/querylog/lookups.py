# SPDX-License-Identifier: Apache-2.0
"""Lookups at the levels with names: recorded by workers, written by the manager.

A worker must load this, so it has the standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.policy.model import TIER_OF_GRADE

if TYPE_CHECKING:
    from collections.abc import Iterable

LOOKUPS_A_BATCH = 400
"""Lookups of one batch: while it packs them a worker answers nothing, for half a millisecond on a
common processor. With the longest names it fits a packet of the channel of processes."""

WRITE_FROM = 10_000
"""Lookups that are written at once, or all of ``WRITE_EVERY_S``: an SD card wears by writes.

A write changes most pages of the index of names, so a school's day is written by time; this is for
bursts. Written 4,000 at once, a day of a million rows costs a third more."""

WRITE_EVERY_S = 300.0

SLOT_S = 300
"""Seconds of a slot: above ``DISTINCT_FROM`` rows a day, equal lookups of one slot are a row."""

DISTINCT_FROM = 1_500_000
"""Rows of a day beyond which a day file keeps distinct lookups of a slot only."""

BY_IPV4, BY_IPV6 = 2**30, 2**30 + 2**29
"""The least pseudonym by an IPv4 address, and by an IPv6 address; those by a MAC are below."""


class LookupContext(NamedTuple):
    """What lookups are counted under; the same words as those of ``counts.CountRow``.

    ``category`` is empty where no list or rule names the name, ``class_id`` and ``network``
    where none is known, ``blocker`` where nothing blocked.
    """

    grade: str
    class_id: str
    network: str
    category: str
    action: str
    blocker: str = ""

    @property
    def tier(self) -> str:
        """The tier of the grade."""
        return TIER_OF_GRADE[self.grade]


class Lookup(NamedTuple):
    """One lookup of a client.

    Attributes:
        at: Unix time in seconds; of several equal ones, the begin of their slot.
        name: the qname in canonical wire form.
        context: what it is counted under.
        device: pseudonym of the device of this school day, 1 to 2^31 - 1; 0 for none.
        is_row: whether the level keeps a row of it. Else it only adds to the distinct names.
        n: the number of equal lookups that it stands for.
    """

    at: int
    name: bytes
    context: LookupContext
    device: int
    is_row: bool = True
    n: int = 1


@dataclass(frozen=True, slots=True)
class LookupBatch:
    """Lookups on their way to the disk; see ``counts.Batch``."""

    worker: str
    number: int
    lookups: tuple[Lookup, ...] = ()
    more: bool = False

    def to_plain(self) -> dict[str, Any]:
        """Return the batch as plain data: each name and context once, lookups by number."""
        names: dict[bytes, int] = {}
        contexts: dict[LookupContext, int] = {}
        rows = [
            [
                one.at,
                names.setdefault(one.name, len(names)),
                contexts.setdefault(one.context, len(contexts)),
                one.device,
                one.is_row,
                one.n,
            ]
            for one in self.lookups
        ]
        return {
            "worker": self.worker,
            "number": self.number,
            "names": [name.hex() for name in names],
            "contexts": list(map(list, contexts)),
            "rows": rows,
            "more": self.more,
        }

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> LookupBatch:
        """Return the batch that another process sent as plain data."""
        names = list(map(bytes.fromhex, data["names"]))
        contexts = [LookupContext(*one) for one in data["contexts"]]
        lookups = _lookups(data["rows"], names, contexts)
        return cls(data["worker"], data["number"], tuple(lookups), data["more"])


def _lookups(
    rows: Iterable[list[Any]], names: list[bytes], contexts: list[LookupContext]
) -> Iterable[Lookup]:
    for at, name, context, device, is_row, n in rows:
        yield Lookup(at, names[name], contexts[context], device, is_row, n)
