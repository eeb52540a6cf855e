# SPDX-License-Identifier: Apache-2.0
"""Look-alikes: unlisted names of families with listed members.

Sites of gambling move to another name every week, and most of the names differ in
digits only: ``i9bet16.com``, ``i9bet42.net``. A publisher makes a rule of such a family
(``filterd.feed.families.lookalike_families``), and each name that it fits counts as an entry of
its category, in a third-party list.

The *plain* form of a label is what a reader takes it for: accents dropped, letters of other
alphabets as the Latin ones that they look like (UTS 39), hyphens gone, ``rn`` read as ``m``
and ``vv`` as ``w``. Its *skeleton* is the same with each run of digits, and of the letters
that digits pass for (``o``, ``i``, ``l``), as one ``#``. Labels that could be taken for each
other have one skeleton, and so do many others: it finds candidates and never decides.

A rule is a *shape*: the plain form of a label in which ``#`` stands for a run of digits. It
applies to the label directly beneath a *suffix*, any of one label, or one of those of more that
mirrors are known to use, and to everything beneath that name: a family that has been seen
beneath ``.net`` and ``.vip`` moves to ``.ml`` tomorrow.

A shape may also be a *form*, in which ``@`` stands for one letter and ``%`` for one digit:
``@@88``, ``8x%%%%``. Sites of gambling without any listed relative still follow the fashion of
their trade. Each run of letters and each run of digits varies as a whole or is kept as a
whole, so a form has as many octets as every label of it; it applies directly beneath a suffix
of one label only. A form means less than a family's shape, so many more listed names must have
it (``needed``). The bounds follow from what popular names look like: a word with a number
behind it is of all kinds, several short runs hardly ever.
``tests/bench/list_coverage.py`` measures them: they were chosen on one half of the popular
names, the other half is the measure.

``usd259`` is a school district, and ``usd#`` was a family of thirty gambling sites. So a label of
three letters or fewer, with digits or without (``says_enough``), is closed only by a rule with a
*reach*: top-level domains beneath which it does not hold, because schools stand there, and letters
that schools have before or behind a number. That holds where a name is looked up, so also for
rules of an older publisher's feed or an older index, which have none.

No rule closes a label with a word of schools, such as ``k12``, whatever else it has.

Most names fit no rule, so most must cost next to nothing. The skeletons of all shapes are a
set, with the widest form of each form; a name none of whose labels has one of them fits
nothing. The remaining names are compared with the shape, octet by octet, in one pass: no
pattern can take longer (no backtracking, whatever the rule).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import pairwise, product
from typing import TYPE_CHECKING, Final, NamedTuple

from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence


LEAST_LETTERS: Final = 4
"""Of a label that a rule may close anywhere: three letters and a number are any operator's."""
LETTER: Final = b"@"
"""Of a form: one letter."""
DIGIT: Final = b"%"
"""Of a form: one digit."""
RULE_MARK: Final = "~"
"""Begins a rule in the notation for people, where an entry has a name."""
LEAST_KEPT: Final = 2
"""Octets of a form with a reach that all its labels share."""
MOST_RUNS = 5
PROPORTION = 150_000
"""Labels of a category up to which ``needed`` is what is needed; a longer list needs more."""

_LETTERS, _DIGITS = b"abcdefghijklmnopqrstuvwxyz", b"0123456789"
_CLASSES = bytes.maketrans(_LETTERS + _DIGITS, LETTER * 26 + DIGIT * 10)
_RUNS = re.compile(rb"[a-z]+|@+|[0-9]+|%+")
_NO_LETTERS = re.compile(rb"[^a-z@]+")
_ORDINARY = re.compile(rb"(?<![0-9])(?:24|123|247|36[05]|(?:19|20)[0-9]{2})(?![0-9])")
"""Numbers that names of every kind have: round the clock, the year, a count."""


