# SPDX-License-Identifier: Apache-2.0
"""The active codec: queries and responses read, answers kept and sent.

Both twins have the functions that ``filterd.wire._codec_py`` gathers: those that
read are native in ``_codec``, those that keep in ``_rebuilding``, those that send in
``_assembling``. ``NATIVE``: whether all are native.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.native import live_twin

if TYPE_CHECKING:
    from filterd.wire._codec_py import (
        ParsedResponse,
        assemble,
        assemble_for,
        parse_query,
        parse_response,
        read_back,
        rebuild,
        rebuild_behind_alias,
    )

    NATIVE: bool
else:
    _reading, _READS = live_twin("filterd.wire._codec", "filterd.wire._codec_py")
    _keeping, _KEEPS = live_twin("filterd.wire._rebuilding", "filterd.wire._codec_py")
    _sending, _SENDS = live_twin("filterd.wire._assembling", "filterd.wire._codec_py")
    NATIVE = _READS and _KEEPS and _SENDS
    ParsedResponse = _reading.ParsedResponse
    parse_query = _reading.parse_query
    parse_response = _reading.parse_response
    assemble = _sending.assemble
    assemble_for = _sending.assemble_for
    read_back = _keeping.read_back
    rebuild = _keeping.rebuild
    rebuild_behind_alias = _keeping.rebuild_behind_alias

__all__ = [
    "NATIVE",
    "ParsedResponse",
    "assemble",
    "assemble_for",
    "parse_query",
    "parse_response",
    "read_back",
    "rebuild",
    "rebuild_behind_alias",
]
