# SPDX-License-Identifier: Apache-2.0
"""Read the days that a report is to cover: a kind of period, a month, two dates."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ConfigError
from filterd.operations.parameters.scalar import Text
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.operations.parameters.scalar import Parameter

_DAY = r"20[0-9]{2}-[0-9]{2}-[0-9]{2}"
_PERIOD = "day, week, month, term, year: the last one that is over; or 2026-11, or two dates"
LAST_MONTH = "month"


class ReportDaysField:
    """The fields of days, which are one text: ``term``, ``2026-11``, ``FIRST..LAST``."""

    named: Mapping[str, Parameter] = MappingProxyType(
        {
            "period": Text(24, about=_PERIOD),
            "first": Text(10, _DAY, about="In place of `period`: the first day"),
            "last": Text(10, _DAY, about="and the last one, which is over"),
        }
    )
    sent: Mapping[str, Parameter] = MappingProxyType({"text": Text(64)})

    def take(self, given: dict[str, Any]) -> str:
        """Take the text out of checked values.

        Raises:
            ConfigError: there is a first day without a last one.
        """
        text, period = given.pop("text", ""), given.pop("period", LAST_MONTH)
        first, last = given.pop("first", ""), given.pop("last", "")
        if bool(first) is not bool(last):
            raise ConfigError(say("give both a first and a last day, or neither"))
        return f"{first}..{last}" if first else text or period

    def arguments(self, value: str) -> dict[str, Any]:
        """Return what the socket has of it."""
        return {"text": value}
