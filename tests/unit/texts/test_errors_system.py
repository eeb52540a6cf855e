# SPDX-License-Identifier: Apache-2.0
"""What others say is known word by word: what they really say is told in Vietnamese."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.documents import load, parse
from filterd.errors import ConfigError, NameTextError
from filterd.texts.errors_system import TEXTS
from filterd.wire import name as names
from filterd.wire import type_from_text

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = ["a: b: c\n", "- a\nb: c\n", "a: [b\n", "a: {b\n", "a: 'b\n", "a:\n\t- b\n", "a: @b\n"]


@pytest.mark.parametrize("text", BROKEN)
def test_broken_yaml_is_told_in_vietnamese(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), "site.yaml")
    assert caught.value.reason in TEXTS
    assert caught.value.reason not in caught.value.told("vi")


def test_a_file_that_is_not_there_is_told_in_vietnamese(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "site.yaml")
    assert caught.value.told("vi").endswith("không đọc được: không có tệp hoặc thư mục này")


@pytest.mark.parametrize("text", ["a" * 64, "a." * 130 + "vn", "a..vn", "a\\", "a\\999", "a b"])
def test_what_is_no_name_has_a_reason_in_vietnamese(text: str) -> None:
    with pytest.raises(NameTextError) as caught:
        names.from_text(text)
    template = getattr(caught.value.reason, "template", "")
    assert template in TEXTS


def test_what_is_no_record_type_has_a_reason_in_vietnamese() -> None:
    with pytest.raises(NameTextError) as caught:
        type_from_text("AAAAA")
    assert getattr(caught.value.reason, "template", "") in TEXTS
