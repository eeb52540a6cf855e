# SPDX-License-Identifier: Apache-2.0
"""The codec in plain Python, gathered from the modules that explain it.

``parsed_query`` and ``response`` define what is well-formed, ``cursor`` what a
name inside a message is, ``rebuild`` what is kept and sent. ``_codec`` does the same
in C, with the same results and the same errors at the same octets.
"""

from filterd.wire.parsed_query import parse_query
from filterd.wire.rebuild import (
    as_message,
    assemble,
    assemble_for,
    read_back,
    rebuild,
    rebuild_behind_alias,
)
from filterd.wire.response import ParsedResponse, parse_response

__all__ = [
    "ParsedResponse",
    "as_message",
    "assemble",
    "assemble_for",
    "parse_query",
    "parse_response",
    "read_back",
    "rebuild",
    "rebuild_behind_alias",
]
