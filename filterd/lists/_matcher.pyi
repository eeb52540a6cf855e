# SPDX-License-Identifier: Apache-2.0
import mmap
from array import array
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from filterd.lists.formats.parsed import PlainLine
from filterd.lists.index_format import Hit, IndexHeader

class Matcher:
    def __init__(self, octets: bytes | mmap.mmap, header: IndexHeader) -> None: ...
    def lookup(self, name: bytes) -> tuple[Hit, ...]: ...
    def count_hits(self, names: list[bytes]) -> int: ...
    def count_hits_singly(self, names: list[bytes]) -> int: ...
    def block(self, number: int) -> list[tuple[bytes, int]]: ...
    def check(self) -> None: ...

class Packer:
    name_count: int
    block_octets: int
    set_width: int
    blocks: array[int]
    lines: array[int]
    line_offsets: array[int]
    hashes: array[int]
    ranks: array[int]
    sets: list[tuple[int, ...]]
    kept: list[int]
    duplicate: list[int]
    redundant: list[int]
    cancelled: list[int]
    def __init__(
        self,
        lists: Sequence[int],
        flags: bytes,
        list_count: int,
        seed: int,
        block_octets: int,
        set_width: int,
    ) -> None: ...
    def pack(self, records: list[bytes], progress: Callable[[int], None]) -> None: ...

def fill_slots(
    hashes: array[int], ranks: array[int], block_count: int
) -> tuple[array[int], int]: ...
def skim(
    lines: list[str],
    shape: PlainLine,
    first: int,
    claim: int,
    special: tuple[AbstractSet[bytes], AbstractSet[bytes]],
    records: list[bytes],
) -> None: ...
def write_names(
    records: list[bytes], roles: bytes, drops_covered: bool
) -> tuple[bytes, int, int, int, bool]: ...
def survey(
    records: list[bytes], seen: AbstractSet[bytes], wanted: bytes
) -> tuple[bytes, list[bytes]]: ...
def take_members(
    text: bytes,
    special: tuple[AbstractSet[bytes], AbstractSet[bytes], AbstractSet[bytes]],
    members: list[bytes],
) -> list[bytes]: ...
