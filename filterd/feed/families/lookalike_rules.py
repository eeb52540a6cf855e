# SPDX-License-Identifier: Apache-2.0
"""Make look-alike rules of families and forms among listed names.

A rule closes names in thousands of schools that no person has seen. So a
rule holds by itself only where

* it fits no school's name, no popular, pinned or protected name, no service, and no suffix under
  which anyone can register names: no reviewer can accept such a suffix either;
* its family is large for how little its shape means (``_is_large_enough``): two names that
  share eight letters come from one hand, ten that share a word of four and a run of digits are
  chance;
* its letters are no ordinary word: ``game8`` and ``thethao247`` may be any site's;
* rules of its kind close hardly a name that they were not made with (``lookalike_errors``).

A shape of three letters or fewer makes no rule that holds everywhere and does not wait: its names
cannot be told from those of schools. It may hold with a reach (``lookalike_reach``).

Forms (``lookalikes``) hold by themselves or not at all: one that fits such a name is left
out, and narrower ones may hold. Where sites imitate others there are none.

``tests/bench/lookalike_figures.py`` and ``list_coverage.py`` measure all this on names that were
held back.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from filterd.base.value_class import frozen
from filterd.documents import dump
from filterd.feed.families.lookalike_errors import (
    Errors,
    HeldRule,
    Judges,
    KindErrors,
    RuleKind,
    judge,
)
from filterd.feed.families.lookalike_families import (
    ACCEPTED,
    Decision,
    Family,
    Harmless,
    Registered,
    Waiting,
    distinct,
    families,
    members_of,
    name_of,
    shared_octets,
    suffixes_as_registered,
)
from filterd.feed.families.lookalike_reach import near_rules, shapes_of_schools
from filterd.lists.lookalikes import (
    LEAST_CLEAR_LETTERS,
    MOST_DIGITS,
    MOST_NEAR_RULES,
    MOST_RULES,
    MOST_SUFFIXES,
    LookalikeRule,
    Lookalikes,
    Reach,
    forms,
    letters_of,
    plain,
    says_enough,
    wider,
)
from filterd.lists.top_names import load_school_names
from filterd.wire import name as wire_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from filterd.feed.families.lookalike_errors import Judge
    from filterd.feed.families.lookalike_reach import Schools
    from filterd.lists.catalogs.catalog import Catalog
    from filterd.lists.catalogs.catalog_categories import CatalogCategory
    from filterd.lists.list_merge import Normalised
    from filterd.lists.top_names import Popular


NEEDED_WITH_RUN = {4: 6, 5: 3}
"""Members that a family must have, by the octets that all share, where a run of digits varies."""
NEEDED_OF_A_WORD = 40
"""The same where they share four letters in a row and nothing else, such as ``nova#``."""
NEEDED_OF_LONGER_WORD = 4
"""The same where they share more letters in a row: ``rainbow6`` is a game."""
NEEDED = {4: 3}
"""The same where all have one label, beneath several suffixes."""
NEEDED_ELSE = 2
NEEDED_OF_LETTERS = 3
"""The same where that label has letters alone: ``gameland`` is any site's name."""
ADULTS = 18
NO_PARTS: Mapping[str, str] = MappingProxyType({})

_NO_LETTERS = re.compile(rb"[^a-z]+")
_WORD, _SHORT_WORD = re.compile(rb"#?[a-z]+#?"), re.compile(rb"#?[a-z]{4}#?")


@frozen
class LookalikeOutcome:
    """The result for all families.

    Attributes:
        rules: what holds, by category, the largest family first.
        suffixes: by category, beneath which names its mirrors stand.
        queue: what waits for a person, the largest family first.
        dropped: rules that were one too many.
        errors: of the rules of each kind and category.
    """

    rules: Mapping[str, tuple[LookalikeRule, ...]]
    suffixes: Mapping[str, tuple[str, ...]]
    queue: tuple[Waiting, ...]
    dropped: int
    errors: tuple[KindErrors, ...] = ()

    @property
    def count(self) -> int:
        """How many rules hold."""
        return sum(map(len, self.rules.values()))


def has_mirrors(category: CatalogCategory) -> bool:
    """Return whether a category may have look-alike rules.

    Those for adults only and the dangerous ones may: a school needs no name that is like
    one of theirs. A category of orders may not: an order means exactly the names in it.
    """
    return not category.ordered and (
        category.locked or category.security or category.min_age == ADULTS
    )


