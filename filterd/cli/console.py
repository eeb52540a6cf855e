# SPDX-License-Identifier: Apache-2.0
"""Print at a terminal what other processes and people have written.

A command is often root's, and the texts are the daemon's, a teacher's or a list's. No such text
may move the cursor, hide a line or turn the writing round.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.segment import Segment

from filterd.texts.i18n import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType


class VisibleConsole(Console):
    """A console that shows each character that shows nothing by its code.

    Args:
        more: as rich takes it.
    """

    def __init__(self, **more: Any) -> None:
        # No markup: a school's name or a path may have square brackets of its own.
        super().__init__(highlight=False, markup=False, emoji=False, **more)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the parts of what is printed; those of the console itself as they are."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)


def as_json(data: Any, indent: int | None = None) -> str:
    """Return data as JSON for a script, or for a person who reads what a script would."""
    text = json.dumps(data, ensure_ascii=False, indent=indent)
    return text if text.isprintable() else "".join(map(_json_character, text))


def write(text: str) -> None:
    """Write the content of a file to standard output: as it is, but to a terminal visibly."""
    is_seen = sys.stdout.isatty()
    sys.stdout.write(visible(text.replace("\r\n", "\n")) if is_seen else text)


def _json_character(one: str) -> str:
    return one if one == "\n" or one.isprintable() else json.dumps(one)[1:-1]
