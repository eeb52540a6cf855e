# SPDX-License-Identifier: Apache-2.0
"""Find families among listed names, and make look-alike rules of them.

A *member* of a family is the registered name above a listed one, as families are sorted by:
the *shape* of its label (the plain form, see ``lookalikes``, with each run of digits as
``#``), a NUL, and the name. It is one ``bytes`` because there are a million, most of which
are of no family. Digits that all members of a family share stay as they are: ``k8tip01``,
``k8tip02`` have the shape ``k8tip#``.

A rule closes names in thousands of schools that no person has seen. So a
rule holds by itself only where

* it fits no popular, pinned or protected name, no service, and no suffix under which
  anyone can register names: no reviewer can accept such a suffix either;
* its family is large for how little its shape means (``_is_large_enough``): two names that
  share eight letters come from one hand, ten that share a word of four and a run of digits are
  chance;
* its letters are no ordinary word: ``game8`` and ``thethao247`` may be any site's.

A shape of three letters or fewer makes no rule and does not wait: its names cannot be told
from those of schools (``lookalikes.says_enough``).

Forms (``lookalikes``) hold by themselves or not at all: one that fits such a name is left
out, and narrower ones may hold. Where sites imitate others there are none.

Any other family waits for a person, with the names that its rule would close. A decision
outlives the family: a refused one is not asked about again.

``tests/bench/lookalike_figures.py`` measures all this on names that were held back.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from filterd.documents import dump
from filterd.lists.hostname import HostnameError, key_from_text
from filterd.lists.lookalikes import (
    LEAST_CLEAR_LETTERS,
    MOST_DIGITS,
    MOST_RULES,
    MOST_SHAPE_OCTETS,
    MOST_SUFFIXES,
    LookalikeRule,
    class_form,
    forms,
    letters_of,
    plain,
    says_enough,
    skeleton,
    wider,
)
from filterd.lists.public_suffix import public_suffix_test, public_suffixes, suffix_rules
from filterd.native import live_only
from filterd.wire import name as wire_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from filterd.lists.catalog import Catalog
    from filterd.lists.catalog_categories import CatalogCategory
    from filterd.lists.list_merge import Normalised
    from filterd.lists.top_names import Popular


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
        runs = [DIGITS.findall(plain(one[: one.index(b".")]) or b"") for one in names]
        narrowed = parts[0]
        for values, part in zip(zip(*runs, strict=True), parts[1:], strict=True):
            narrowed += (values[0] if len(set(values)) == 1 else b"#") + part
        longest = max(len(run) for some in runs for run in some)
    # One digit more than was seen: families count up, from 99 to 100.
    examples = tuple(one.decode("ascii") for one in names[:EXAMPLES])
    return Family(narrowed, min(longest + 1, MOST_DIGITS), len(names), examples)


NEEDED_WITH_RUN = {4: 6, 5: 3}
"""Members that a family must have, by the octets that all share, where a run of digits varies."""
NEEDED_OF_A_WORD = 40
"""The same where they share four letters in a row and nothing else, such as ``nova#``."""
NEEDED = {4: 3}
"""The same where all have one label, beneath several suffixes."""
NEEDED_ELSE = 2
ADULTS = 18

_MOST_SHOWN = 10
_NO_LETTERS = re.compile(rb"[^a-z]+")
_SHORT_WORD = re.compile(rb"#?[a-z]{4}#?")


@dataclass(frozen=True, slots=True)
class LookalikeOutcome:
    """The result for all families.

    Attributes:
        rules: what holds, by category, the largest family first.
        suffixes: by category, beneath which names its mirrors stand.
        queue: what waits for a person, the largest family first.
        dropped: rules that were one too many.
    """

    rules: Mapping[str, tuple[LookalikeRule, ...]]
    suffixes: Mapping[str, tuple[str, ...]]
    queue: tuple[Waiting, ...]
    dropped: int

    @property
    def count(self) -> int:
        """How many rules hold."""
        return sum(map(len, self.rules.values()))