_OF_SCHOOLS = re.compile(
    rb"academ|campus|colleg|daihoc|ecole|edu|escola|escuela|giaoduc|hocsinh|hoctap|k12|lycee|mamnon"
    rb"|schol|school|schul|scuola|student|thcs|thpt|tieuhoc|truonghoc|univ"
)
"""What names of schools have; hardly a site of gambling does."""


class Run(NamedTuple):
    """A run of letters or digits of a form, and whether it varies."""

    octets: int
    letters: bool
    varies: bool


def class_form(label: bytes) -> bytes:
    """Return the widest form of a label in plain form, or of a narrower form."""
    return label.translate(_CLASSES)


def is_ordinary(label: bytes) -> bool:
    """Return whether a label has a number that names of every kind have.

    No form may take such a number for a sign of the label's trade.
    """
    return _ORDINARY.search(label) is not None


def is_of_school(label: bytes) -> bool:
    """Return whether a label in plain form has a word of schools."""
    return _OF_SCHOOLS.search(label) is not None


def runs_of(form: bytes) -> tuple[Run, ...]:
    """Return the runs of a form; none if its octets are no form's."""
    found = _RUNS.findall(form)
    runs = tuple(Run(len(one), one[:1] in _LETTERS + LETTER, one[0] in b"@%") for one in found)
    alternate = all(one.letters != after.letters for one, after in pairwise(runs))
    return runs if alternate and b"".join(found) == form else ()


def letters_alone(label: bytes) -> bytes:
    """Return the letters of a label or a shape, and what stands for one."""
    return _NO_LETTERS.sub(b"", label)


def says_enough(label: bytes) -> bool:
    """Return whether a label or shape has the letters to be closed without a reach."""
    return len(letters_alone(label)) >= LEAST_LETTERS


def is_form(shape: bytes) -> bool:
    """Return whether a shape is a form that enough listed names could justify.

    One of too few letters is: earlier publishers made them. It closes nothing.
    """
    runs = runs_of(shape)
    varies = any(run.varies for run in runs)
    return needed(runs) is not None or (varies and len(runs) > 1 and not says_enough(shape))


def needed(runs: Sequence[Run]) -> int | None:
    """Return how many labels a form needs; None if no number is enough."""
    of_letters = sum(run.octets for run in runs if run.letters)
    letters = max((run.octets for run in runs if run.varies and run.letters), default=0)
    kept = sum(run.octets for run in runs if not run.varies)
    octets = sum(run.octets for run in runs)
    if not 3 <= len(runs) <= MOST_RUNS or of_letters < LEAST_LETTERS or kept == octets:
        return None
    if octets < 6 or letters > 2:
        return None
    if kept >= 2:
        return 20
    return None if letters == 2 and runs[0].letters else 50


def forms(labels: Collection[bytes]) -> dict[bytes, int]:
    """Return all forms that enough of these labels have, and how many.

    The widest form comes first.

    Args:
        labels: in plain form, each once.
    """
    counts, least = Counter[bytes](), max(1.0, len(labels) / PROPORTION)
    for label in labels:
        if not is_ordinary(label):
            runs = _RUNS.findall(label)
            counts.update(_fill(pattern, runs) for pattern in _patterns(class_form(label)))
    found = {
        form: count
        for form, count in counts.items()
        if count >= least * (needed(runs_of(form)) or 0)
    }
    return dict(sorted(found.items(), key=lambda item: (-_varying(item[0]), -item[1], item[0])))


def wider(form: bytes) -> Iterator[bytes]:
    """Yield the wider forms of a form: more of its runs vary."""
    runs = _RUNS.findall(form)
    for one in product(
        *((run, class_form(run)) if run[0] not in b"@%" else (run,) for run in runs)
    ):
        if (joined := b"".join(one)) != form:
            yield joined


def pattern_of(form: bytes) -> tuple[bytes, ...]:
    """Return the runs of a form, empty where they are kept."""
    return tuple(one if one[0] in b"@%" else b"" for one in _RUNS.findall(form))


