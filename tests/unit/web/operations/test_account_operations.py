# SPDX-License-Identifier: Apache-2.0
"""Each change of an account says what it has done."""

from __future__ import annotations

from filterd.web.operations import ORDER


def test_each_change_has_a_sentence() -> None:
    assert all((one.done is not None) is one.is_change for one in ORDER if one.tag == "accounts")
