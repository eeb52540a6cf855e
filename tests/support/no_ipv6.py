# SPDX-License-Identifier: Apache-2.0
"""A kernel without IPv6, as sockets show it."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any


class NoIpv6(socket.socket):
    """A socket that cannot be one of IPv6; ``socket.socket`` is replaced by it."""

    def __init__(self, family: int = -1, *arguments: Any, **named: Any) -> None:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        super().__init__(family, *arguments, **named)
