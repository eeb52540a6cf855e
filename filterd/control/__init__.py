# SPDX-License-Identifier: Apache-2.0
"""Floor 5: the control socket of the running daemon: its protocol, and the client.

A Unix socket in the state folder. One request a connection, one *frame*, which is a line of
JSON; one frame or more answer it, and the last one has the end mark::

    {"version": 1, "id": 7, "stream": 0, "act_for": "", "ask": "check", "arguments": {...}}
    {"ok": true, "result": ..., "notices": [...], "version": 1, "id": 7, "stream": 0, "end": true}
    {"ok": false, "error": TEXT, "code": ..., "errors": [...], "version": 1, ...}

A command that streams answers by frames whose end mark is false, one a value, and between
them by heartbeats; the client ends it by closing the connection.

``frames`` bounds each of these. ``connection`` asks and waits; ``event_stream`` follows a
command that streams, in an event loop. The server (``daemon.handlers.control_server``) gets the
user of the client from the kernel; ``act_for`` is the token of a person in whose name that user
asks, and ``address`` the address of that person's device (``accounts``). ``status_answer`` names
what the answer to ``status`` has.
"""

from filterd.control.connection import (
    NotLetInError,
    UnansweredError,
    ask,
    is_running,
    notices,
    stream,
)

__all__ = ["NotLetInError", "UnansweredError", "ask", "is_running", "notices", "stream"]
