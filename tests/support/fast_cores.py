# SPDX-License-Identifier: Apache-2.0
"""A core of the fast path that a test fills by hand, and questions for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.fastpath.core_contract import BLOCK, Cell
from filterd.fastpath.core_filler import Core
from tests.support.policies import wire
from tests.support.wire import a_query

if TYPE_CHECKING:
    from filterd.lists.index import Index

CLIENT, OTHER_CLIENT, STRANGER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), bytes([10, 0, 0, 3])
INTERFACE = 2
NOW, WALL = 1_000.0, 5_000.0
SOA = bytes.fromhex("c00c 0006 0001 0000000a 0016 00 00") + bytes(20)
OPT = bytes.fromhex("00 0029 04d0 00000000 0006 000f 0002 0011")
OPENINGS = 7, 4_095
"""Of what no list names, by class."""
DNSSEC_OPT = bytes.fromhex("00 0029 04d0 00008000 0006 000f 0002 0011")
HEAD = bytes.fromhex("0000 8083 0001 0000 0001 00")
TEMPLATE = HEAD + b"\0" + SOA, HEAD + b"\1" + SOA + OPT, HEAD + b"\1" + SOA + DNSSEC_OPT


class Learnt(NamedTuple):
    """Classes of the two clients."""

    one: int
    other: int


def a_core(
    index: Index,
    cells: dict[tuple[int, int], tuple[int, ...]] | None = None,
    touched: dict[str, int] | None = None,
) -> Any:
    """Return a core to which sets without a cell are blocks, and two clients of two rows."""
    core = Core(bytes(range(16)))
    fill_it(core, index, cells, touched)
    return core


def fill_it(
    core: Any,
    index: Index,
    cells: dict[tuple[int, int], tuple[int, ...]] | None = None,
    touched: dict[str, int] | None = None,
) -> Learnt:
    """Set the site of a core, with its templates, classes and clients."""
    known = cells or {}
    names = {wire(name): touch for name, touch in (touched or {}).items()}
    core.table.load(
        index.matcher,
        names,
        [b"wpad"],
        len(index.sets),
        lambda row, set_id: known.get((row, set_id), Cell(BLOCK, 4, 0, 1 + row)),
        index.lookalikes.skeletons,
    )
    core.at(NOW, WALL)
    core.table.add_template(*TEMPLATE)
    learnt = Learnt(*(core.add_group(row, opening) for row, opening in enumerate(OPENINGS)))
    core.learn(CLIENT, INTERFACE, learnt.one, NOW + 60)
    core.learn(OTHER_CLIENT, INTERFACE, learnt.other, NOW + 60)
    return learnt


def ask(core: Any, name: str = "porn.example", qtype: str = "A", **options: Any) -> bytes | None:
    """Return what the first client is answered."""
    answer: bytes | None = core.answer(a_query(name, qtype, **options), CLIENT, INTERFACE)
    return answer
