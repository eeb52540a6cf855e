# SPDX-License-Identifier: Apache-2.0
"""How lookups are served, in a status."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from filterd.monitor.serving_details import tls_counts, tls_problem
from filterd.texts.counted import number
from filterd.texts.i18n import Texts, say, to_plain
from filterd.texts.rows import SchoolClock, Wording

BY = Wording(Texts("en"), SchoolClock(ZoneInfo("UTC"), 0.0))

STATE = {
    "listen": [{"address": "0.0.0.0", "port": 853}],
    "connections": 1,
    "handshakes": 1_200,
    "resumed": 900,
    "failed": 7,
    "refused_rate": 2,
    "refused_full": 3,
    "problem": "",
}


def test_connections_and_handshakes_are_shown() -> None:
    assert tls_counts({"tls": STATE}, BY) == (
        f"1 connection, {number(1_200)} handshakes, 900 of them by a ticket, 7 failed, 5 refused"
    )


def test_a_problem_is_shown_in_the_language_of_its_reader() -> None:
    problem = to_plain(say("the key cannot be read; run: sudo filterd cert make"))
    shown = tls_problem({"tls": STATE | {"problem": problem}}, BY)
    assert shown == "the key cannot be read; run: sudo filterd cert make"
    assert tls_problem({"tls": STATE}, BY) == ""


@pytest.mark.parametrize("row", [{}, {"tls": None}], ids=["a daemon of before", "not served"])
def test_nothing_is_shown_where_it_is_not_served(row: dict[str, None]) -> None:
    assert tls_problem(row, BY) == tls_counts(row, BY) == ""
