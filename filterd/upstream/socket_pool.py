# SPDX-License-Identifier: Apache-2.0
"""The active twin of the socket pool; ``_socket_pool_py`` documents it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.native import live_twin

if TYPE_CHECKING:
    from filterd.upstream._socket_pool_py import SocketPool
    from filterd.upstream.udp_query import UdpAttempt

    NATIVE: bool
else:
    _live, NATIVE = live_twin("filterd.upstream._pool", "filterd.upstream._socket_pool_py")
    SocketPool, UdpAttempt = _live.SocketPool, _live.UdpAttempt

__all__ = ["NATIVE", "SocketPool", "UdpAttempt"]
