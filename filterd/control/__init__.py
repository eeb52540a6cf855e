# SPDX-License-Identifier: Apache-2.0
"""Floor 6: the socket by which commands ask the running daemon.

A Unix socket in the state folder; whoever may open it may ask. One request a
connection: a line of JSON ``{"command": ..., ...}``, answered by a line of JSON,
``{"ok": true, "result": ..., "notices": [...]}`` or ``{"ok": false, "errors": [...]}``. The server
side knows no command: it is given a table of them, and tells each who asks, as
the kernel says.
"""

from filterd.control.caller import Caller
from filterd.control.client import NotLetInError, ask, is_running, notices
from filterd.control.server import Command, ControlServer

__all__ = ["Caller", "Command", "ControlServer", "NotLetInError", "ask", "is_running", "notices"]
