# SPDX-License-Identifier: Apache-2.0
"""Check passwords, codes and PINs. What is wrong with one is said without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.errors import ConfigError
from filterd.base.value_class import frozen
from filterd.operations.parameters.scalar import described
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.operations.parameters.scalar import Schema


@frozen
class Secret:
    """A text that no error and no log shows.

    A request has it as ``field(repr=False)``.

    Attributes:
        longest, least: characters.
        is_new: a person chooses it now: it has no control characters, which no form sends.
    """

    longest: int
    least: int = 0
    is_new: bool = False
    about: str = ""

    @property
    def schema(self) -> Schema:
        """Its JSON Schema."""
        found: Schema = {"type": "string", "maxLength": self.longest}
        return described(found | ({"minLength": self.least} if self.least else {}), self.about)

    def read(self, value: Any) -> str:
        """Return a checked secret; see ``Parameter``."""
        if not isinstance(value, str) or not self.least <= len(value) <= self.longest:
            raise ConfigError(
                say("a text of {least} to {most} characters", least=self.least, most=self.longest)
            )
        if self.is_new and any(ord(one) < 32 for one in value):
            raise ConfigError(say("a text without control characters"))
        return value