def make_rules(
    listed: Mapping[str, Iterable[bytes]],
    harmless: Iterable[str],
    decisions: Iterable[Decision] = (),
    imitating: Collection[str] = (),
    words: Collection[str] = (),
    schools: Iterable[str] | None = None,
    kept_open: Iterable[str] = (),
) -> LookalikeOutcome:
    """Make rules of the names that lists have.

    Args:
        listed: by category, texts of names, as ``members_of`` reads them.
        harmless: names that no rule may match without approval.
        decisions: on families.
        imitating: categories whose sites take the names of others: two of them, and a third
            that is like both, may be a shop and its imitator. They have no forms, and no rules
            with a reach.
        words: which names of every kind have.
        schools: names of schools, which no rule may match either; None for those that ship.
        kept_open: names that people chose, which no rule may match either.
    """
    of_schools = schools_that_ship() if schools is None else tuple(distinct(schools))
    certain = dict.fromkeys((*of_schools, *distinct(kept_open)), True)
    known = dict.fromkeys(distinct(harmless), False) | certain
    each = [judge(one.name, is_certain=is_certain) for one, is_certain in known.items()]
    judges = Judges(each)
    halves = [
        Harmless(one for one, of in zip(known, each, strict=True) if of.half == half)
        for half in (0, 1)
    ]
    shapes = shapes_of_schools(of_schools)
    decided = {(decision.category, decision.shape): decision for decision in decisions}
    all_known = Harmless(known)
    suffixes, queue, errors = dict[str, tuple[str, ...]](), list[Waiting](), list[KindErrors]()
    anywhere, near = list[tuple[str, HeldRule]](), list[tuple[str, HeldRule]]()
    for category, texts in listed.items():
        of = {shape: one for (each, shape), one in decided.items() if each == category}
        candidates = _Candidates(category, texts, of, words, shapes, imitates=category in imitating)
        suffixes[category] = candidates.suffixes
        held = list(candidates.held(all_known))
        if held:
            found = Errors(judges, candidates.held_beside(halves))
            held = [one for one in held if one.names >= found.needed(one.kind)]
            errors += [found.of(category, kind, held) for kind in RuleKind if held]
        near += [(category, one) for one in held if one.rule.reach is not None]
        held = [one for one in held if one.rule.reach is None]
        anywhere += [(category, one) for one in (*candidates.accepted(), *held)]
        queue += candidates.waiting(all_known, {one.rule.shape for one in held})
    for some in (anywhere, near):
        some.sort(key=lambda one: (-one[1].names, one[0], one[1].rule.shape))
    kept = (*anywhere[:MOST_RULES], *near[:MOST_NEAR_RULES])
    rules = {
        category: tuple(one.rule for of, one in kept if of == category) for category in suffixes
    }
    queue.sort(key=lambda one: (-one.members, one.category, one.shape))
    dropped = len(anywhere) + len(near) - len(kept)
    return LookalikeOutcome(rules, suffixes, tuple(queue), dropped, tuple(errors))


