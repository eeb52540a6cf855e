# SPDX-License-Identifier: Apache-2.0
"""The messages of all topics in one table, and one language's reading of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.texts import answers, feed, lists, publishing, running, school

if TYPE_CHECKING:
    from filterd.i18n import Language

TEXTS = answers.TEXTS | feed.TEXTS | lists.TEXTS | publishing.TEXTS | running.TEXTS | school.TEXTS
"""Each message in Vietnamese and in English, by its key."""


class Texts:
    """Messages in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._column = 0 if language == "vi" else 1

    def __call__(self, key: str, **values: Any) -> str:
        """Return a message with its values filled in."""
        return TEXTS[key][self._column].format(**values)

    def word(self, group: str, key: str) -> str:
        """Return the message ``group.key``, or ``key`` itself where there is none."""
        texts = TEXTS.get(f"{group}.{key}")
        return texts[self._column] if texts else key
