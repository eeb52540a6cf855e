# SPDX-License-Identifier: Apache-2.0
"""Floor 5: the socket by which commands ask the running daemon: its protocol and the client.

A Unix socket in the state folder. One request a connection: a line of JSON
``{"command": ..., ...}``, answered by a line of JSON, ``{"ok": true, "result": ..., "notices":
[...]}`` or ``{"ok": false, "error": TEXT, "code": ..., "errors": [...]}``. The server
(``daemon.control_server``) learns from the kernel which user asks.
"""

from filterd.control.connection import NotLetInError, ask, is_running, notices

__all__ = ["NotLetInError", "ask", "is_running", "notices"]
