# SPDX-License-Identifier: Apache-2.0
"""Read the place at which an answer goes on: programs send it back as they had it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from filterd.operations.parameters.scalar import Parameter, Text, Whole

if TYPE_CHECKING:
    from collections.abc import Mapping

CURSOR = Text(64, r"[0-9A-Za-z:.T-]*", about="What `next` of the answer before had")
MOST_PAGES = 100


class RowPlace:
    """Behind a row; the socket has it as ``after``."""

    named: Mapping[str, Parameter] = MappingProxyType({"cursor": CURSOR})
    sent: Mapping[str, Parameter] = MappingProxyType({"after": CURSOR})

    def take(self, given: dict[str, Any]) -> str:
        """Take the row's id out of checked values; empty for the begin."""
        return str(given.pop("cursor", "") or given.pop("after", ""))

    def arguments(self, value: str) -> dict[str, Any]:
        """Return what the socket has of it."""
        return {"after": value} if value else {}


class PageNumber:
    """A page, from 1; the socket has it as ``page``."""

    named: Mapping[str, Parameter] = MappingProxyType({"cursor": Text(3, r"[1-9][0-9]{0,2}")})
    sent: Mapping[str, Parameter] = MappingProxyType({"page": Whole(1, MOST_PAGES)})

    def take(self, given: dict[str, Any]) -> int:
        """Take the number out of checked values."""
        return int(given.pop("cursor", 0) or given.pop("page", 1))

    def arguments(self, value: int) -> dict[str, Any]:
        """Return what the socket has of it."""
        return {"page": value}
