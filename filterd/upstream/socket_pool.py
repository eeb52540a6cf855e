# SPDX-License-Identifier: Apache-2.0
"""The active socket pool: the native one, or the plain ``_socket_pool_py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.native import live_twin

if TYPE_CHECKING:
    from filterd.upstream._socket_pool_py import SocketPool, UdpAttempt

    NATIVE: bool
else:
    _live, NATIVE = live_twin("filterd.upstream._pool", "filterd.upstream._socket_pool_py")
    SocketPool, UdpAttempt = _live.SocketPool, _live.UdpAttempt

__all__ = ["NATIVE", "SocketPool", "UdpAttempt"]