class _Candidates:
    """The rules of a category that hold unless they fit a name that must stay open.

    Args:
        category: of the rules.
        texts: names of its lists, as ``members_of`` reads them.
        decided: decisions on its shapes.
        words: which names of every kind have.
        schools: what is known of theirs.
        imitates: whether its sites take the names of others.
    """

    def __init__(
        self,
        category: str,
        texts: Iterable[bytes],
        decided: Mapping[bytes, Decision],
        words: Collection[str],
        schools: Schools,
        *,
        imitates: bool,
    ) -> None:
        members = members_of(texts)
        self._category, self._decided = category, decided
        self.suffixes = _suffixes(members)
        self._beneath = frozenset(map(wire_names.from_text, self.suffixes))
        self._suffixes_of_all = _suffixes_of_all()
        self._undecided = [
            family
            for family in families(members)
            if _may_close(family.shape) and family.shape not in decided
        ]
        self._large = {
            one.shape for one in self._undecided if _is_large_enough(one, words, imitates=imitates)
        }
        self._forms, self._near = dict[bytes, int](), list[HeldRule]()
        if not imitates:
            self._forms = forms(_labels(members))
            shapes = (LookalikeRule(one, MOST_DIGITS, self._beneath) for one in decided)
            of_persons = Lookalikes(shapes)
            self._near = [
                rule
                for rule in near_rules(members, schools, self._beneath, words)
                if rule.rule.shape not in decided and not _is_within(rule.rule, of_persons)
            ]

    def accepted(self) -> Iterator[HeldRule]:
        """Yield the rules that a person has accepted."""
        for one in self._decided.values():
            if one.decision == ACCEPTED and _may_close(one.shape):
                rule = LookalikeRule(one.shape, one.digits, self._beneath)
                if not self._suffixes_of_all.fitting(rule, self.suffixes):
                    yield HeldRule(rule, MOST_RULES)

    def held(self, known: Harmless) -> Iterator[HeldRule]:
        """Yield the rules that hold by themselves.

        Args:
            known: names that must stay open.
        """
        held, doubtful = list[HeldRule](), list[LookalikeRule]()
        for family in self._undecided:
            if self._closes(family, known):
                doubtful.append(self._rule(family))
            elif family.shape in self._large:
                held.append(HeldRule(self._rule(family), family.members))
        free = _free_forms(self._forms, (self._suffixes_of_all, known), self._decided)
        held += (HeldRule(LookalikeRule(form, 1, self._beneath), count) for form, count in free)
        yield from held
        others = Lookalikes([*doubtful, *(one.rule for one in held)])
        for one in self._near:
            if _is_within(one.rule, others):
                continue
            rule = self._suffixes_of_all.left_open(one.rule)
            if rule is not None and (rule := known.left_open(rule)) is not None:
                yield one._replace(rule=rule)

    def held_beside(
        self, halves: Sequence[Harmless]
    ) -> Callable[[list[Judge]], Iterator[HeldRule]]:
        """Return the same for the judges of a half, given the names of both."""
        return lambda judges: self.held(halves[judges[0].half] if judges else Harmless(()))

    def waiting(self, known: Harmless, held: Collection[bytes]) -> Iterator[Waiting]:
        """Yield the families that wait for a person.

        Args:
            known: names that must stay open.
            held: shapes of rules that hold everywhere.
        """
        for family in self._undecided:
            if family.shape not in held:
                yield _waiting(self._category, family, self._closes(family, known))

    def _rule(self, family: Family) -> LookalikeRule:
        return LookalikeRule(family.shape, family.digits, self._beneath)

    def _closes(self, family: Family, known: Harmless) -> tuple[str, ...]:
        rule = self._rule(family)
        closes = self._suffixes_of_all.fitting(rule, self.suffixes)
        return closes + known.fitting(rule, self.suffixes)


def rules_of(
    catalog: Catalog,
    published: Mapping[str, Normalised],
    popular: Popular,
    decisions: Iterable[Decision] = (),
    left_open: Iterable[str] = (),
) -> LookalikeOutcome:
    """Make the rules of a version.

    Args:
        catalog: the publisher's.
        published: the names of the version by category.
        popular: popular names.
        decisions: on families.
        left_open: names that schools have reported as closed by mistake, and that it accepted.
    """
    mirrored = [category.id for category in catalog.categories if has_mirrors(category)]
    # What an entry closes anyway is no reason to ask about a rule that would, too.
    closed = {rank for one in mirrored for rank in published[one].popular}
    ranking = [name for rank, name in enumerate(popular.names, 1) if rank not in closed]
    wrongly = set[str]().union(*(published[one].wrongly_closed for one in mirrored))
    kept_open = [*left_open, *(name for name in popular.frozen if name not in wrongly)]
    kept_open += [wire_names.to_text(pin.name) for pin in catalog.pins]
    kept_open += [wire_names.to_text(protection.name) for protection in catalog.protections]
    kept_open += [wire_names.to_text(one) for some in catalog.services for one in some.names]
    listed = {one: _listed(published[one]) for one in mirrored}
    imitating = {category.id for category in catalog.categories if category.security}
    return make_rules(listed, ranking, decisions, imitating, popular.words, kept_open=kept_open)


def rules_yaml(outcome: LookalikeOutcome, wholes: Mapping[str, str] = NO_PARTS) -> bytes:
    """Return ``lookalikes.yaml`` of a version; the same outcome gives the same octets.

    Args:
        outcome: the rules; those with a reach stand elsewhere (``added_rules``).
        wholes: by the id of each part, the category that a program without parts has it in.
    """
    rules, used = list[dict[str, Any]](), dict[str, set[str]]()
    for category, some in _of_wholes(outcome, wholes).items():
        for _, rule in sorted(some.items()):
            varies = b"#" in rule.shape and rule.digits > 1
            shape = {"shape": rule.shape.decode("ascii"), "category": category}
            rules.append(shape | ({"digits": rule.digits} if varies else {}))
    for category, its in outcome.suffixes.items():
        used.setdefault(wholes.get(category, category), set()).update(its)
    named = {one["category"] for one in rules}
    suffixes = {one: sorted(its)[:MOST_SUFFIXES] for one, its in used.items() if one in named}
    return dump({"suffixes": suffixes, "lookalikes": rules})


