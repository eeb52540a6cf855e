# SPDX-License-Identifier: Apache-2.0
"""A step that fails is reported, and the next one is done; test_setup has the whole of it."""

from __future__ import annotations

from typing import Any

from filterd.cli import setup_finish as module
from filterd.cli.setup_finish import SetupFinish
from filterd.errors import StoreError
from filterd.i18n import Sentence, Texts, say


class Lines:
    """Collects what is printed."""

    texts = Texts("en")

    def __init__(self) -> None:
        self.printed: list[str] = []

    def say(self, text: Sentence, style: str = "") -> None:
        self.printed.append(f"{style} {text}".strip())


def test_a_failing_step_is_reported_and_does_not_end_the_set_up() -> None:
    lines = Lines()
    none: Any = None  # no step asks for them
    done = SetupFinish(none, lines, none)
    with done._step():
        raise StoreError(say("the disk refused"))
    assert lines.printed == ["red the disk refused"]
    assert module.SHEET_FILE == "sheet.md"
