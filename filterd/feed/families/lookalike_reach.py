# SPDX-License-Identifier: Apache-2.0
"""Make look-alike rules that hold only where schools do not stand.

Most new names of gambling are a listed label beneath another top-level domain (``sin88.sx``), or
a few letters before a number of the trade (``tx88.fun``). Schools have such names as well
(``usd489.com``), but neither there nor with those letters. So a rule that says too little to hold
everywhere (``lookalike_families``) holds with a *reach* (``lookalikes.Reach``), made of the names
of schools that ship (``school_names``). How far it reaches follows from a second sign:

*apart*  beneath top-level domains where no school stands. There holds a label of two listed names,
    a family of short names that is large there, and a form that is frequent there: letters that
    vary before a number that is kept (``@@@88``).
*dense*  also beneath domains with far more listed names than schools, such as ``com``. There holds
    a label of three listed names, and a form of few letters that is frequent there.
*wide*  also where schools stand, but not where they are at home (``OF_SCHOOLS``). There holds a
    label of ``NEEDED_WIDE`` listed names: one hand registers it everywhere.

No such rule closes a label whose letters a school has beside a number. One that fits a name that
must stay open is left out; of a form only the domain of that name is.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from filterd.feed.families.lookalike_errors import HeldRule
from filterd.lists.lookalikes import (
    LEAST_LETTERS,
    LETTER,
    MOST_DIGITS,
    RUN,
    LookalikeRule,
    Reach,
    is_ordinary,
    letters_alone,
    plain,
)
from filterd.wire import name as wire_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from filterd.feed.families.lookalike_families import Registered

OF_SCHOOLS = frozenset(("edu", "gov", "int", "mil", "org", "vn"))
"""Where schools are at home; too few of those that are known may stand there."""
_COMMON = OF_SCHOOLS.union(("com", "info", "net"))
"""Where names of all trades stand, too."""
_ONE_OF = 2_400
"""Of so many known schools one must stand directly beneath a domain for schools to stand there."""
_DENSE, _OF_KNOWN = 7, 15_000
"""Listed names of a dense domain for each school there, where so many schools are known."""

NEEDED_APART, NEEDED_DENSE, NEEDED_WIDE = 2, 3, 5
"""Listed names of a label."""
NEEDED_OF_FAMILY = 20
"""Members apart that a family of short names must have."""
_LETTERS_OF_FAMILY = 3
NEEDED_OF_FORM = 20
"""Labels apart that a form must have."""
NEEDED_DENSELY = 30
"""What both must have beneath dense domains to hold there, too."""
MOST_LETTERS, MOST_LETTERS_DENSE = 6, 3
"""Of a form: with more they are words, and those stand before any number."""

_NUMBERED = re.compile(rb"[a-z]+[0-9]+|[0-9]+[a-z]+")
_FORM = re.compile(rb"([a-z]{1,%d})([0-9]{2,})" % MOST_LETTERS)
_DIGITS = re.compile(rb"[0-9]+")


class Schools(NamedTuple):
    """What is known of the names of schools.

    ``domains``: how many stand directly beneath each top-level domain; ``letters``: what they have
    beside a number; ``known``: how many are known.
    """

    domains: Mapping[str, int]
    letters: frozenset[bytes]
    known: int


def shapes_of_schools(schools: Collection[Registered]) -> Schools:
    """Return what rules must know of the names of schools."""
    domains = Counter(school.suffix for school in schools if "." not in school.suffix)
    letters = (
        letters_alone(school.label) for school in schools if _NUMBERED.fullmatch(school.label)
    )
    return Schools(domains, frozenset(letters), len(schools))


def near_rules(
    members: Sequence[bytes],
    schools: Schools,
    suffixes: frozenset[bytes],
    words: Collection[str],
) -> Iterator[HeldRule]:
    """Yield the rules with a reach of one category.

    Args:
        members: of its lists, sorted (``lookalike_families.members_of``).
        schools: what is known of theirs.
        suffixes: beneath which the names of the category stand.
        words: which names of every kind have.
    """
    places = _Places(members, schools)
    forms = _Forms(places)
    for shape, same in groupby(members, lambda one: one[: one.index(b"\0")]):
        labels, apart, dense = Counter[bytes](), 0, 0
        for member in same:
            name, _, domain = member[len(shape) + 1 :].partition(b".")
            label = plain(name)
            assert label is not None, "a member has a plain form"
            labels[label] += 1
            apart += places.is_apart(domain)
            dense += domain in places.dense
            forms.count(label, domain)
        for label, count in labels.items():
            if count >= NEEDED_APART and _says(label, count, schools, words):
                reach = places.of_label(letters_alone(label), label, count)
                yield HeldRule(LookalikeRule(label, 1, suffixes, reach=reach), count)
        if apart >= NEEDED_OF_FAMILY and _is_family(shape) and _says(shape, 0, schools, words):
            digits = 1 + max(len(run) for one in labels for run in _DIGITS.findall(one))
            is_dense = shape.startswith(RUN) and dense >= NEEDED_DENSELY
            reach = places.beneath_dense if is_dense else places.apart
            rule = LookalikeRule(shape, min(digits, MOST_DIGITS), suffixes, reach=reach)
            yield HeldRule(rule, apart)
    for form, reach, count in forms.found():
        yield HeldRule(LookalikeRule(form, 1, suffixes, reach=reach), count)


class _Places:
    """Where the names of a category stand, and where those of schools.

    Attributes:
        dense: domains of both, nearly all names of which are the category's.
        apart: the reach of what holds where no school stands.
        beneath_dense: of what holds in dense domains, too.
        wide: of what holds everywhere but where schools are at home.
    """

    def __init__(self, members: Iterable[bytes], schools: Schools) -> None:
        listed = Counter(member[member.index(b".") + 1 :] for member in members)
        least = max(1, schools.known // _ONE_OF)
        found = {one.encode("ascii"): count for one, count in schools.domains.items()}
        at_home = {one.encode("ascii") for one in OF_SCHOOLS}
        standing = {one for one, count in found.items() if count >= least}
        self._stand = standing.union(one.encode("ascii") for one in _COMMON)
        for_each = _DENSE * _OF_KNOWN / max(1, schools.known)
        self.dense = frozenset(
            one
            for one in self._stand - at_home
            if listed[one] >= max(NEEDED_DENSELY, for_each * found.get(one, 0))
        )
        self.apart = _reach(self._stand, schools)
        self.beneath_dense = _reach(self._stand - self.dense, schools)
        self.wide = _reach(at_home, schools)

    def is_apart(self, domain: bytes) -> bool:
        """Return whether a domain is a top-level one without schools."""
        return b"." not in domain and domain not in self._stand

    def of_label(self, letters: bytes, label: bytes, count: int) -> Reach:
        """Return how far the rule of a label reaches, of so many listed names."""
        if count < NEEDED_DENSE or len(letters) < 2:
            return self.apart
        return self.wide if count >= NEEDED_WIDE and letters != label else self.beneath_dense


class _Forms:
    """Counts the labels of forms, apart and beneath dense domains."""

    def __init__(self, places: _Places) -> None:
        self._places = places
        self._apart = defaultdict[bytes, set[bytes]](set)
        self._dense = defaultdict[bytes, set[bytes]](set)

    def count(self, label: bytes, domain: bytes) -> None:
        """Count a label that stands beneath a domain."""
        form = _FORM.fullmatch(label)
        if form is None or is_ordinary(label):
            return
        kept = LETTER * len(form[1]) + form[2]
        if self._places.is_apart(domain):
            self._apart[kept].add(label)
        elif domain in self._places.dense and len(form[1]) <= MOST_LETTERS_DENSE:
            self._dense[kept].add(label)

    def found(self) -> Iterator[tuple[bytes, Reach, int]]:
        """Yield the forms that are frequent, with their reach and their labels apart."""
        for form, labels in self._apart.items():
            if len(labels) >= NEEDED_OF_FORM:
                is_dense = len(self._dense[form]) >= NEEDED_DENSELY
                reach = self._places.beneath_dense if is_dense else self._places.apart
                yield form, reach, len(labels)


def _reach(domains: Iterable[bytes], schools: Schools) -> Reach:
    names = frozenset(wire_names.from_text(domain.decode("ascii")) for domain in domains)
    return Reach(names, schools.letters)


def _is_family(shape: bytes) -> bool:
    return RUN in shape and len(letters_alone(shape)) >= _LETTERS_OF_FAMILY


def _says(shape: bytes, count: int, schools: Schools, words: Collection[str]) -> bool:
    """Return whether a shape has letters that neither schools nor all trades have."""
    letters = letters_alone(shape)
    if not letters or letters in schools.letters:
        return False
    if count < NEEDED_DENSE and letters.decode("ascii") in words:
        return False
    return len(letters) < len(shape) or len(letters) >= LEAST_LETTERS
