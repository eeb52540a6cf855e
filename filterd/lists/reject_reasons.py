# SPDX-License-Identifier: Apache-2.0
"""Reasons for rejecting a line or entry of a list: codes with explanations.

The codes are a contract: reports store them, scripts count them, translations
are keyed by them. So a code is never reused for something else. Parsers, the
host-name reader and the compiler share this one set, because a list's maintainer wants
to see one table, not three.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """A short stable code; ``explanation`` is the English sentence for people."""

    explanation: str

    def __new__(cls, code: str, explanation: str = "") -> Self:
        """Make the member whose value is ``code``."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.explanation = explanation
        return member

    # The kind of a text in the place of a host name.
    NOT_A_NAME = "not-a-name", "is not a host name"
    BAD_IDN = "bad-idn", "is not a valid internationalised name"
    IP_ADDRESS = "ip-address", "is an address; lists of filterd hold names"
    URL_WITH_PATH = "url-with-path", "is a URL; cut down to its host it would block a whole site"
    REGULAR_EXPRESSION = "regular-expression", "is a regular expression; lists may not carry any"
    UNSUPPORTED_PATTERN = "unsupported-pattern", "is a pattern that no name and subtree can express"
    TOO_LONG = "too-long", "is longer than a line, a name or a label may be"

    # Features of a format that filterd does not support; never approximated.
    UNSUPPORTED_MODIFIER = "unsupported-modifier", "has a modifier that DNS filtering cannot honour"
    UNSUPPORTED_OPTION = "unsupported-option", "asks for something other than to block or to except"
    UNSUPPORTED_TRIGGER = (
        "unsupported-trigger",
        "is triggered by something other than the query name",
    )
    COSMETIC_RULE = "cosmetic-rule", "hides elements of a page, which only a browser can do"
    NOT_A_SINKHOLE_ADDRESS = "not-a-sinkhole-address", "maps a name to a real address"
    LOCAL_NAME = "local-name", "names the machine itself, as hosts files do; harmless"
    BAD_SYNTAX = "bad-syntax", "does not follow the format of the list"
    TOO_MANY_CONDITIONS = (
        "too-many-conditions",
        "has conditions that no line before has, and the list has too many of these already",
    )
    UNKNOWN_ENCODING = "unknown-encoding", "is not UTF-8 text"

    # Names that no list may have, however well they are written.
    EVERYTHING = "everything", "would hold for every name there is"
    SINGLE_LABEL = "single-label", "is a top-level domain or a local name, not a host"
    PUBLIC_SUFFIX = "public-suffix", "is a suffix under which strangers register names"
    PINNED = "pinned", "is pinned: nothing may block it"
    PROTECTED = "protected", "is protected from lists of third parties; set aside"