def added_rules(
    outcome: LookalikeOutcome, wholes: Mapping[str, str] = NO_PARTS
) -> dict[str, dict[str, Any]]:
    """Return what ``additions.yaml`` has about rules (see ``optional_lists``).

    Args:
        outcome: the rules.
        wholes: by the id of each part, its category.
    """
    added = defaultdict[str, dict[str, Any]](dict)
    for category, some in outcome.rules.items():
        groups = defaultdict[Reach, dict[str, int]](dict)
        for rule in sorted(some, key=lambda one: one.shape):
            if rule.reach is not None:
                groups[rule.reach][rule.shape.decode("ascii")] = rule.digits
        own = {one.shape for one in outcome.rules.get(wholes.get(category, ""), ())}
        everywhere = sorted(
            one.shape.decode("ascii") for one in some if one.reach is None and one.shape not in own
        )
        if groups:
            added[category]["near"] = [
                {"but": sorted(map(wire_names.to_text, reach.but)), "shapes": shapes}
                for reach, shapes in groups.items()
            ]
            schools = frozenset[bytes]().union(*(reach.schools for reach in groups))
            added[category]["schools"] = sorted(school.decode("ascii") for school in schools)
        if everywhere and category in wholes:
            added[wholes[category]].setdefault("parts", {})[category] = everywhere
    return dict(added)


def _of_wholes(
    outcome: LookalikeOutcome, wholes: Mapping[str, str]
) -> dict[str, dict[bytes, LookalikeRule]]:
    """Return rules without a reach by the category that every program knows."""
    found = defaultdict[str, dict[bytes, LookalikeRule]](dict)
    for category, some in outcome.rules.items():
        of_whole = found[wholes.get(category, category)]
        of_whole.update((one.shape, one) for one in some if one.reach is None)
    return found


def _waiting(category: str, family: Family, closes: tuple[str, ...]) -> Waiting:
    shape, digits, members, examples = family
    return Waiting(shape, category, digits, members, examples, closes)


def _labels(members: Iterable[bytes]) -> set[bytes]:
    """Return the labels of members in plain form."""
    names = (name_of(member) for member in members)
    return {label for name in names if (label := plain(name[: name.index(b".")]))}


def _free_forms(
    found: Mapping[bytes, int], harmless: Iterable[Harmless], left_out: Collection[bytes]
) -> Iterator[tuple[bytes, int]]:
    """Yield the forms of a category that hold, each with its number of labels.

    Args:
        found: those that its labels have (``forms``).
        harmless: names that no form may fit.
        left_out: shapes that a person has decided on.
    """
    held = set[bytes]()
    for form, count in found.items():
        if form in left_out or not held.isdisjoint(wider(form)):
            continue
        rule = LookalikeRule(form, 1, frozenset())
        if not any(one.fitting(rule, ()) for one in harmless):
            held.add(form)
            yield form, count


@cache
def schools_that_ship() -> tuple[Registered, ...]:
    """Return the registered names of the schools that ship."""
    return tuple(distinct(load_school_names()))


@cache
def _suffixes_of_all() -> Harmless:
    return Harmless(suffixes_as_registered())


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
    elif varies and _WORD.fullmatch(family.shape):
        needed = max(needed, NEEDED_OF_LONGER_WORD)
    needed += imitates
    return family.members >= max(needed, NEEDED_OF_LETTERS * family.shape.isalpha())


def _is_within(rule: LookalikeRule, others: Lookalikes) -> bool:
    """Return whether other rules fit all that a rule with a reach does."""
    label = rule.shape.replace(b"#", b"7").replace(b"@", b"q").replace(b"%", b"7")
    return bool(others.find(bytes((len(label),)) + label + b"\3com\0"))


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
    counts = Counter(member[member.index(b".") + 1 :] for member in members)
    most = sorted(counts, key=lambda count: (-counts[count], count))[:MOST_SUFFIXES]
    return tuple(sorted(one.decode("ascii") for one in most))
