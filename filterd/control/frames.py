# SPDX-License-Identifier: Apache-2.0
"""Read and write the frames of the control protocol, each part within its bound.

Pure. Release 0.1 sends ``{"command": ..., **arguments}`` and ignores unknown keys of an
answer. Its requests are read for one release more, and answered in its form.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from filterd.base.errors import ControlError, to_plain
from filterd.texts import counted
from filterd.texts.i18n import say

VERSION = 1
LARGEST_REQUEST_OCTETS = 512 * 1024
"""An exam may have two thousand names."""
LARGEST_ANSWER_OCTETS = 16 * 1024 * 1024
HEARTBEAT = "heartbeat"
"""True in a frame of a stream that has no value, and shows only that the daemon is there."""
MOST_ID = (1 << 32) - 1
MOST_STREAMS = 16
"""Of one connection, numbered from 0."""
LONGEST_TOKEN = 256
_LONGEST_ADDRESS = 64
UNKNOWN = "unknown-command"
"""Code of the error for a command that the daemon does not have."""
_LONGEST_COMMAND = 40


class ControlRequest(NamedTuple):
    """A request of a client.

    Attributes:
        command, arguments: the command and its arguments.
        id: the client's number of the request; None if it is not known.
        stream: the stream of the connection to which request and answers belong.
        act_for: the token of the person in whose name the client asks; else empty.
        address: of that person's device, as the client knows it; else empty.
    """

    command: str
    arguments: dict[str, Any]
    id: int | None = None
    stream: int = 0
    act_for: str = ""
    address: str = ""


UNREADABLE = ControlRequest("", {})
"""Stands for a request that cannot be parsed."""


def unknown_command() -> ControlError:
    """Return the error for a malformed request or an unknown command."""
    error = ControlError(say("the running filterd does not know this command"))
    error.code = UNKNOWN
    return error


def dump_request(request: ControlRequest) -> bytes:
    """Return the frame of a request."""
    frame = {
        "version": VERSION,
        "id": request.id,
        "stream": request.stream,
        "act_for": request.act_for,
        **({"address": request.address} if request.address else {}),
    }
    return _line({**frame, "ask": request.command, "arguments": request.arguments})


def read_request(line: bytes) -> ControlRequest:
    """Return the request of a frame.

    Raises:
        ControlError: it is malformed, of a newer version, or beyond a bound.
    """
    try:
        frame = json.loads(line)
        if type(version := frame["version"]) is int and version > VERSION:
            raise ControlError(
                say(
                    "the command is of a newer filterd than the one that runs;"
                    " restart it: `sudo systemctl restart filterd`"
                )
            )
        parts = "ask", "arguments", "id", "stream", "act_for"
        request = ControlRequest(*(frame[part] for part in parts))
        request = request._replace(address=frame.get("address", ""))
        _check(_is_whole(version, VERSION, VERSION))
        _check(_is_bounded(request))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise unknown_command() from error
    return request


def dump_answer(request: ControlRequest, content: dict[str, Any], *, is_end: bool = True) -> bytes:
    """Return a frame that answers a request: an error where it is too long to read."""
    frame = {"version": VERSION, "id": request.id, "stream": request.stream, "end": is_end}
    line = _line({**content, **frame})
    if len(line) <= LARGEST_ANSWER_OCTETS:
        return line
    error = ControlError(
        say("the answer is too large ({size}); ask for less", size=counted.size(len(line)))
    )
    return _line({"ok": False, **to_plain(error), **frame})


def read_answer(line: bytes, request: ControlRequest) -> tuple[dict[str, Any], bool]:
    """Return the content of an answer and whether it is the last.

    Raises:
        KeyError, TypeError, ValueError, RecursionError: it does not answer the request.
    """
    answer = json.loads(line)
    is_good, is_end = answer["ok"], answer.get("end")
    numbers, ours = (answer["id"], answer["stream"]), (request.id, request.stream)
    of_none = (UNREADABLE.id, UNREADABLE.stream)
    _check(_is_whole(answer["version"], VERSION, VERSION))
    _check(numbers == ours or (not is_good and numbers == of_none))
    _check(isinstance(is_end, bool))
    return answer, is_end or not is_good


def _is_bounded(request: ControlRequest) -> bool:
    """Return whether each part of a frame has its type and is within its bound."""
    return (
        isinstance(request.command, str)
        and len(request.command) <= _LONGEST_COMMAND
        and isinstance(request.arguments, dict)
        and _is_whole(request.id, 0, MOST_ID)
        and _is_whole(request.stream, 0, MOST_STREAMS - 1)
        and isinstance(request.act_for, str)
        and len(request.act_for) <= LONGEST_TOKEN
        and isinstance(request.address, str)
        and len(request.address) <= _LONGEST_ADDRESS
    )


def _check(is_right: bool) -> None:
    if not is_right:
        raise ValueError


def _line(frame: dict[str, Any]) -> bytes:
    return json.dumps(frame).encode() + b"\n"


def _is_whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most
