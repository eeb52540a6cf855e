# SPDX-License-Identifier: Apache-2.0
"""The contents of an index: its lists, their claims, and the claim sets.

A name of the index refers to a *claim set* by its id; a set is a tuple of claim
ids; a claim has the list that it comes from. Names are millions, sets hundreds,
so all this is JSON, and policy can decide on each set once.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from filterd.errors import IndexFormatError
from filterd.i18n import say
from filterd.lists.lookalikes import MOST_DIGITS, MOST_SHAPE_OCTETS, LookalikeRule
from filterd.lists.rules import Claim, Effect, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class ListRecord:
    """A list as it was compiled.

    ``digest``: SHA-256 of its text, hex. ``kept``: its entries.
    """

    id: str
    category: str
    title: str
    format: str
    own: bool
    digest: str
    kept: int


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of an index.

    ``claims`` pairs an index into ``lists`` with a claim; ``sets`` hold indexes into
    ``claims``. ``lookalikes`` are rules for names that are not listed, each with the
    claim set of such a name. ``build`` has ``when`` (Unix time), the ``version`` of
    filterd, and the version of the ``feed``, where the lists are of one.
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
    """Return look-alike rules as plain data; the few sets of suffixes are stored once."""
    distinct = dict.fromkeys(rule.suffixes for rule in rules)
    places = {suffixes: place for place, suffixes in enumerate(distinct)}
    return {
        "suffixes": [sorted(name.hex() for name in suffixes) for suffixes in places],
        "rules": [
            [one.shape.decode("ascii"), one.digits, places[one.suffixes], one.line, one.set_id]
            for one in rules
        ],
    }


def _lookalikes(data: dict[str, Any]) -> Iterator[LookalikeRule]:
    """Return look-alike rules from plain data of ``_lookalikes_data``."""
    suffixes = [frozenset(map(bytes.fromhex, texts)) for texts in data["suffixes"]]
    for shape, digits, place, line, set_id in data["rules"]:
        yield LookalikeRule(shape.encode("ascii"), int(digits), suffixes[place], line, set_id)


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
