# SPDX-License-Identifier: Apache-2.0
"""The active codec: queries and responses read, answers kept and sent.

The native one and the plain one have the functions that ``filterd.wire._codec_py`` gathers.
``NATIVE``: whether the native one is active.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.base.native import live_only

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
    _live = live_only("filterd.wire._codec")
    NATIVE = _live is not None
    if not NATIVE:
        from filterd.wire import _codec_py as _live
    ParsedResponse = _live.ParsedResponse
    parse_query, parse_response = _live.parse_query, _live.parse_response
    assemble, assemble_for = _live.assemble, _live.assemble_for
    read_back, rebuild = _live.read_back, _live.rebuild
    rebuild_behind_alias = _live.rebuild_behind_alias

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
