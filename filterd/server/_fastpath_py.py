# SPDX-License-Identifier: Apache-2.0
"""Answers that need no thinking, in readable Python (the reference of ``_fastpath``).

Two readers of what others decided, and no policy of its own. *Replay*: the chain
has answered this very question for this class of clients, and that still holds.
*Table*: all that the lists say of the name is plain (``filterd.policy.fast``), and
nobody else says anything. Whatever else comes is left to the chain.
``filterd.server.fastpath`` fills it and says when everything is to be forgotten.

Classes, rows, templates and tallies are small numbers that the filler hands out.
"""

from __future__ import annotations

from collections import Counter
from math import ceil
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from filterd.errors import WireError
from filterd.policy.fast import Touch
from filterd.wire import name as names
from filterd.wire.header import AD, CD, HEADER_OCTETS, RD, TC, peek_header
from filterd.wire.query import parse_query
from filterd.wire.response import parse_response
from filterd.wire.truncate import MIN_UDP_SIZE, size_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping
    from typing import Protocol

    from filterd.lists.layout import Hit
    from filterd.wire.query import ParsedQuery

    class Finder(Protocol):
        """Finds listed names; see ``filterd.lists.matcher``."""

        def lookup(self, name: bytes) -> tuple[Hit, ...]:
            """Return the listed names that are ``name`` or an ancestor, the longest first."""

    Fill = Callable[[int, int], "Cell"]

ENTRIES, WAYS = 16_384, 8
"""So many answers are kept, in sets of so many that a question's hash leads to."""
CLIENTS = 4_096
CLIENT_WAYS = 4
MOST_CLASSES, MOST_ROWS, MOST_TEMPLATES, MOST_TALLIES = 1_024, 64, 256, 8_192
LARGEST_REPLY = 1_232
MOST_OCTETS = 6 * 1024 * 1024
"""What the replies that are kept may take together."""
MOST_LABELS = 24
"""A name of more is looked up by the chain: the work on one is bounded."""
MOST_TTLS = 48

COMPLEX, OPEN, BLOCK = 0, 1, 2
ASKED_RD, ASKED_CD, ASKED_AD, ASKED_DO, ASKED_OPT = 1, 2, 4, 8, 16
"""What of a question beside name and type its answer depends on."""

NO_OPS = (3, 11, 12)
"""EDNS options that change no answer: NSID, keepalive, padding (RFC 5001, 7828, 7830)."""

_FLAGS = RD | AD | CD
_OPT, _META = 41, range(249, 256)
_TTL = Struct("!I")


class Cell(NamedTuple):
    """What a claim set means to a row: COMPLEX for the chain, OPEN for nothing, or BLOCK.

    Of several blocks the one of the lowest ``rank`` decides, then of the longest name.
    """

    kind: int
    rank: int = 0
    template: int = 0
    tally: int = 0


class Asked(NamedTuple):
    """A question that may be answered here. ``end``: where its section ends; ``limit``: octets."""

    qname: bytes
    qtype: int
    flags: int
    end: int
    limit: int


class _Kept(NamedTuple):
    reply: bytes
    ttls: tuple[int, ...]
    noted_at: float
    until: float
    valid_until: float
    tally: int
    source: Hashable


def read(message: bytes) -> Asked | None:
    """Read a question if it is of the kind that may be answered here (dns.md §8)."""
    if len(message) < HEADER_OCTETS or peek_header(message).flags & ~_FLAGS:
        return None
    if peek_header(message).nscount or peek_header(message).arcount > 1:
        return None
    try:
        query = parse_query(message)
    except WireError:
        return None
    if not _is_ordinary(query):
        return None
    question = query.question
    flags = flags_of(query)
    end = HEADER_OCTETS + len(question.wire)
    return Asked(question.qname, question.qtype, flags, end, size_limit(query, "udp"))


def _is_ordinary(query: ParsedQuery) -> bool:
    question, edns = query.question, query.edns
    if query.header.arcount and edns is None:
        return False
    if question.qclass != 1 or question.qtype in (0, _OPT) or question.qtype in _META:
        return False
    if edns is None:
        return True
    plain = not (edns.version or edns.extended_rcode or edns.flags & 0x7FFF)
    return plain and all(code in NO_OPS for code, _ in edns.options)


