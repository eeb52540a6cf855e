# SPDX-License-Identifier: Apache-2.0
"""Find the known name that a misspelt one was meant to be. Pure.

Known are the names that the policy has: of services, pins and protections. A distance is that
of optimal string alignment: letters added, left out, replaced, or exchanged with the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.policy.model import Policy

_SHORTEST, _LONG = 4, 8
"""Characters before the last label from which on one slip of the pen is looked for, and two.

With two slips in short names, one popular name in forty is near to a known one.
"""


def meant_by(policy: Policy, name: bytes) -> str:
    """Return the known name that a name was probably meant to be; "" for none.

    A name that is known, or beneath a known one, is right.
    """
    known = frozenset(_known(policy))
    if any(one in known for one in names.suffixes(name)):
        return ""
    written = names.to_text(name).removeprefix("www.")
    length = len(written.rpartition(".")[0])
    if length < _SHORTEST:
        return ""
    most = 2 if length >= _LONG else 1
    near = (
        (distance(written, text, most), text)
        for text in sorted(map(names.to_text, known))
        if abs(len(text) - len(written)) <= most and len(set(text) ^ set(written)) <= 2 * most
    )
    found, text = min(near, default=(most + 1, ""))
    return text if found <= most else ""


def _known(policy: Policy) -> Iterator[bytes]:
    for service in policy.services.values():
        yield from service.names
    yield from (one.name for one in policy.pins)
    yield from (one.name for one in policy.protections)


def distance(one: str, other: str, most: int) -> int:
    """Return the distance of two texts; ``most`` + 1 where it is greater."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, its in enumerate(other, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != its))
            if earlier and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
