# SPDX-License-Identifier: Apache-2.0
"""Targets are read each once, and judged by what the change does."""

from __future__ import annotations

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.parameters.target import are_entries, read_targets


def test_a_target_that_is_given_twice_is_one() -> None:
    found = read_targets(["A.example", "service:youtube", "a.example."], opens=True)
    assert [str(one) for one in found] == ["a.example", "service:youtube"]


def test_a_public_suffix_is_refused() -> None:
    with pytest.raises(ConfigError, match="all of them would open"):
        read_targets(["a.example", "edu.vn"], opens=True)


@pytest.mark.parametrize(
    ("texts", "entries"),
    [(["entry:a.vn"], True), (["entry:a.vn", "entry:b.vn"], True), (["entry:a.vn", "b.vn"], False)],
)
def test_entries_need_no_end_where_all_are_entries(texts: list[str], entries: bool) -> None:
    assert are_entries(read_targets(texts, opens=True)) is entries