def flags_of(query: ParsedQuery) -> int:
    """Return what of a question beside name and type its answer depends on."""
    header = query.header
    return (
        (ASKED_RD if header.rd else 0)
        | (ASKED_CD if header.cd else 0)
        | (ASKED_AD if header.ad else 0)
        | (ASKED_DO if query.do else 0)
        | (ASKED_OPT if query.edns is not None else 0)
    )


class Core:
    """Tables of fixed size; see the module.

    Args:
        seed: 16 octets, so that nobody can foretell which answers push out which.
        entries: how many answers are kept.

    Attributes:
        recognised: whether the class of who sent the last datagram was known.
    """

    def __init__(self, seed: bytes, entries: int = ENTRIES) -> None:
        if len(seed) != 16:
            raise ValueError("a seed has 16 octets")
        self._entries = entries
        self._now = self._wall = 0.0
        self._counts: Counter[int] = Counter()
        self._hits: Counter[Hashable] = Counter()
        self.recognised = False
        self.forget()

    def forget(self) -> None:
        """Forget everything but what was counted."""
        self._matcher: Finder | None = None
        self._touched: Mapping[bytes, int] = {}
        self._first_labels: frozenset[bytes] = frozenset()
        self._fill: Fill | None = None
        self._cells: dict[tuple[int, int], Cell] = {}
        self._templates: list[tuple[bytes, bytes, bytes]] = []
        self._rows: list[int] = []
        self._set_count = 0
        self._clients: dict[tuple[bytes, int], tuple[int, float]] = {}
        self._kept: dict[tuple[int, bytes, int, int], _Kept] = {}
        self._octets = 0

    def load(
        self,
        matcher: Finder,
        touched: Mapping[bytes, int],
        first_labels: Iterable[bytes],
        set_count: int,
        fill: Fill,
    ) -> None:
        """Take what a site says, after ``forget``.

        Args:
            matcher: of its index.
            touched: names by ``Touch``.
            first_labels: labels that make a name special which begins with one.
            set_count: how many claim sets the index has.
            fill: called with row and set for a cell that is not known yet.
        """
        self._matcher, self._touched, self._fill = matcher, touched, fill
        self._first_labels = frozenset(first_labels)
        self._set_count = set_count

    def at(self, now: float, wall: float) -> None:
        """Set the times by which what follows is answered."""
        self._now, self._wall = now, wall

    def add_class(self, row: int) -> int:
        """Return the number of another class of clients, whose cells are of ``row``; -1: full."""
        if len(self._rows) == MOST_CLASSES or not 0 <= row < MOST_ROWS:
            return -1
        self._rows.append(row)
        return len(self._rows) - 1

    def add_template(self, plain: bytes, edns: bytes, dnssec: bytes) -> int:
        """Return the number of another answer: header and what follows the question; -1: full.

        Args:
            plain: for who sent no OPT.
            edns: for who sent OPT.
            dnssec: for who sent OPT with DO.
        """
        if len(self._templates) == MOST_TEMPLATES:
            return -1
        self._templates.append((plain, edns, dnssec))
        return len(self._templates) - 1

    def learn(self, address: bytes, interface: int, client_class: int, until: float) -> None:
        """Remember the class of a client."""
        if len(self._clients) >= CLIENTS:
            self._clients.clear()
        self._clients[address, interface] = client_class, until

    def class_of(self, address: bytes, interface: int) -> int:
        """Return the class of a client, -1 where it is not known."""
        client_class, until = self._clients.get((address, interface), (-1, 0.0))
        return client_class if self._now < until else -1

    def note(
        self,
        client_class: int,
        flags: int,
        reply: bytes,
        until: float,
        valid_until: float,
        tally: int,
        source: Hashable,
    ) -> bool:
        """Keep an answer of the chain's; False where it is not of the kind that is kept.

        Args:
            client_class: for whom.
            flags: see ``flags_of``.
            reply: not cut to a size.
            until: how long at most by the monotonic clock; its TTLs may end it before.
            valid_until: how long at most by the wall clock.
            tally: where its repetitions are counted.
            source: whose hits they are; None for nobody's.
        """
        if len(reply) > LARGEST_REPLY or peek_header(reply).flags & TC:
            return False
        response = parse_response(reply)
        ttls = tuple(one.ttl_offset for one in response.records if one.rtype != _OPT)
        if response.question is None or not 0 < len(ttls) <= MOST_TTLS:
            return False
        least = min(_TTL.unpack_from(reply, place)[0] for place in ttls)
        until = min(until, self._now + least)
        if until <= self._now or valid_until <= self._wall:
            return False
        key = client_class, response.question.qname, response.question.qtype, flags
        self._drop(key)
        if len(self._kept) >= self._entries or self._octets + len(reply) > MOST_OCTETS:
            self._drop(next(iter(self._kept)))
        self._kept[key] = _Kept(reply, ttls, self._now, until, valid_until, tally, source)
        self._octets += len(reply)
        return True

    def answer(self, message: bytes, address: bytes, interface: int) -> bytes | None:
        """Return the answer to a datagram, None where the chain must give it."""
        client_class = self.class_of(address, interface)
        self.recognised = client_class >= 0
        if client_class < 0 or (asked := read(message)) is None:
            return None
        return self._replay(message, asked, client_class) or self._by_table(
            message, asked, client_class
        )

    def take_counts(self) -> list[tuple[int, int]]:
        """Return how often was answered by each tally since the last time."""
        counts, self._counts = self._counts, Counter()
        return sorted(counts.items())

    def gather_hits(self) -> None:
        """Let ``take_hits`` return those of answers that are still kept, too; it does here."""

    def take_hits(self) -> list[tuple[Hashable, int]]:
        """Return how often answers were repeated that are no longer kept, by their source."""
        hits, self._hits = self._hits, Counter()
        return list(hits.items())

    def _drop(self, key: tuple[int, bytes, int, int]) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._octets -= len(kept.reply)

    def _replay(self, message: bytes, asked: Asked, client_class: int) -> bytes | None:
        key = client_class, asked.qname, asked.qtype, asked.flags
        kept = self._kept.get(key)
        if kept is None:
            return None
        age = ceil(self._now - kept.noted_at)
        if self._now >= kept.until or self._wall >= kept.valid_until:
            self._drop(key)
            return None
        if len(kept.reply) > asked.limit:
            return None
        reply = bytearray(kept.reply)
        for place in kept.ttls:
            _TTL.pack_into(reply, place, _TTL.unpack_from(reply, place)[0] - age)
        self._counts[kept.tally] += 1
        if kept.source is not None:
            self._hits[kept.source] += 1
        reply[:2] = message[:2]
        reply[HEADER_OCTETS : asked.end] = message[HEADER_OCTETS : asked.end]
        return bytes(reply)

    def _by_table(self, message: bytes, asked: Asked, client_class: int) -> bytes | None:
        if self._matcher is None or not asked.flags & ASKED_RD or self._is_touched(asked.qname):
            return None
        best: Cell | None = None
        for hit in self._matcher.lookup(asked.qname):
            cell = self._cell(self._rows[client_class], hit.set_id)
            if cell.kind == COMPLEX:
                return None
            if cell.kind == BLOCK and (best is None or cell.rank < best.rank):
                best = cell
        if best is None:
            return None
        self._counts[best.tally] += 1
        return self._from_template(message, asked, best.template)

    def _is_touched(self, qname: bytes) -> bool:
        """Tell whether anybody but a list may say anything of a name."""
        labels = names.labels(qname)
        if not 2 <= len(labels) <= MOST_LABELS or labels[0] in self._first_labels:
            return True
        if qname in self._touched:
            return True
        return any(self._touched.get(one, 0) & Touch.SUBTREE for one in names.suffixes(qname))

    def _cell(self, row: int, set_id: int) -> Cell:
        if set_id >= self._set_count:
            return Cell(COMPLEX)
        cell = self._cells.get((row, set_id))
        if cell is None:
            assert self._fill is not None
            cell = self._cells[row, set_id] = self._fill(row, set_id)
        return cell

    def _from_template(self, message: bytes, asked: Asked, number: int) -> bytes | None:
        which = 0 if not asked.flags & ASKED_OPT else 2 if asked.flags & ASKED_DO else 1
        template = self._templates[number][which]
        head, tail = template[:HEADER_OCTETS], template[HEADER_OCTETS:]
        flags = int.from_bytes(head[2:4]) | peek_header(message).flags & (RD | CD)
        question = message[HEADER_OCTETS : asked.end]
        assert asked.end + len(tail) <= MIN_UDP_SIZE  # a header, a name and three records
        return message[:2] + flags.to_bytes(2) + head[4:] + question + tail
