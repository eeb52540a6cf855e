# SPDX-License-Identifier: Apache-2.0
"""What is said of a school's week is a part of all texts, each message once."""

from __future__ import annotations

from pathlib import Path

from filterd import texts, texts_school

SOURCE = Path(texts.__file__).read_text(encoding="utf-8")


def test_its_messages_are_in_the_one_table() -> None:
    assert texts_school.TEXTS.items() <= texts._TEXTS.items()


def test_no_message_stands_in_both_files() -> None:
    assert [key for key in texts_school.TEXTS if f'"{key}":' in SOURCE] == []
