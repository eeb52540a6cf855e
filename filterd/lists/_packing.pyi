# SPDX-License-Identifier: Apache-2.0
from array import array
from collections.abc import Callable, Sequence

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
