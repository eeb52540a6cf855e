# SPDX-License-Identifier: Apache-2.0
"""Keep which public lists commands follow, and entries of lists to leave out.

``follow`` in ``site.yaml`` is the written form; a person's YAML is not rewritten, so what
commands set is kept here. It imports little: the daemon's status reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from filterd.lists.hostname import key_from_text
from filterd.state_file import FileFormat

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.lists.catalog import PublicSource
    from filterd.lists.list_merge import Exclusions

LEFT_OUT_S = 180 * 86_400.0
"""An entry is left out for so long; the same command renews it."""

_MOST_OCTETS = 1 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """A followed list: the id of a catalogued one, or the address of another."""

    id: str
    url: str = ""
    category: str = ""
    format: str = "domains"
    subtrees: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An entry that a list has by mistake; Unix times."""

    name: str
    list: str
    reason: str
    at: float
    until: float


@dataclass(frozen=True, slots=True)
class FollowState:
    """What commands have set, and what was followed last.

    Attributes:
        by_command: lists that commands follow.
        left_out: entries.
        last: all lists of the last run, for while ``site.yaml`` is wrong.
    """

    by_command: tuple[Wanted, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    last: tuple[Wanted, ...] = ()

    def exclusions(self, sources: Iterable[PublicSource], now: float) -> Exclusions:
        """Return the keys to leave out, by list.

        The merged list of a category means all of the category.
        """
        found = dict[str, set[bytes]]()
        for source in sources:
            names = source.id, source.category
            mine = {source.id, *(f"{begin}{one}" for begin in ("feed-", "web:") for one in names)}
            for one in self.left_out:
                if one.list in mine and now < one.until:
                    found.setdefault(source.id, set()).add(key_from_text(one.name))
        return found


FOLLOWED = FileFormat(
    FollowState,
    magic=b"filterd followed-lists ",
    words={"Wanted": Wanted, "LeftOut": LeftOut},
    most_octets=_MOST_OCTETS,
)


class FollowFile:
    """The file of what is followed, in the feed's state folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "followed.state"

    def read(self) -> FollowState:
        """Return it; an empty one where it cannot be read."""
        return FOLLOWED.read(self._path) or FollowState()

    def write(self, state: FollowState) -> None:
        """Keep it.

        Raises:
            StoreError: the disk refused.
        """
        FOLLOWED.save(self._path, state)


def followed_count(folder: Path) -> int:
    """Return how many public lists are followed, by the last run and by commands."""
    state = FollowFile(folder).read()
    return len(state.last) or len(state.by_command)


def with_command(state: FollowState, *wanted: Wanted) -> FollowState:
    """Return a state in which these lists are followed by command."""
    ids = {one.id for one in wanted}
    others = tuple(one for one in state.by_command if one.id not in ids)
    return replace(state, by_command=(*others, *wanted))


def with_left_out(state: FollowState, one: LeftOut) -> FollowState:
    """Return a state in which an entry is left out; what is over is dropped."""
    others = (
        each
        for each in state.left_out
        if (each.name, each.list) != (one.name, one.list) and each.until > one.at
    )
    return replace(state, left_out=(*others, one))
