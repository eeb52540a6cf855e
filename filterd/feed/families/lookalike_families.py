# SPDX-License-Identifier: Apache-2.0
"""Find families among listed names: names that differ in digits or suffix only.

A *member* of a family is the registered name above a listed one, as families are sorted by:
the *shape* of its label (the plain form, see ``lookalikes``, with each run of digits as
``#``), a NUL, and the name. It is one ``bytes`` because there are a million, most of which
are of no family. Digits that all members of a family share stay as they are: ``k8tip01``,
``k8tip02`` have the shape ``k8tip#``.

``lookalike_rules`` makes rules of families. A family that makes none by itself waits for a person,
with the names that its rule would close. A decision outlives the family: a refused one is not asked
about again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache, lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.native import live_only
from filterd.lists.hostname import HostnameError, key_from_text
from filterd.lists.lookalikes import (
    MOST_DIGITS,
    MOST_SHAPE_OCTETS,
    class_form,
    plain,
    skeleton,
)
from filterd.lists.public_suffix import public_suffix_test, public_suffixes, suffix_rules
from filterd.wire import name as wire_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.lists.lookalikes import LookalikeRule


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


EXAMPLES = 5
ACCEPTED = "accept"
"""What a person may decide of a family; anything else refuses its rule."""


class Decision(NamedTuple):
    """One decision; ``on`` is the day, ISO 8601."""

    shape: bytes
    category: str
    digits: int
    decision: str
    who: str
    why: str
    on: str


class Waiting(NamedTuple):
    """A family that waits for a person.

    It has the count of its listed names, a sample of them, and what its rule would close.
    """

    shape: bytes
    category: str
    digits: int
    members: int
    examples: tuple[str, ...]
    closes: tuple[str, ...]


class Family(NamedTuple):
    """Names of one shape.

    ``digits``: the most that a run of theirs has; ``examples``: some.
    """

    shape: bytes
    digits: int
    members: int
    examples: tuple[str, ...]


def shared_octets(shape: bytes) -> int:
    """Return how many octets all names of a family share.

    They share letters, and the digits that are in no run.
    """
    return len(shape) - shape.count(b"#")


def families(members: Iterable[bytes]) -> list[Family]:
    """Return all families of two and more, the largest first.

    Args:
        members: sorted, as of ``members_of``.
    """
    found = list[Family]()
    for shape, same in groupby(members, shape_of):
        names = [name_of(one) for one in same]
        if len(names) > 1:
            found.append(_family(shape, names))
    kept = [one for one in found if len(one.shape) <= MOST_SHAPE_OCTETS]
    return sorted(kept, key=lambda one: (-one.members, one.shape))


def _family(shape: bytes, names: list[bytes]) -> Family:
    narrowed, parts = shape, shape.split(b"#")
    longest = 0
    if len(parts) > 1:
        runs = [DIGITS.findall(plain(name[: name.index(b".")]) or b"") for name in names]
        narrowed = parts[0]
        for values, part in zip(zip(*runs, strict=True), parts[1:], strict=True):
            narrowed += (values[0] if len(set(values)) == 1 else b"#") + part
        longest = max(len(run) for some in runs for run in some)
    # One digit more than was seen: families count up, from 99 to 100.
    examples = tuple(name.decode("ascii") for name in names[:EXAMPLES])
    return Family(narrowed, min(longest + 1, MOST_DIGITS), len(names), examples)


MOST_LEFT_OUT = 2
"""Domains of a form with a name that must stay open; with more it is no sign of a trade."""
_MOST_SHOWN = 10
_MOST_KNOWN = 1 << 16


@lru_cache(_MOST_KNOWN)
def _keys(label: bytes) -> tuple[bytes, bytes]:
    """Return what a label is found by; a build has each name in several ``Harmless``."""
    return skeleton(label), class_form(label)


class Harmless:
    """Names that no rule may fit, found by their skeletons and widest forms."""

    def __init__(self, names: Iterable[Registered]) -> None:
        self._by_skeleton = defaultdict[bytes, list[Registered]](list)
        for name in names:
            for key in _keys(name.label):
                self._by_skeleton[key].append(name)

    def fitting(self, rule: LookalikeRule, suffixes: Iterable[str]) -> tuple[str, ...]:
        """Return the names that a rule would close.

        Where one of them is beneath a suffix that mirrors do not use, it would not be; but
        it shows that the shape is not theirs alone, and other suffixes are used tomorrow.
        """
        key = class_form(rule.shape) if rule.varies else skeleton(rule.shape)
        of = self._by_skeleton.get(key, ())
        found = [one for one in of if rule.fits(one.label)]
        used = frozenset(suffixes)
        found.sort(key=lambda one: one.suffix not in used)
        return tuple(one.name for one in found[:_MOST_SHOWN])

    def left_open(self, rule: LookalikeRule) -> LookalikeRule | None:
        """Return a rule so that it closes none of these names; None if it cannot.

        A form is held back beneath the domains of the names that it would close.
        """
        assert rule.reach is not None
        key = class_form(rule.shape) if rule.varies else skeleton(rule.shape)
        closed = {
            wire_names.from_text(one.suffix)
            for one in self._by_skeleton.get(key, ())
            if rule.fits(one.label) and rule.reaches(one.label, wire_names.from_text(one.suffix))
        }
        if not closed:
            return rule
        if not rule.varies or len(closed) > MOST_LEFT_OUT:
            return None
        return rule._replace(reach=rule.reach._replace(but=rule.reach.but | closed))