def has_mirrors(category: CatalogCategory) -> bool:
    """Return whether a category may have look-alike rules.

    Those for adults only and the dangerous ones may: a school needs no name that is like
    one of theirs. A category of orders may not: an order means exactly the names in it. A part may
    not either: a program that knows no parts refuses a rule of one.
    """
    return not (category.ordered or category.part_of) and (
        category.locked or category.security or category.min_age == ADULTS
    )


def make_rules(
    listed: Mapping[str, Iterable[bytes]],
    harmless: Iterable[str],
    decisions: Iterable[Decision] = (),
    imitating: Collection[str] = (),
    words: Collection[str] = (),
) -> LookalikeOutcome:
    """Make rules of the names that lists have.

    Args:
        listed: by category, texts of names, as ``members_of`` reads them.
        harmless: names that no rule may match without approval.
        decisions: on families.
        imitating: categories whose sites take the names of others: two of them, and a third
            that is like both, may be a shop and its imitator.
        words: which names of every kind have.
    """
    suffixes_of_all = _Harmless(suffixes_as_registered())
    known = _Harmless(distinct(harmless))
    decided = {(one.category, one.shape): one for one in decisions}
    suffixes, queue = dict[str, tuple[str, ...]](), list[Waiting]()
    holding = list[tuple[int, str, LookalikeRule]]()
    for category, texts in listed.items():
        members = members_of(texts)
        suffixes[category] = _suffixes(members)
        beneath = frozenset(map(wire_names.from_text, suffixes[category]))
        found = {one.shape: one for one in families(members) if _may_close(one.shape)}
        for by_person in decided.values():
            accepted = by_person.decision == ACCEPTED and _may_close(by_person.shape)
            if by_person.category == category and accepted:
                rule = LookalikeRule(by_person.shape, by_person.digits, beneath)
                if not suffixes_of_all.fitting(rule, suffixes[category]):
                    holding.append((MOST_RULES, category, rule))
        for shape, family in found.items():
            if (category, shape) in decided:
                continue
            rule = LookalikeRule(shape, family.digits, beneath)
            closes = suffixes_of_all.fitting(rule, suffixes[category])
            closes += known.fitting(rule, suffixes[category])
            large = _is_large_enough(family, words, imitates=category in imitating)
            if closes or not large:
                queue.append(_waiting(category, family, closes))
            else:
                holding.append((family.members, category, rule))
        if category not in imitating:
            harmless_names = (suffixes_of_all, known)
            refused = {shape for of, shape in decided if of == category}
            for form, count in _free_forms(_labels(members), harmless_names, refused):
                holding.append((count, category, LookalikeRule(form, 1, beneath)))
    holding.sort(key=lambda one: (-one[0], one[1], one[2].shape))
    rules = {
        category: tuple(rule for _, of, rule in holding[:MOST_RULES] if of == category)
        for category in suffixes
    }
    queue.sort(key=lambda one: (-one.members, one.category, one.shape))
    return LookalikeOutcome(rules, suffixes, tuple(queue), max(0, len(holding) - MOST_RULES))


def rules_of(
    catalog: Catalog,
    published: Mapping[str, Normalised],
    popular: Popular,
    decisions: Iterable[Decision] = (),
) -> LookalikeOutcome:
    """Make the rules of a version.

    Args:
        catalog: the publisher's.
        published: the names of the version by category.
        popular: popular names.
        decisions: on families.
    """
    mirrored = [one.id for one in catalog.categories if has_mirrors(one)]
    # What an entry closes anyway is no reason to ask about a rule that would, too.
    closed = {rank for one in mirrored for rank in published[one].popular}
    harmless = [name for rank, name in enumerate(popular.names, 1) if rank not in closed]
    wrongly = set[str]().union(*(published[one].wrongly_closed for one in mirrored))
    harmless += [name for name in popular.frozen if name not in wrongly]
    harmless += [wire_names.to_text(one.name) for one in catalog.pins]
    harmless += [wire_names.to_text(one.name) for one in catalog.protections]
    harmless += [wire_names.to_text(one) for some in catalog.services for one in some.names]
    listed = {one: _listed(published[one]) for one in mirrored}
    imitating = {one.id for one in catalog.categories if one.security}
    return make_rules(listed, harmless, decisions, imitating, popular.words)


