# SPDX-License-Identifier: Apache-2.0
"""The compiled index, opened: a name -> the exact entries and lists that list it.

Opening copies the file into sealed memory (``filterd.base.sealed_memory``), which processes share
by its descriptor. So a lookup touches no disk, and an error of the disk is one of opening. A new
index replaces the file by renaming; a process that has the old one goes on reading that.

A name of the index refers to a *claim set* by its id; a set is a tuple of claim
ids; a claim has the list that it comes from. Names are millions, sets hundreds,
so these contents are JSON, and policy can decide on each set once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from filterd.base.errors import IndexFormatError
from filterd.base.native import native_or
from filterd.base.paths import open_plain
from filterd.base.sealed_memory import SealedMemory
from filterd.base.value_class import frozen
from filterd.lists import matcher
from filterd.lists.hostname import name_from_key
from filterd.lists.index_format import (
    BLOCK_NAMES,
    HEADER_OCTETS,
    LOOKALIKE_RANK,
    POSITION_BITS,
    Hit,
    IndexHeader,
)
from filterd.lists.lookalikes import (
    MOST_DIGITS,
    MOST_SHAPE_OCTETS,
    LookalikeRule,
    Lookalikes,
    Reach,
)
from filterd.lists.report import CompileReport
from filterd.lists.rules import Claim, Effect, Scope
from filterd.texts.i18n import say

if TYPE_CHECKING:
    import mmap
    from collections.abc import Container, Iterable, Iterator
    from pathlib import Path

    from filterd.lists.lookalikes import Lookalike


@frozen
class ListRecord:
    """A list as compiled; ``digest``: hex SHA-256 of its text; ``kept``: its entries."""

    id: str
    category: str
    title: str
    format: str
    own: bool
    digest: str
    kept: int


@frozen
class Contents:
    """The contents of an index.

    ``claims`` pairs an index into ``lists`` with a claim; ``sets`` hold indexes into
    ``claims``. ``lookalikes`` are rules for names that are not listed, each with the
    claim set of such a name. ``build`` has ``when`` (Unix time), the ``version`` of
    filterd, of the ``feed``, where the lists are of one, and ``sources``: ``rules.SourceShare``.
    """

    lists: tuple[ListRecord, ...]
    claims: tuple[tuple[int, Claim], ...]
    sets: tuple[tuple[int, ...], ...]
    build: dict[str, Any]
    lookalikes: tuple[LookalikeRule, ...] = ()

    def dump(self) -> bytes:
        """Return the contents as JSON, the same for the same contents."""
        data = {
            "lists": [asdict(one) for one in self.lists],
            "claims": [[index, _claim_data(claim)] for index, claim in self.claims],
            "sets": self.sets,
            "build": self.build,
        }
        if self.lookalikes:
            data["lookalikes"] = _lookalikes_data(self.lookalikes)
        return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def load(cls, text: bytes, set_count: int) -> Contents:
        """Parse the JSON of ``dump``.

        Args:
            text: the JSON.
            set_count: how many claim sets the index refers to.

        Raises:
            IndexFormatError: it is something else, or an index in it is out of range.
        """
        try:
            data = json.loads(text)
            contents = cls(
                tuple(ListRecord(**one) for one in data["lists"]),
                tuple((index, _claim(one)) for index, one in data["claims"]),
                tuple(map(tuple, data["sets"])),
                dict(data["build"]),
                tuple(_lookalikes(data["lookalikes"])) if "lookalikes" in data else (),
            )
            contents._check(set_count)
        except (
            ValueError,
            TypeError,
            KeyError,
            IndexError,
            AttributeError,
            RecursionError,
        ) as error:
            raise IndexFormatError(
                say("has damaged contents ({error})", error=str(error))
            ) from error
        return contents

    def _check(self, set_count: int) -> None:
        """Refuse indexes that are out of range."""
        if not {index for index, _ in self.claims} <= set(range(len(self.lists))):
            raise ValueError("a claim is of no list")
        known = set(range(len(self.claims)))
        if not all(members and known.issuperset(members) for members in self.sets):
            raise ValueError("a set holds no claim")
        for rule in self.lookalikes:
            if not (
                0 <= rule.set_id < set_count
                and rule.digits <= MOST_DIGITS
                and len(rule.shape) <= MOST_SHAPE_OCTETS
            ):
                raise ValueError("a look-alike rule that no index has")
        if len(self.sets) != set_count:
            raise ValueError(f"{len(self.sets)} claim sets instead of {set_count}")


def _lookalikes_data(rules: tuple[LookalikeRule, ...]) -> dict[str, Any]:
    """Return rules as plain data; sets of suffixes and reaches stand once."""
    places = {one: at for at, one in enumerate(dict.fromkeys(rule.suffixes for rule in rules))}
    reaches = dict.fromkeys(rule.reach for rule in rules if rule.reach is not None)
    numbers = {reach: [number] for number, reach in enumerate(reaches)}
    data: dict[str, Any] = {
        "suffixes": [sorted(name.hex() for name in suffixes) for suffixes in places],
        "rules": [
            [one.shape.decode("ascii"), one.digits, places[one.suffixes], one.line, one.set_id]
            + ([] if one.reach is None else numbers[one.reach])  # as before there were any
            for one in rules
        ],
    }
    if reaches:
        data["reaches"] = [[sorted(one.hex() for one in some) for some in each] for each in reaches]
    return data


def _lookalikes(data: dict[str, Any]) -> Iterator[LookalikeRule]:
    """Return look-alike rules from plain data of ``_lookalikes_data``."""
    suffixes = [frozenset(map(bytes.fromhex, texts)) for texts in data["suffixes"]]
    reaches = [
        Reach(*(frozenset(map(bytes.fromhex, some)) for some in each))
        for each in data.get("reaches", ())
    ]
    for shape, digits, place, line, set_id, *numbers in data["rules"]:
        reach = reaches[numbers[0]] if numbers else None
        octets = shape.encode("ascii")
        yield LookalikeRule(octets, int(digits), suffixes[place], line, set_id, reach)


def _claim_data(claim: Claim) -> dict[str, Any]:
    """Return a claim as plain data; default values are left out."""
    data: dict[str, Any] = {"scope": int(claim.scope), "effect": int(claim.effect)}
    data |= {
        flag: True for flag in ("important", "specific", "types_negated") if getattr(claim, flag)
    }
    if claim.types is not None:
        data["types"] = sorted(claim.types)
    if claim.denyallow:
        data["denyallow"] = sorted(name.hex() for name in claim.denyallow)
    return data


def _claim(data: dict[str, Any]) -> Claim:
    """Return a claim from plain data of ``_claim_data``."""
    types = data.get("types")
    return Claim(
        Scope(data["scope"]),
        Effect(data["effect"]),
        important=data.get("important", False),
        specific=data.get("specific", False),
        types=None if types is None else frozenset(types),
        types_negated=data.get("types_negated", False),
        denyallow=frozenset(map(bytes.fromhex, data.get("denyallow", ()))),
    )


Matcher = native_or(matcher.Matcher, "filterd.lists._matcher")


class Index:
    """One open index; ``Index.open`` makes it.

    Attributes:
        lists: the compiled lists.
        claims: for each claim id, the index into ``lists`` and the claim.
        sets: for each set id, its claim ids.
        build: ``when`` it was compiled (Unix time), by which ``version``, and the hash ``seed``;
            which version of the ``feed`` it was compiled from, where it was.
        matcher: the lookup of listed names, for callers that cannot afford this layer;
            they must leave names that may be look-alikes (``may_match`` of its skeletons)
            to this layer.
        lookalikes: rules for names that are not listed.
        memory: where it stands, to be shared.
    """

    def __init__(
        self, memory: SealedMemory, mapped: mmap.mmap, header: IndexHeader, contents: Contents
    ) -> None:
        self._mapped: mmap.mmap | bytes = mapped
        self.memory, self._header = memory, header
        self.lists: tuple[ListRecord, ...] = contents.lists
        self.claims: tuple[tuple[int, Claim], ...] = contents.claims
        self.sets: tuple[tuple[int, ...], ...] = contents.sets
        self.build: dict[str, Any] = {**contents.build, "seed": header.seed}
        self.matcher = Matcher(mapped, header)
        self.lookalikes = Lookalikes(contents.lookalikes)

    @classmethod
    def open(cls, path: Path) -> Index:
        """Read an index into memory; only header and contents are checked.

        Raises:
            IndexFormatError: it is not an index that this filterd reads.
            OSError: it cannot be read, or there is no memory for it.
        """
        with open_plain(path) as file:
            return cls.of_file(file.fileno(), path)

    @classmethod
    def of_file(cls, descriptor: int, path: Path) -> Index:
        """Read an open file into memory; ``path`` is its name in errors.

        The header is checked first: something huge in its place would fill the memory.

        Raises:
            IndexFormatError: it is not an index that this filterd reads.
            OSError: it cannot be read, or there is no memory for it.
        """
        octets = os.fstat(descriptor).st_size
        with named_in_errors(path):
            IndexHeader.parse(os.pread(descriptor, HEADER_OCTETS, 0), octets)
        return cls.of(SealedMemory.of_file(descriptor, octets, "index"), path)

    @classmethod
    def of(cls, memory: SealedMemory, path: Path) -> Index:
        """Read header and contents of an index; ``path`` is its name in errors.

        Raises:
            IndexFormatError: it is not an index that this filterd reads.
            OSError: it cannot be mapped.
        """
        if memory.octets < HEADER_OCTETS:
            raise IndexFormatError(
                say("{path}: is not an index of filterd; compile the lists", path=path)
            )
        mapped = memory.map()
        with named_in_errors(path):
            header = IndexHeader.parse(mapped[:HEADER_OCTETS], len(mapped))
            offset, length = header.spans["contents"]
            contents = Contents.load(mapped[offset : offset + length], header.set_count)
        return cls(memory, mapped, header, contents)

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the header, with the digest of the rest; identifies the content."""
        return hashlib.sha256(self._mapped[:HEADER_OCTETS]).digest()

    @property
    def content(self) -> memoryview:
        """All octets of its file."""
        return memoryview(self._mapped)

    @property
    def size_octets(self) -> int:
        """The length of its file."""
        return len(self._mapped)

    def verify(self, *, sound: Container[bytes] = ()) -> None:
        """Check the whole file; required before an index is activated.

        Args:
            sound: digests of indexes whose structure has been checked already.

        Raises:
            IndexFormatError: an octet is not the one that was written, or the
                structure contradicts itself.
        """
        with memoryview(self._mapped) as octets, octets[HEADER_OCTETS:] as body:
            digest = hashlib.sha256(body).digest()
        if digest != self._header.digest:
            raise IndexFormatError(say("the index is damaged: its digest does not match"))
        if self.digest in sound:
            return
        self.matcher.check()
        _ = self.report

    def close(self) -> None:
        """Release the file; it is unmapped when no reference to the matcher is left."""
        self._mapped = b""
        self.memory.close()
        del self.matcher

    def lookup(self, name: bytes) -> tuple[Hit, ...]:
        """Find the listed names that are ``name`` or an ancestor with two labels or more.

        A name that a look-alike rule fits counts as listed; its hit comes behind that
        of the same name, and ``lookalike`` returns its rule by rank. Scope and
        conditions of the claims are not applied: that is left to policy.

        Args:
            name: lower-case uncompressed wire form.

        Returns:
            The hits, the one with the most labels first.

        Raises:
            BadLabelError: ``name`` is no wire name.
            IndexFormatError: the file is damaged where it had to be read.
        """
        hits = self.matcher.lookup(name)
        found = self.lookalikes.find(name) if self.lookalikes else ()
        return _merged(hits, map(self._hit, found)) if found else hits

    def _hit(self, found: Lookalike) -> Hit:
        rule = self.lookalikes.rules[found.number]
        return Hit(found.labels, LOOKALIKE_RANK + found.number, rule.set_id)

    def lookalike(self, rank: int) -> LookalikeRule | None:
        """Return the look-alike rule of a rank; None for that of a listed name."""
        if LOOKALIKE_RANK <= rank < LOOKALIKE_RANK + len(self.lookalikes.rules):
            return self.lookalikes.rules[rank - LOOKALIKE_RANK]
        return None

    def name(self, rank: int) -> bytes:
        """Return the listed wire name of this rank; a look-alike rule has none.

        Raises:
            IndexError: there is no such rank.
            IndexFormatError: the file is damaged where it had to be read.
        """
        return name_from_key(self._block_of(rank)[rank % BLOCK_NAMES][0])

    def names(self) -> Iterator[bytes]:
        """Yield all wire names in the order of their ranks."""
        for _, name in self.ranked_names():
            yield name

    def ranked_names(self) -> Iterator[tuple[int, bytes]]:
        """Yield all ranks, ascending, and their wire names."""
        for number in range(self.block_count):
            for position, (key, _) in enumerate(self.matcher.block(number)):
                yield number << POSITION_BITS | position, name_from_key(key)

    @property
    def block_count(self) -> int:
        """The number of blocks of names that ``matcher`` has."""
        return self._header.block_count

    def entries(self, rank: int) -> tuple[tuple[int, int], ...]:
        """Return claim id and line of every entry for the name or rule of this rank.

        Raises:
            IndexError: there is no such rank.
            IndexFormatError: the file is damaged where it had to be read.
        """
        if (rule := self.lookalike(rank)) is not None:
            return tuple((claim_id, rule.line) for claim_id in self.sets[rule.set_id])
        sets = [self.sets[set_id] for _, set_id in self._block_of(rank)]
        position = rank % BLOCK_NAMES
        before, claims = sum(map(len, sets[:position])), sets[position]
        lines = islice(self._lines(rank >> POSITION_BITS), before, before + len(claims))
        return tuple(zip(claims, lines, strict=True))

    def _block_of(self, rank: int) -> list[tuple[bytes, int]]:
        """Return the block that holds a rank."""
        number, position = rank >> POSITION_BITS, rank % BLOCK_NAMES
        if 0 <= number < self._header.block_count:
            block = self.matcher.block(number)
            if position < len(block):
                return block
        raise IndexError(f"there is no name of rank {rank}")

    def _lines(self, block: int) -> Iterator[int]:
        """Yield the lines of a block, decoded from varints."""
        offset, length = self._header.spans["lines"]
        place = self._header.spans["line_offsets"].offset + 4 * block
        at = offset + int.from_bytes(self._mapped[place : place + 4], "little")
        number = shift = 0
        while at < offset + length and shift < 35:
            octet = self._mapped[at]
            number |= (octet & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if octet < 0x80:
                yield number
                number = shift = 0
        raise IndexFormatError(say("the index is damaged: its lines cannot be read"))

    @property
    def report(self) -> CompileReport:
        """Return the compiler's report.

        Raises:
            IndexFormatError: it cannot be read.
        """
        offset, length = self._header.spans["report"]
        try:
            return CompileReport.from_plain(json.loads(self._mapped[offset : offset + length]))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise IndexFormatError(
                say("the index has a damaged report ({error})", error=str(error))
            ) from error

    def __len__(self) -> int:
        return self._header.name_count

    def sizes(self) -> dict[str, int]:
        """Return the octets of each section, and of the header."""
        sections = {section: span.length for section, span in self._header.spans.items()}
        return {"header": HEADER_OCTETS, **sections}


def _merged(hits: tuple[Hit, ...], of_rules: Iterable[Hit]) -> tuple[Hit, ...]:
    """Merge hits, most labels first; of two with equal labels the listed name's."""
    return tuple(sorted((*hits, *of_rules), key=lambda hit: -hit.labels))


@contextlib.contextmanager
def named_in_errors(path: Path) -> Iterator[None]:
    """Name the file in errors of its format, with the remedy.

    Raises:
        IndexFormatError: what is done within it finds a fault; it names the file.
    """
    try:
        yield
    except IndexFormatError as error:
        raise IndexFormatError(
            say("{path}: {error}; compile the lists again", path=path, error=error.sentence)
        ) from error