def narrowed(label: bytes, pattern: tuple[bytes, ...]) -> bytes:
    """Return the form of a label in which the runs of a pattern vary."""
    return _fill(pattern, _RUNS.findall(label))


def _fill(pattern: tuple[bytes, ...], runs: list[bytes]) -> bytes:
    return b"".join([varying or run for varying, run in zip(pattern, runs, strict=True)])


def _varying(form: bytes) -> int:
    return form.count(LETTER) + form.count(DIGIT)


@lru_cache(maxsize=4_096)
def _patterns(widest: bytes) -> tuple[tuple[bytes, ...], ...]:
    """Return the patterns of all forms that labels of a widest form may have."""
    runs = runs_of(widest)
    if not 3 <= len(runs) <= MOST_RUNS:
        return ()
    texts, found = _RUNS.findall(widest), list[tuple[bytes, ...]]()
    for varies in product((True, False), repeat=len(runs)):
        if needed([run._replace(varies=one) for run, one in zip(runs, varies, strict=True)]):
            found.append(
                tuple(text if one else b"" for text, one in zip(texts, varies, strict=True))
            )
    return tuple(found)


IDN_PREFIX: Final = b"xn--"

_LOOKS_LIKE = str.maketrans(
    # Cyrillic, Greek, and Latin letters that no decomposition leads back to.
    "авекмнорстухѕіјһԁԛԝӏαβγεηικνορτυχωđðıłøŧɑɡɩʋ",
    "abekmhopctyxsijhdqwlabyenikvoptuxwddilotagiu",
)
_FOLDED = re.compile(rb"[0-9oil#]+")
_PLAIN = re.compile(rb"[a-z0-9]+")


def plain(label: bytes) -> bytes | None:
    """Return the plain form of a label.

    Args:
        label: of a name in lower-case wire form, without its length; an A-label is decoded.

    Returns:
        Lower-case Latin letters and digits; None where it has a letter that looks like
        none of them, and where nothing is left.
    """
    if label.startswith(IDN_PREFIX):
        try:
            text = label[len(IDN_PREFIX) :].decode("punycode")
        except UnicodeError:
            return None
        label = _drawn(text).encode("ascii", "replace")
    joined = _joined(label)
    return joined if _PLAIN.fullmatch(joined) else None


def skeleton(label: bytes) -> bytes:
    """Return the skeleton of a label, given in ASCII or in plain form."""
    return _FOLDED.sub(b"#", _joined(label))


def may_be_any(label: bytes) -> bool:
    """Return whether a label does not show its look by itself and must be decoded."""
    return label.startswith(IDN_PREFIX)


def _drawn(text: str) -> str:
    """Return a text in Latin letters that look like its own, where there are any."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    bare = "".join(one for one in decomposed if not unicodedata.combining(one))
    return bare.translate(_LOOKS_LIKE)


def _joined(label: bytes) -> bytes:
    bare = label.replace(b"-", b"").replace(b"_", b"")
    return bare.replace(b"rn", b"m").replace(b"vv", b"w")


RUN: Final = b"#"
"""Of a shape: one digit or more."""

MOST_RULES, MOST_NEAR_RULES, MOST_SUFFIXES = 4_000, 4_000, 1_000
"""Of all categories together: every process that looks names up has them in memory."""
MOST_SHAPE_OCTETS = 40
MOST_DIGITS = 6
"""Of a run; beyond it labels are numbers of something else."""
LEAST_CLEAR_LETTERS = 2
"""Of a shape (``letters_of``): what is nearly all digits may be any site's name."""

_DIGIT_OCTETS = frozenset(_DIGITS)
_TAKEN_FOR = {
    **{octet: frozenset(b"0o") for octet in b"0o"},
    **{octet: frozenset(b"1il") for octet in b"1il"},
}
_TAKEN_FOR_ALONE = _TAKEN_FOR | {octet: frozenset((octet, b"1"[0])) for octet in b"il"}
"""Of a shape of letters alone: ``twinki`` is pornography, and ``twinkl`` has lessons."""


