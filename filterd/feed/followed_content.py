# SPDX-License-Identifier: Apache-2.0
"""Make the content of a version of followed lists.

It is made in a child, within bounds of memory and CPU.

What is too large is refused before that, in words (``night_memory``). A child that meets a
bound, or that the system ends, leaves the version in force as it is.

``make_in_child`` starts ``python -m filterd.feed.followed_content`` with one JSON request on
its input; an error comes back on its output.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd import bounded_child
from filterd.documents import dump
from filterd.errors import (
    FilterdError,
    ListError,
    StoreError,
    TellableError,
    TooLargeError,
    from_plain,
    to_plain,
)
from filterd.feed.followed_sources import followed_hosts
from filterd.feed.version_content import make_content
from filterd.i18n import say
from filterd.lists.catalog import PublicSource, load_catalog
from filterd.lists.hostname import name_from_key
from filterd.lists.rules import Pin
from filterd.lists.top_names import read_popular
from filterd.paths import shipped, writing
from filterd.wire.name import to_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from filterd.bounded_child import Ended
    from filterd.i18n import Sentence
    from filterd.lists.catalog import Catalog
    from filterd.lists.list_merge import Exclusions

CPU_LIMIT_S = 300
TIME_LIMIT_S = 900.0
"""By the clock; lookups go first."""

_NICER = 10
_MOST_REQUEST_OCTETS = 8 << 20
_MOST_ANSWER_OCTETS = 1 << 16


@dataclass(frozen=True, slots=True)
class ContentRequest:
    """What the content is made of, beside what ships.

    Attributes:
        sources: the followed ones.
        texts: where the texts are, by the ids of sources; one without a text is left out.
        left_out: entries.
        feed: the folder of a version of a feed, beside which the lists stand alone, by its
            tables; None where they stand with what ships.
    """

    sources: Sequence[PublicSource]
    texts: Mapping[str, Path]
    left_out: Exclusions
    feed: Path | None = None

    def write(self, made: Path) -> None:
        """Write the content to a new folder.

        Raises:
            FilterdError: see ``make_in_child``.
        """
        base = self.feed or shipped("blocklists")
        catalog = _with_pinned_hosts(self._catalog(base))
        with writing(made):
            content = make_content(catalog, self.texts, read_popular(None), left_out=self.left_out)
            content.write(base, made)
            (made / "pins.yaml").write_bytes(_pins_yaml(catalog))

    def to_plain(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "sources": [asdict(one) for one in self.sources],
            "texts": {one: str(path) for one, path in self.texts.items()},
            "left_out": {one: [key.hex() for key in keys] for one, keys in self.left_out.items()},
            "feed": None if self.feed is None else str(self.feed),
        }

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> ContentRequest:
        """Return the same from plain data of ``to_plain``."""
        return cls(
            [PublicSource(**one | {"mirrors": tuple(one["mirrors"])}) for one in data["sources"]],
            {one: Path(path) for one, path in data["texts"].items()},
            {one: frozenset(map(bytes.fromhex, keys)) for one, keys in data["left_out"].items()},
            None if data["feed"] is None else Path(data["feed"]),
        )

    def _catalog(self, base: Path) -> Catalog:
        """Return the catalogue: beside a feed of public lists alone."""
        catalog = replace(load_catalog(base), sources=tuple(self.sources))
        alone = {} if self.feed is None else {"lists": (), "lookalikes": (), "orders": ()}
        return replace(catalog, **alone)


def make_in_child(
    wanted: ContentRequest, made: Path, *, memory_octets: int, time_limit_s: float = TIME_LIMIT_S
) -> None:
    """Write the content of a version to a new folder.

    Args:
        wanted: what it is made of.
        made: the folder.
        memory_octets: the bound of the child's memory.
        time_limit_s: the bound of its time, by the clock.

    Raises:
        ListError: a text cannot be read, or the child did not do it within its bounds.
        StoreError: the disk refused, or the child cannot be started.
        TooLargeError: the memory is too small.
    """
    request = {"memory_octets": memory_octets, "made": str(made), **wanted.to_plain()}
    try:
        ended = bounded_child.run(
            bounded_child.command("filterd.feed.followed_content"),
            limit_s=time_limit_s,
            most_octets=_MOST_ANSWER_OCTETS,
            request=json.dumps(request).encode("ascii"),
        )
    except TimeoutError:
        why = say("it took more than {limit_s} s", limit_s=round(time_limit_s))
        raise ListError(_not_merged(why)) from None
    except OSError as error:
        raise bounded_child.not_started(error) from error
    if ended.code:
        raise _error_of(ended)


def _error_of(ended: Ended) -> FilterdError:
    try:
        told = from_plain(json.loads(ended.output))
    except (ValueError, KeyError, TypeError):  # it met a bound, or the system ended it
        return ListError(_not_merged(ended.last_words))
    kinds: dict[str, type[TellableError]] = {one.code: one for one in (StoreError, TooLargeError)}
    error = kinds.get(told.code, ListError)(told.sentence)
    error.code = told.code
    return error


def _not_merged(why: Sentence) -> Sentence:
    return say(
        "the followed lists cannot be merged: {why}; the lists in force stay, the next night tries"
        " again",
        why=why,
    )


def main() -> int:
    """Make the content that the request asks for; return the exit code."""
    bounded_child.end_with_parent()  # the lock of the versions goes with it
    answer = bounded_child.own_output()
    request: dict[str, Any] = json.loads(sys.stdin.buffer.read(_MOST_REQUEST_OCTETS))
    bounded_child.bound(
        memory_octets=int(request["memory_octets"]), cpu_s=CPU_LIMIT_S, nicer=_NICER
    )
    error: FilterdError
    try:
        ContentRequest.from_plain(request).write(Path(request["made"]))
    except FilterdError as wrong:
        error = wrong
    except MemoryError:
        error = TooLargeError(
            say(
                "the followed lists need more memory than this machine has for them: unfollow"
                " some (filterd lists sources)"
            )
        )
    else:
        return 0
    with answer:
        answer.write(json.dumps(to_plain(error)).encode("ascii"))
    return 1


def _with_pinned_hosts(catalog: Catalog) -> Catalog:
    """Return a catalogue that pins the hosts of its sources.

    They are pinned as the program pins names.
    """
    known = {one.name for one in catalog.pins}
    hosts = (Pin(name_from_key(key), reason="feed") for key in followed_hosts(catalog.sources))
    return replace(catalog, pins=(*catalog.pins, *(one for one in hosts if one.name not in known)))


def _pins_yaml(catalog: Catalog) -> bytes:
    pins = [
        {"name": to_text(one.name), "subtree": one.subtree, "reason": one.reason}
        for one in catalog.pins
    ]
    return dump({"pins": pins})


if __name__ == "__main__":
    sys.exit(main())
