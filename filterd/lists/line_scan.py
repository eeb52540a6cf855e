# SPDX-License-Identifier: Apache-2.0
"""Make records of plain lines without a parser, in native code or in Python.

Of a list with a million lines nearly all are a plain name in the one shape that
is usual for the format. Those become records here, batch by batch. All other lines
go to the format's parser, which knows every shape and every error. The parser would
make the same entry of every line that is taken here: a line that could be anything
else, or is not in the form of keys, is left to it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from filterd.lists.hostname import MAX_TEXT
from filterd.lists.sort_records import record_tail
from filterd.native import live_only

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.lists.formats.parsed import PlainLine

_NAME = r"((?:[a-z0-9_-]{1,63}\.)+[a-z0-9_-]{0,62}[a-z_-])"
"""A name in the form of keys. One that ends in a digit may be an address."""


def plainly_skim(
    lines: list[str],
    shape: PlainLine,
    first: int,
    claim: int,
    special: tuple[frozenset[bytes], frozenset[bytes]],
    records: list[bytes],
) -> None:
    """Take the plain names out of a batch of lines.

    Args:
        lines: a line that is taken becomes empty.
        shape: the format's shape of a plain name.
        first: the number of the first of them in the list.
        claim: the id of what the shape claims.
        special: keys that are for the parser, and keys of which every child is.
        records: gets one more for each line that is taken; see ``filterd.lists.sort_records``.
    """
    fits, longest = _fits(shape.before, shape.after), MAX_TEXT + shape.octets
    alone, above = special
    for position, line in enumerate(lines):
        # An A-label is decoded before it is accepted.
        if len(line) > longest or "xn--" in line or not (match := fits(line)):
            continue
        key = "\0".join([*reversed(match[1].split(".")), ""]).encode("ascii")
        if key not in alone and key[: key.rfind(b"\0", 0, -1) + 1] not in above:
            records.append(key + record_tail(claim, first + position))
            lines[position] = ""


@cache
def _fits(before: str, after: str) -> Callable[[str], re.Match[str] | None]:
    return re.compile(re.escape(before) + _NAME + re.escape(after)).fullmatch


skim = getattr(live_only("filterd.lists._matcher"), "skim", plainly_skim)
"""``plainly_skim``, or the native code that takes the same lines."""