def rules_yaml(outcome: LookalikeOutcome) -> bytes:
    """Return ``lookalikes.yaml`` of a version; the same outcome gives the same octets."""
    rules = [
        {"shape": rule.shape.decode("ascii"), "category": category}
        | ({"digits": rule.digits} if b"#" in rule.shape and rule.digits > 1 else {})
        for category, some in outcome.rules.items()
        for rule in sorted(some, key=lambda one: one.shape)
    ]
    used = {category for category, some in outcome.rules.items() if some}
    suffixes = {one: list(some) for one, some in outcome.suffixes.items() if one in used}
    return dump({"suffixes": suffixes, "lookalikes": rules})


def _waiting(category: str, family: Family, closes: tuple[str, ...]) -> Waiting:
    shape, digits, members, examples = family
    return Waiting(shape, category, digits, members, examples, closes)


def _labels(members: Iterable[bytes]) -> set[bytes]:
    """Return the labels of members in plain form."""
    names = (name_of(one) for one in members)
    return {label for one in names if (label := plain(one[: one.index(b".")]))}


def _free_forms(
    labels: Collection[bytes], harmless: Iterable[_Harmless], left_out: Collection[bytes]
) -> Iterator[tuple[bytes, int]]:
    """Yield the forms of a category that hold, each with its number of labels.

    Args:
        labels: of the members of its lists, in plain form.
        harmless: names that no form may fit.
        left_out: shapes that a person has decided on.
    """
    held = set[bytes]()
    for form, count in forms(labels).items():
        if form in left_out or not held.isdisjoint(wider(form)):
            continue
        rule = LookalikeRule(form, 1, frozenset())
        if not any(one.fitting(rule, ()) for one in harmless):
            held.add(form)
            yield form, count


class _Harmless:
    """Names that no rule may fit, found by their skeletons and widest forms."""

    def __init__(self, names: Iterable[Registered]) -> None:
        self._by_skeleton = defaultdict[bytes, list[Registered]](list)
        for one in names:
            self._by_skeleton[skeleton(one.label)].append(one)
            self._by_skeleton[class_form(one.label)].append(one)

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


def _is_large_enough(family: Family, words: Collection[str], *, imitates: bool) -> bool:
    """Return whether a family is large enough for how much its names share.

    An ordinary word with a number may be any site's name, however large its family.
    """
    if _NO_LETTERS.sub(b"", family.shape).decode() in words:
        return False
    shared, varies = shared_octets(family.shape), b"#" in family.shape
    needed = (NEEDED_WITH_RUN if varies else NEEDED).get(shared, NEEDED_ELSE)
    if varies and _SHORT_WORD.fullmatch(family.shape):
        needed = NEEDED_OF_A_WORD
    return family.members >= needed + imitates


def _may_close(shape: bytes) -> bool:
    """Return whether a family's shape has the letters that any rule must have."""
    return says_enough(shape) and letters_of(shape) >= LEAST_CLEAR_LETTERS


def _listed(published: Normalised) -> Iterator[bytes]:
    """Yield the lists of a category whose names are there without conditions."""
    return (one.text for one in published.lists if one.format in ("domains", "wildcard"))


def _suffixes(members: Iterable[bytes]) -> tuple[str, ...]:
    """Return the suffixes that a category's names have.

    If there are many, those of most names are returned.
    """
    counts = Counter(one[one.index(b".") + 1 :] for one in members)
    most = sorted(counts, key=lambda one: (-counts[one], one))[:MOST_SUFFIXES]
    return tuple(sorted(one.decode("ascii") for one in most))
