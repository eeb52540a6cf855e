# SPDX-License-Identifier: Apache-2.0
r"""Look-alikes: unlisted names of families with listed members.

Sites of gambling move to another name every week, and most of the names differ in
digits only: ``i9bet16.com``, ``i9bet42.net``. A publisher makes a rule of such a family
(``filterd.lists.lookalike_families``), and each name that it fits counts as an entry of
its category, in a third-party list.

The *plain* form of a label is what a reader takes it for: accents dropped, letters of other
alphabets as the Latin ones that they look like (UTS 39), hyphens gone, ``rn`` read as ``m``
and ``vv`` as ``w``. Its *skeleton* is the same with each run of digits, and of the letters
that digits pass for (``o``, ``i``, ``l``), as one ``#``. Labels that could be taken for each
other have one skeleton, and so do many others: it finds candidates and never decides.

A rule is a *shape*: the plain form of a label in which ``#`` stands for a run of digits. It
applies to the label directly beneath a *suffix*, any of one label, or one of those of more that
mirrors are known to use, and to everything beneath that name: a family that has been seen
beneath ``.net`` and ``.vip`` moves to ``.ml`` tomorrow. A shape may also be a *form*, in which
single letters and digits vary (``lookalike_forms``); it applies directly beneath a suffix of one
label only.

Most names fit no rule, so most must cost next to nothing. The skeletons of all shapes
are a set, with the widest form of each form; a name none of whose labels has one of them fits
nothing. The remaining names
are compared with the shape, octet by octet, in one pass: no pattern can take longer (no
backtracking, whatever the rule).
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

from filterd.lists.lookalike_forms import (
    DIGIT,
    LETTER,
    class_form,
    is_form,
    is_ordinary,
    narrowed,
    pattern_of,
)
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
PREFIX: Final = "lookalike:"
"""The prefix of ids of the lists of rules, one for each category."""

MOST_RULES, MOST_SUFFIXES = 4_000, 1_000
"""Of all categories together: every process that looks names up has them in memory."""
MOST_SHAPE_OCTETS = 40
MOST_DIGITS = 6
"""Of a run; beyond it labels are numbers of something else."""
LEAST_LETTERS = 2
"""Of a shape (``letters_of``): one letter and some digits may be any site's name."""

_DIGITS = frozenset(b"0123456789")
_TAKEN_FOR = {
    **{octet: frozenset(b"0o") for octet in b"0o"},
    **{octet: frozenset(b"1il") for octet in b"1il"},
}


class LookalikeRule(NamedTuple):
    """A family of names.

    ``digits``: the most that a run has. ``suffixes``: wire names, beneath one of which a
    label must stand unless it stands beneath a single label. ``line``: of the rule in its
    file. ``set_id``: the claim set of the index that the name then has.
    """

    shape: bytes
    digits: int
    suffixes: frozenset[bytes]
    line: int = 0
    set_id: int = 0

    @property
    def written(self) -> str:
        """The rule in the notation for people."""
        return f"~{self.shape.decode('ascii')}"

    @property
    def varies(self) -> bool:
        """Whether the shape is a form."""
        return LETTER in self.shape or DIGIT in self.shape

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
                patterns = self._patterns.setdefault(class_form(rule.shape), {})
                patterns[pattern_of(rule.shape)] = None
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
        above = names.count_labels(suffix)
        count = above + 1
        label = plain(labels[len(labels) - count])
        if label is None:
            return
        for number in self._numbers.get(skeleton(label), ()):
            rule = self.rules[number]
            if (above == 1 or suffix in rule.suffixes) and rule.fits(label):
                yield Lookalike(count, number)
        patterns = self._patterns.get(class_form(label), ()) if above == 1 else ()
        if patterns and not is_ordinary(label):
            for pattern in patterns:
                for number in self._numbers.get(narrowed(label, pattern), ()):
                    yield Lookalike(count, number)


def may_match(skeletons: frozenset[bytes], name: bytes) -> bool:
    """Return quickly whether a wire name may fit a rule; it errs towards yes.

    The fast path calls only this, and leaves such names to the chain.
    """
    if not skeletons:
        return False
    above = names.labels(name)[:-1]
    return any(may_be_any(label) or skeleton(label) in skeletons for label in above) or (
        bool(above) and class_form(_joined(above[-1])) in skeletons
    )


def is_shape(text: str) -> bool:
    """Return whether a text is a valid shape of a rule."""
    octets = text.encode("utf-8", "replace")
    return 0 < len(octets) <= MOST_SHAPE_OCTETS and not _is_no_shape(octets)


def _is_no_shape(octets: bytes) -> bool:
    """Return whether octets have too few letters for a shape, or other characters."""
    if LETTER in octets or DIGIT in octets:
        return not is_form(octets)
    others = octets.translate(None, b"abcdefghijklmnopqrstuvwxyz0123456789#")
    return letters_of(octets) < LEAST_LETTERS or bool(others) or b"##" in octets


def letters_of(shape: bytes) -> int:
    """Return the number of letters of a shape that do not look like digits."""
    return sum(octet in b"abcdefghjkmnpqrstuvwxyz" for octet in shape)


class _Place(NamedTuple):
    """One octet that a label must have, or may where it is ``optional``."""

    octets: frozenset[int]
    optional: bool = False


def _places(shape: bytes, digits: int) -> list[_Place]:
    places = list[_Place]()
    for octet in shape:
        if octet == RUN[0]:
            places.append(_Place(_DIGITS))
            places += [_Place(_DIGITS, optional=True)] * (digits - 1)
        else:
            places.append(_Place(_TAKEN_FOR.get(octet, frozenset((octet,)))))
    return places


def _beyond(reached: set[int], places: Sequence[_Place]) -> set[int]:
    """Add the places that are reached without another octet."""
    for at in sorted(reached):
        beyond = at
        while beyond < len(places) and places[beyond].optional:
            beyond += 1
            reached.add(beyond)
    return reached
