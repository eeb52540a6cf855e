# SPDX-License-Identifier: Apache-2.0
"""Every operation on the octets of a message, and its cost in executed lines.

The number of executed lines of ``filterd.wire`` is a measure of work that does not
depend on the machine or its load.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from filterd.base.errors import WireError
from filterd.wire import (
    ParsedResponse,
    RRType,
    address_of,
    codec,
    edes_of,
    fit,
    soa_minimum,
    svcb_parts,
    target_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from filterd.wire import Record

READERS: dict[int, Callable[[ParsedResponse, Record], object]] = {
    RRType.A: address_of,
    RRType.AAAA: address_of,
    RRType.NS: target_of,
    RRType.CNAME: target_of,
    RRType.DNAME: target_of,
    RRType.PTR: target_of,
    RRType.SOA: soa_minimum,
    RRType.SVCB: svcb_parts,
    RRType.HTTPS: svcb_parts,
}


def use_response(message: bytes, twin: Any = codec) -> ParsedResponse:
    """Parse a response, then read, rebuild and truncate all that it holds.

    Args:
        message: any octets.
        twin: the codec; the live one by default.

    Raises:
        WireError: it does not parse; later errors are ignored, as by a caller
            that judges record after record would.
    """
    response: ParsedResponse = twin.parse_response(message)
    for record in response.records:
        reader = READERS.get(record.rtype)
        if reader is not None:
            _attempt(lambda reader=reader, record=record: reader(response, record))  # type: ignore[misc]
    _attempt(lambda: edes_of(response.edns))
    _attempt(lambda: twin.rebuild(response, response.records))
    _attempt(lambda: fit(message, 512))
    return response


def _attempt(work: Callable[[], object]) -> None:
    try:
        work()
    except WireError:
        return


def count_lines(work: Callable[[bytes], object], message: bytes) -> int:
    """Return how many lines of ``filterd.wire`` run for this message, whatever comes of it."""
    lines = 0

    def trace(frame: FrameType, event: str, _argument: object) -> object:
        nonlocal lines
        if "filterd/wire/" not in frame.f_code.co_filename:
            return None
        lines += event == "line"
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        _attempt(lambda: work(message))
    finally:
        sys.settrace(previous)
    return lines
