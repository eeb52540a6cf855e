# SPDX-License-Identifier: Apache-2.0
"""Floor 6: sockets and the life of the daemon.

``udp`` and ``tcp`` listen and know nothing but bytes and addresses; ``arrival``
binds their sockets and tells how something came in; ``stepping`` runs a
coroutine without a task until it has to wait; ``state`` is what is on disk and
how it becomes a ``Site``; ``daemon`` starts, reloads and stops it all.
"""