class Reach(NamedTuple):
    """Where a rule holds that says too little to hold everywhere.

    ``but``: wire names of one label, beneath which it does not hold. ``schools``: letters of
    labels that it never closes. It holds directly beneath a suffix of one label only.
    """

    but: frozenset[bytes]
    schools: frozenset[bytes]


class LookalikeRule(NamedTuple):
    """A family of names.

    ``digits``: the most that a run has. ``suffixes``: wire names, beneath one of which a
    label must stand unless it stands beneath a single label. ``line``: of the rule in its
    file. ``set_id``: the claim set of the index that the name then has. ``reach``: where it
    holds, None for everywhere.
    """

    shape: bytes
    digits: int
    suffixes: frozenset[bytes]
    line: int = 0
    set_id: int = 0
    reach: Reach | None = None

    @property
    def written(self) -> str:
        """The rule in the notation for people."""
        return f"{RULE_MARK}{self.shape.decode('ascii')}"

    @property
    def varies(self) -> bool:
        """Whether the shape is a form."""
        return LETTER in self.shape or DIGIT in self.shape

    def reaches(self, label: bytes, suffix: bytes) -> bool:
        """Return whether the rule may close a label in plain form beneath a suffix."""
        is_single = names.count_labels(suffix) == 1
        if self.reach is not None:
            return (
                is_single
                and suffix not in self.reach.but
                and letters_alone(label) not in self.reach.schools
            )
        return says_enough(label) and (is_single or (suffix in self.suffixes and not self.varies))

    def fits(self, label: bytes) -> bool:
        """Return whether a label in plain form is of the family, under any suffix."""
        if self.varies:
            return (
                class_form(label) == class_form(self.shape)
                and not is_ordinary(label)
                and narrowed(label, pattern_of(self.shape)) == self.shape
            )
        places = _places(self.shape, self.digits)
        reached = _beyond({0}, places)
        for octet in label:
            took = {at + 1 for at in reached if at < len(places) and octet in places[at].octets}
            reached = _beyond(took, places)
            if not reached:
                return False
        return len(places) in reached


class Lookalike(NamedTuple):
    """A match of a rule; ``labels``: of the matched name; ``number``: of the rule."""

    labels: int
    number: int


class Lookalikes:
    """All rules of one index.

    Args:
        rules: by their numbers.

    Attributes:
        skeletons: of shapes, and widest forms of forms; a name without a label that has one of
            these fits no rule.
    """

    def __init__(self, rules: Iterable[LookalikeRule] = ()) -> None:
        self.rules = tuple(rules)
        self._suffixes = frozenset[bytes]().union(*{rule.suffixes for rule in self.rules})
        self._numbers = dict[bytes, list[int]]()
        self._patterns = dict[bytes, dict[tuple[bytes, ...], None]]()
        for number, rule in enumerate(self.rules):
            if rule.varies:
                widest, pattern = class_form(rule.shape), pattern_of(rule.shape)
                if len(pattern) == len(_RUNS.findall(widest)):  # else no label has such runs
                    self._patterns.setdefault(widest, {})[pattern] = None
            key = rule.shape if rule.varies else skeleton(rule.shape)
            self._numbers.setdefault(key, []).append(number)
        shapes = (skeleton(rule.shape) for rule in self.rules if not rule.varies)
        self.skeletons: frozenset[bytes] = frozenset((*shapes, *self._patterns))

    def __bool__(self) -> bool:
        return bool(self.rules)

    def find(self, name: bytes) -> tuple[Lookalike, ...]:
        """Return the rules that a name fits, all for the same ancestor of it.

        Args:
            name: lower-case uncompressed wire form.
        """
        if not may_match(self.skeletons, name):
            return ()
        for suffix in list(names.suffixes(name))[1:]:
            if suffix in self._suffixes or names.count_labels(suffix) == 1:
                return tuple(self._of(name, suffix))
        return ()

    def _of(self, name: bytes, suffix: bytes) -> Iterable[Lookalike]:
        """Return the rules for the label directly beneath the longest suffix of a name."""
        labels = names.labels(name)
        count = names.count_labels(suffix) + 1
        label = plain(labels[len(labels) - count])
        if label is None or is_of_school(label):
            return
        for number in self._numbers.get(skeleton(label), ()):
            rule = self.rules[number]
            if rule.reaches(label, suffix) and rule.fits(label):
                yield Lookalike(count, number)
        if (patterns := self._patterns.get(class_form(label), ())) and not is_ordinary(label):
            for pattern in patterns:
                for number in self._numbers.get(narrowed(label, pattern), ()):
                    if self.rules[number].reaches(label, suffix):
                        yield Lookalike(count, number)


