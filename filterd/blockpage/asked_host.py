# SPDX-License-Identifier: Apache-2.0
"""Find the host in what a pupil types, and in the Host of a request. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

LONGEST = 2_000
"""Characters that are looked at: an address may be pasted with all that follows the host."""


def host_of(text: str) -> str:
    """Return the host of an address as people paste one, in lower case; "" for none."""
    text = text.strip()[:LONGEST]
    after = text.partition("://")[2] or text
    try:
        return (urlsplit(f"//{after}").hostname or "").removesuffix(".")
    except ValueError:
        return ""
