# SPDX-License-Identifier: Apache-2.0
"""Read a day or a month of the calendar, ISO 8601."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ConfigError
from filterd.base.value_class import frozen
from filterd.operations.parameters.scalar import Text
from filterd.policy.field_checks import shown
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.operations.parameters.scalar import Schema

MONTH = Text(7, r"20[0-9]{2}-(0[1-9]|1[0-2])", about="Such as 2026-10")
_YEARS = 1970, 2200


@frozen
class Day:
    """A day that the calendar has."""

    about: str = "One day, ISO 8601"

    @property
    def _text(self) -> Text:
        return Text(10, r"[0-9]{4}-[0-9]{2}-[0-9]{2}", about=self.about)

    @property
    def schema(self) -> Schema:
        """Its JSON Schema."""
        return self._text.schema

    def read(self, value: Any) -> str:
        """Return a checked day; see ``Parameter``."""
        text = self._text.read(value)
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = date.min
        if not _YEARS[0] <= day.year <= _YEARS[1]:
            raise ConfigError(say("{text} is not a day, such as 2026-11-28", text=shown(text)))
        return text


DAY = Day()
