# SPDX-License-Identifier: Apache-2.0
"""The codec that is live: queries and responses read, answers kept and sent.

Both twins have the functions that ``filterd.wire._codec_py`` gathers: those that
read are native in ``_codec``, those that write in ``_rebuilding``. ``NATIVE`` tells
whether all are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.twins import live_twin

if TYPE_CHECKING:
    from filterd.wire._codec_py import (
        ParsedResponse,
        assemble,
        parse_query,
        parse_response,
        read_back,
        rebuild,
        rebuild_behind_alias,
    )

    NATIVE: bool
else:
    _reading, _READS = live_twin("filterd.wire._codec", "filterd.wire._codec_py")
    _writing, _WRITES = live_twin("filterd.wire._rebuilding", "filterd.wire._codec_py")
    NATIVE = _READS and _WRITES
    ParsedResponse = _reading.ParsedResponse
    parse_query = _reading.parse_query
    parse_response = _reading.parse_response
    assemble = _writing.assemble
    read_back = _writing.read_back
    rebuild = _writing.rebuild
    rebuild_behind_alias = _writing.rebuild_behind_alias

__all__ = [
    "NATIVE",
    "ParsedResponse",
    "assemble",
    "parse_query",
    "parse_response",
    "read_back",
    "rebuild",
    "rebuild_behind_alias",
]
