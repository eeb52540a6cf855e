# SPDX-License-Identifier: Apache-2.0
from collections.abc import Set as AbstractSet

from filterd.lists.formats.parsed import PlainLine

def skim(
    lines: list[str],
    shape: PlainLine,
    first: int,
    claim: int,
    special: tuple[AbstractSet[bytes], AbstractSet[bytes]],
    records: list[bytes],
) -> None: ...
