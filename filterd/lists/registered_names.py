# SPDX-License-Identifier: Apache-2.0
"""Find the registered names above listed ones, and the shapes that families have.

A *member* is a registered name as families are sorted by: the *shape* of its label (the
plain form, see ``lookalikes``, with each run of digits as ``#``), a NUL, and the name. It is
one ``bytes`` because there are a million, most of which are of no family.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from filterd.lists.hostname import HostnameError, key_from_text
from filterd.lists.lookalikes import plain
from filterd.lists.public_suffix import public_suffix_test, public_suffixes, suffix_rules
from filterd.native import live_only
from filterd.wire import name as wire_names

if TYPE_CHECKING:
    from collections.abc import Iterable

DIGITS = re.compile(rb"[0-9]+")
"""A run, as ``#`` stands for in a shape."""


def plainly_take_members(text: bytes, _special: object, _members: list[bytes]) -> list[bytes]:
    """Return all lines.

    Native code appends the members of plain names, and returns the other lines.
    """
    return text.split(b"\n")


_take_members = getattr(live_only("filterd.lists._matcher"), "take_members", plainly_take_members)


class Registered(NamedTuple):
    """A registered name: the plain form of its label, and the suffix above it."""

    name: str
    label: bytes
    suffix: str


def registered(name: str) -> Registered | None:
    """Return the registered name above a name.

    It is None if there is no such name, or if its label has no plain form.
    """
    try:
        key = key_from_text(name)
    except HostnameError:
        return None
    end, is_suffix = 0, public_suffix_test()
    while end := key.find(b"\0", end) + 1:
        if not is_suffix(key[:end]):
            break
    else:
        return None
    *above, label = key[: end - 1].split(b"\0")
    taken_for = plain(label)
    if taken_for is None or not above:
        return None
    suffix = b".".join(reversed(above)).decode("ascii")
    return Registered(f"{label.decode('ascii')}.{suffix}", taken_for, suffix)


@cache
def suffixes_as_registered() -> tuple[Registered, ...]:
    """Return all public suffixes of two and more labels as registered names.

    ``biz.az`` is no name beneath ``az``, and whatever closes it closes all beneath it.
    """
    found = []
    for suffix in public_suffixes():
        name = wire_names.to_text(suffix)
        label, _, above = name.partition(".")
        taken_for = plain(label.encode("ascii"))
        if taken_for is not None:
            found.append(Registered(name, taken_for, above))
    return tuple(found)


def distinct(names: Iterable[str]) -> list[Registered]:
    """Return the registered names above these names, each once, sorted."""
    found = {one for name in names if (one := registered(name)) is not None}
    return sorted(found)


def members_of(texts: Iterable[bytes]) -> list[bytes]:
    """Return the members that texts list, each once, sorted: by shape, then by name.

    Args:
        texts: names, one a line; a ``=`` before one means nothing here.
    """
    members = list[bytes]()
    for text in texts:
        left = _take_members(text, suffix_rules(), members)
        for line in left:
            if one := registered(line.removeprefix(b"=").decode(errors="replace")):
                members.append(DIGITS.sub(b"#", one.label) + b"\0" + one.name.encode("ascii"))
    members.sort()
    return [one for one, _ in groupby(members)]


def shape_of(member: bytes) -> bytes:
    """Return the shape of a member."""
    return member[: member.index(b"\0")]


def name_of(member: bytes) -> bytes:
    """Return the registered name of a member, as text in ASCII."""
    return member[member.index(b"\0") + 1 :]