def may_match(skeletons: frozenset[bytes], name: bytes) -> bool:
    """Return quickly whether a wire name may fit a rule; it errs towards yes.

    The fast path calls only this, and leaves such names to the chain.
    """
    looks = looks_of(name) if skeletons else frozenset()
    return looks is None or not skeletons.isdisjoint(looks)


def looks_of(name: bytes) -> frozenset[bytes] | None:
    """Return what a wire name is looked up by; None where it must be decoded."""
    above = names.labels(name)[:-1]
    widest = (class_form(_joined(one)) for one in above[-1:])
    return None if any(map(may_be_any, above)) else frozenset((*map(skeleton, above), *widest))


def is_shape(text: str) -> bool:
    """Return whether a text is a valid shape of a rule that holds everywhere."""
    octets = text.encode("utf-8", "replace")
    if not 0 < len(octets) <= MOST_SHAPE_OCTETS:
        return False
    if LETTER in octets or DIGIT in octets:
        return is_form(octets)
    others = octets.translate(None, _LETTERS + _DIGITS + RUN)
    return not others and b"##" not in octets and letters_of(octets) >= LEAST_CLEAR_LETTERS


def is_near_shape(text: str) -> bool:
    """Return whether a text is a valid shape of a rule with a reach: some is kept."""
    octets = text.encode("utf-8", "replace")
    if not 0 < len(octets) <= MOST_SHAPE_OCTETS:
        return False
    if LETTER in octets or DIGIT in octets:
        runs = runs_of(octets)
        kept = sum(run.octets for run in runs if not run.varies)
        return 2 <= len(runs) <= MOST_RUNS and kept >= LEAST_KEPT
    others = octets.translate(None, _LETTERS + _DIGITS + RUN)
    return not others and b"##" not in octets and octets != RUN


def letters_of(shape: bytes) -> int:
    """Return the number of letters of a shape that do not look like digits."""
    return sum(octet in b"abcdefghjkmnpqrstuvwxyz" for octet in shape)


class _Place(NamedTuple):
    """One octet that a label must have, or may where it is ``optional``."""

    octets: frozenset[int]
    optional: bool = False


def _places(shape: bytes, digits: int) -> list[_Place]:
    places = list[_Place]()
    taken_for = _TAKEN_FOR_ALONE if shape.isalpha() else _TAKEN_FOR
    for octet in shape:
        if octet == RUN[0]:
            places.append(_Place(_DIGIT_OCTETS))
            places += [_Place(_DIGIT_OCTETS, optional=True)] * (digits - 1)
        else:
            places.append(_Place(taken_for.get(octet, frozenset((octet,)))))
    return places


def _beyond(reached: set[int], places: Sequence[_Place]) -> set[int]:
    """Add the places that are reached without another octet."""
    for at in sorted(reached):
        beyond = at
        while beyond < len(places) and places[beyond].optional:
            beyond += 1
            reached.add(beyond)
    return reached
