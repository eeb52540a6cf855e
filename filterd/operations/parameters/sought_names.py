# SPDX-License-Identifier: Apache-2.0
"""Read the names that are meant: one, one with all beneath it, or a part of them.

Programs and people write a name; the socket has it in wire form, as hexadecimal text.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from filterd.base.errors import ConfigError, excluding
from filterd.operations.parameters.scalar import Choice, Flag, Parameter, Text
from filterd.operations.parameters.wire_name import WireName
from filterd.overrides.target_text import name_asked
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping


NAME = Text(253, about="A name, or *.NAME for all beneath it too")
_EXACT, _SUBTREE = "exact", "subtree"


class SoughtNames(NamedTuple):
    """The names that are looked for: one in wire form, those with a part, or all."""

    name: bytes = b""
    is_subtree: bool = False
    part: str = ""

    @classmethod
    def of_words(cls, name: str, *, subtree: bool = False, contains: bool = False) -> Self:
        """Return the names that a person wrote; all where nothing is written.

        Raises:
            ConfigError: it is no name, or no part of one.
        """
        if not name:
            return cls()
        if not contains:
            found = name_asked(name, subtree=subtree)
            return cls(bytes.fromhex(found["name"]), found["match"] == _SUBTREE)
        if subtree:
            raise excluding("subtree", "contains")
        if not name.isascii():
            hint = say("such names are kept as xn--...; search for the whole name")
            raise ConfigError(say("a part of a name has letters a to z only"), hint=hint)
        return cls(part=name)


ALL_NAMES = SoughtNames()


class SoughtNamesField:
    """The fields of names; ``has_parts``: also a part of them, or all beneath."""

    def __init__(self, *, has_parts: bool = True) -> None:
        more = {
            "subtree": Flag("Include all names beneath it"),
            "contains": Flag("`name` is a part of the names that are meant"),
        }
        self.named: Mapping[str, Parameter] = {"name": NAME, **(more if has_parts else {})}

    sent: Mapping[str, Parameter] = MappingProxyType(
        {
            "name": WireName(),
            "match": Choice((_EXACT, _SUBTREE)),
            "part": Text(253, r"[!-~]*"),
        }
    )

    def take(self, given: dict[str, Any]) -> SoughtNames:
        """Take names out of checked values, of a program or of the socket."""
        name, part, match = (given.pop(key, "") for key in ("name", "part", "match"))
        how = {key: given.pop(key, False) for key in ("subtree", "contains")}
        if isinstance(name, bytes) or part:
            return SoughtNames(name or b"", match == _SUBTREE, part.lower())
        return SoughtNames.of_words(name, **how)

    def arguments(self, value: SoughtNames) -> dict[str, Any]:
        """Return what the socket has of names."""
        if value.name:
            match = _SUBTREE if value.is_subtree else _EXACT
            return {"name": value.name.hex(), "match": match}
        return {"part": value.part} if value.part else {}
