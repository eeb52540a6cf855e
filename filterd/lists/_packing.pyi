# SPDX-License-Identifier: Apache-2.0
from array import array
from collections.abc import Sequence

class Packer:
    name_count: int
    names: array[int]
    lines: array[int]
    name_offsets: array[int]
    line_offsets: array[int]
    set_ids: array[int]
    hashes: array[int]
    sets: list[tuple[int, ...]]
    kept: list[int]
    duplicate: list[int]
    redundant: list[int]
    cancelled: list[int]
    def __init__(self, lists: Sequence[int], flags: bytes, list_count: int, seed: int) -> None: ...
    def pack(self, records: list[bytes]) -> None: ...

def fill_slots(hashes: array[int]) -> tuple[array[int], int]: ...
