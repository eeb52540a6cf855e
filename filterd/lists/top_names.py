# SPDX-License-Identifier: Apache-2.0
"""Popular names: an entry that closes one is a mistake until it is approved.

Every list has named one of them once: a host cut out of a long address, a test
entry, a typing error. Those that ship with filterd must stay
open (``filterd.lists.catalogs.catalog_tables``); a publisher may bring a ranking beside them.

Names of schools of the world ship, too: no look-alike rule may close one, and where they stand and
what they look like bounds rules that say little (``lookalike_reach``).
"""

from __future__ import annotations

import zlib
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import ListError
from filterd.base.paths import open_plain, read_plain, reading, shipped
from filterd.lists.catalogs.catalog_tables import load_ordinary_words, load_popular_names
from filterd.lists.hostname import HostnameError, key_from_text, text_from_key
from filterd.lists.public_suffix import is_public_suffix
from filterd.lists.rules import Scope
from filterd.texts.i18n import say
from filterd.wire.name import to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from filterd.lists.catalogs.catalog_tables import PopularName

MOST = 10_000
"""Names that count; lower ranks mean little."""

SCHOOLS_FILE = "schools/names.txt.gz"
_MAX_FILE_OCTETS = 50_000_000
_MOST_PACKED_OCTETS, _MOST_OCTETS, _OF_GZIP = 150_000, 1_000_000, 31


class Ranked(NamedTuple):
    """A popular name; the first has rank 1."""

    rank: int
    name: str


class Popular:
    """Popular names: a ranking, and names that must stay open.

    Args:
        names: as text, the most popular first; what is no name of a host is left out.
        frozen: names that no category may close but those that mean them.
        words: ordinary words, which names of every kind have.

    Attributes:
        names: the ranking.
        keys: an entry for any other key closes none of them, whatever its scope.
        frozen: the categories that mean each of those names.
    """

    def __init__(
        self,
        names: Iterable[str] = (),
        frozen: Iterable[PopularName] = (),
        words: frozenset[str] = frozenset(),
    ) -> None:
        self.names, self.words = tuple(_ranked(names)), words
        self._ranking = _Closing(self.names)
        self.frozen = {to_text(one.name): one.except_categories for one in frozen}
        self._frozen = _Closing(self.frozen)
        self._hosts = _Closing(f"www.{name}" for name in self.frozen)
        three = (self._ranking, self._frozen, self._hosts)
        self.keys = frozenset[bytes]().union(*(one.keys for one in three))

    def closed_by(self, key: bytes, scope: Scope) -> Sequence[Ranked]:
        """Return the ranked names that an entry for a key closes, the most popular first."""
        return self._ranking.by(key, scope)

    def frozen_closed_by(self, key: bytes, scope: Scope) -> Sequence[str]:
        """Return the names that must stay open and that an entry for a key closes."""
        found, hosts = self._frozen.by(key, scope), self._hosts.by(key, scope)
        if not (found or hosts):
            return ()  # as for nearly all of a million entries
        names = [one.name for one in found] + [host.name.removeprefix("www.") for host in hosts]
        return list(dict.fromkeys(names))

    def wrongly(self, names: Iterable[str], category: str) -> Sequence[str]:
        """Return those of these names that ``category`` does not mean."""
        return [name for name in names if category not in self.frozen[name]]

    def wrongly_closed_by(self, key: bytes, scope: Scope, category: str) -> Sequence[str]:
        """Return the names that must stay open and that an entry of ``category`` closes."""
        return self.wrongly(self.frozen_closed_by(key, scope), category)

    def text(self) -> bytes:
        """Return the ranking as a version of the feed carries it, one name a line."""
        return "".join(f"{name}\n" for name in self.names).encode("ascii")


class _Closing:
    """Finds which of some names an entry closes."""

    def __init__(self, names: Iterable[str]) -> None:
        self._exact = dict[bytes, Ranked]()
        self._beneath = dict[bytes, list[Ranked]]()
        for rank, name in enumerate(names, 1):
            ranked, key = Ranked(rank, name), key_from_text(name)
            self._exact[key] = ranked
            end = 0
            while end := key.find(b"\0", end) + 1:
                if not is_public_suffix(key[:end]):
                    self._beneath.setdefault(key[:end], []).append(ranked)

    @property
    def keys(self) -> frozenset[bytes]:
        """The keys that an entry closes one of them by."""
        return frozenset((*self._exact, *self._beneath))

    def by(self, key: bytes, scope: Scope) -> Sequence[Ranked]:
        """Return those that an entry for a key closes, in their order."""
        if scope is Scope.EXACT:
            exact = self._exact.get(key)
            return () if exact is None else (exact,)
        return self._beneath.get(key, ())


def read_popular(path: Path | None) -> Popular:
    """Return the names that must stay open, with a ranking where there is one.

    Args:
        path: its file: names, one a line, the most popular first; ``rank,name`` is taken too.

    Raises:
        ListError: the file cannot be read, or has no names.
    """
    frozen, words = load_popular_names(), load_ordinary_words()
    if path is None:
        return Popular((), frozen, words)
    with reading(path, ListError), open_plain(path) as file:
        text = file.read(_MAX_FILE_OCTETS).decode("utf-8", "replace")
    popular = Popular(_fields(text), frozen, words)
    if not popular.names:
        raise ListError(
            say("{path}: has no names; write one a line, the most popular first", path=path)
        )
    return popular


def _fields(text: str) -> Iterator[str]:
    for line in text.splitlines():
        name = line.split("\t", 1)[0].strip()
        rank, comma, rest = name.partition(",")
        yield rest if comma and rank.isdecimal() else name


def _ranked(names: Iterable[str]) -> Iterator[str]:
    """Yield the first host names, each once, in the form of the index."""
    seen = set[str]()
    for text in names:
        try:
            name = text_from_key(key_from_text(text))
        except HostnameError:
            continue
        if name not in seen:
            seen.add(name)
            yield name
        if len(seen) == MOST:
            return


@cache
def load_school_names() -> tuple[str, ...]:
    """Return the names of schools that ship, in the order of the file.

    Raises:
        ListError: it cannot be read, or is damaged.
        StoreError: filterd is installed without it.
    """
    path = shipped("blocklists") / SCHOOLS_FILE
    with reading(path, ListError):
        packed = read_plain(path, _MOST_PACKED_OCTETS)
    unpacker = zlib.decompressobj(_OF_GZIP)
    try:
        names = tuple(unpacker.decompress(packed, _MOST_OCTETS).decode("ascii").split())
    except (zlib.error, UnicodeDecodeError) as error:
        raise ListError(say("{path}: is damaged: {why}", path=path, why=str(error))) from error
    if not unpacker.eof or not names:
        raise ListError(say("{path}: is damaged: {why}", path=path, why=say("it is cut short")))
    return names
