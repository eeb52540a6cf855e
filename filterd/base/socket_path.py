# SPDX-License-Identifier: Apache-2.0
"""Reach a Unix socket by its path, however long the path is.

The kernel takes 107 octets as the address of a socket (unix(7)), and a folder of a person's
choice may have a longer path. Then the address leads through an open descriptor of the folder;
the rights of the folder and of the socket count as on the whole path.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_OCTETS = 107
"""Of an address, without the zero octet at its end."""


@contextlib.contextmanager
def short_path(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yield an address of the socket at a path, to bind or connect to, valid inside.

    A path that is short enough is its own address, so that ss(8) shows it. An abstract name,
    which begins with a zero octet, is no path and stays as it is.

    Raises:
        OSError: the folder is missing or closed to this user.
    """
    name = os.fspath(path)
    if len(os.fsencode(name)) <= LONGEST_OCTETS or name.startswith("\0"):
        yield name
        return
    parent, last = os.path.split(name)
    folder = os.open(parent or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{last}"
    finally:
        os.close(folder)
