# SPDX-License-Identifier: Apache-2.0
"""Blocks by the lists alone, in readable Python (the reference of ``_decision_cells``).

What a claim set means to a row of the decision table, where that is plain
(``filterd.policy.plain_sets``), is a cell; a name that only plain cells speak of is
answered here, seen before or not. A name of which anybody but the lists may say
anything is touched, and the chain's; so is one that may be a look-alike
(``filterd.lists.lookalikes``), whatever the lists say of it.

Rows, templates, openings and tallies are small numbers that the filler hands out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.fastpath._question_py import ASKED_DO, ASKED_OPT, ASKED_RD
from filterd.lists.lookalikes import may_match
from filterd.policy.plain_sets import Touch
from filterd.wire import name as names
from filterd.wire.header import CD, HEADER_OCTETS, RD, peek_header
from filterd.wire.truncate import MIN_UDP_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Protocol

    from filterd.fastpath._question_py import Asked
    from filterd.lists.index_format import Hit

    class Finder(Protocol):
        """Finds listed names; see ``filterd.lists.matcher``."""

        def lookup(self, name: bytes) -> tuple[Hit, ...]:
            """Return the listed names that are ``name`` or an ancestor, the longest first."""

    Fill = Callable[[int, int], "Cell"]

MOST_ROWS, MOST_TEMPLATES, MOST_FIRST_LABELS = 64, 256, 8
MOST_LABELS = 24
"""A name of more is looked up by the chain: the work on one is bounded."""
TAIL_OCTETS = 114
"""What may follow the question in an answer from a template: three records."""

MOST_OPENINGS = 4_096

COMPLEX, OPEN, BLOCK = 0, 1, 2


class Cell(NamedTuple):
    """What a claim set means to a row: COMPLEX for the chain, OPEN for nothing, or BLOCK.

    Of several blocks the one of the lowest ``rank`` decides, then of the longest name. What is
    open has an opening in the place of a template: it says as what the name is counted.
    """

    kind: int
    rank: int = 0
    template: int = 0
    tally: int = 0


class Table:
    """Cells by row and claim set, and what a block looks like.

    Args:
        seed: 16 octets, so that nobody can foretell what falls together; here nothing does.
    """

    def __init__(self, seed: bytes) -> None:
        if len(seed) != 16:
            raise ValueError("a seed has 16 octets")
        self.forget()

    def forget(self) -> None:
        """Forget everything."""
        self._matcher: Finder | None = None
        self._touched: Mapping[bytes, int] = {}
        self._first_labels: frozenset[bytes] = frozenset()
        self._fill: Fill | None = None
        self._skeletons = frozenset[bytes]()
        self._cells: dict[tuple[int, int], Cell] = {}
        self._templates: list[tuple[bytes, bytes, bytes]] = []
        self._set_count = 0

    def load(
        self,
        matcher: Finder,
        touched: Mapping[bytes, int],
        first_labels: Iterable[bytes],
        set_count: int,
        fill: Fill,
        skeletons: frozenset[bytes] = frozenset(),
    ) -> None:
        """Take what a site says, after ``forget``.

        Args:
            matcher: of its index.
            touched: names by ``Touch``.
            first_labels: labels that make a name special which begins with one.
            set_count: how many claim sets the index has.
            fill: called with row and set for a cell that is not known yet.
            skeletons: of the index's look-alike rules.
        """
        self._first_labels = frozenset(first_labels)
        if len(self._first_labels) > MOST_FIRST_LABELS:
            raise ValueError(f"at most {MOST_FIRST_LABELS} labels make a name special")
        self._matcher, self._touched, self._fill = matcher, touched, fill
        self._set_count, self._skeletons = set_count, skeletons

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

    def judge(self, asked: Asked, row: int) -> tuple[int, Cell | None]:
        """Return what a question is to a row.

        Returns: BLOCK and the cell by which it is blocked; OPEN and the cell as which
        it is counted, None where no list names it; COMPLEX where the chain must tell.
        """
        if not asked.flags & ASKED_RD:
            return COMPLEX, None
        return self._judge(asked.qname, row)

    def lets_through(self, name: bytes, row: int) -> bool:
        """Tell whether nobody says a thing against a name that an answer leads to."""
        return self._judge(name, row)[0] == OPEN

    def _judge(self, name: bytes, row: int) -> tuple[int, Cell | None]:
        if self._matcher is None or self._is_touched(name):
            return COMPLEX, None
        best: Cell | None = None
        for hit in self._matcher.lookup(name):
            cell = self._cell(row, hit.set_id)
            if cell.kind == COMPLEX:
                return COMPLEX, None
            if best is None or (
                cell.kind == BLOCK and (best.kind != BLOCK or cell.rank < best.rank)
            ):
                best = cell
        return (OPEN if best is None else best.kind), best

    def _is_touched(self, qname: bytes) -> bool:
        """Tell whether anybody but a list may say anything of a name, or more than it names."""
        labels = names.labels(qname)
        if not 2 <= len(labels) <= MOST_LABELS or labels[0] in self._first_labels:
            return True
        if qname in self._touched or may_match(self._skeletons, qname):
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

    def from_template(self, message: bytes, asked: Asked, number: int) -> bytes:
        """Return a block, as the template of this number writes it."""
        which = 0 if not asked.flags & ASKED_OPT else 2 if asked.flags & ASKED_DO else 1
        template = self._templates[number][which]
        head, tail = template[:HEADER_OCTETS], template[HEADER_OCTETS:]
        flags = int.from_bytes(head[2:4]) | peek_header(message).flags & (RD | CD)
        question = message[HEADER_OCTETS : asked.end]
        assert asked.end + len(tail) <= MIN_UDP_SIZE  # a header, a name and three records
        return message[:2] + flags.to_bytes(2) + head[4:] + question + tail
