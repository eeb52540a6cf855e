# SPDX-License-Identifier: Apache-2.0
"""Read the names of schools and universities of the world that ship.

They are judges, not lists: no rule for look-alikes may close one of them, and where they stand and
what they look like bounds rules that say little (``lookalike_reach``). ``blocklists/schools`` has
them with their licence; as ``popular.yaml`` they are read from the installed program only.
"""

from __future__ import annotations

import zlib
from functools import cache

from filterd.errors import ListError
from filterd.i18n import say
from filterd.paths import read_plain, reading, shipped

FILE = "schools/names.txt.gz"
_MOST_PACKED_OCTETS, _MOST_OCTETS = 150_000, 1_000_000
_OF_GZIP = 31


@cache
def load_school_names() -> tuple[str, ...]:
    """Return the names in the order of the file.

    Raises:
        ListError: it cannot be read, or is damaged.
        StoreError: filterd is installed without it.
    """
    path = shipped("blocklists") / FILE
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
