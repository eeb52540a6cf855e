# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from filterd.i18n import Texts
from filterd.policy.log_levels import LogLevel
from filterd.querylog.day_rows import KNOWN, known
from filterd.rows import SchoolClock, Wording
from tests.support.looked_log import ZONE

CLOCK = SchoolClock(ZONE, 0.0)


def test_each_level_has_a_sentence_in_the_order_of_levels() -> None:
    assert list(KNOWN) == [level.value for level in LogLevel]


def test_tiers_of_one_level_share_a_sentence() -> None:
    levels = {"primary": "counts", "staff": "off", "guest": "counts"}
    told = list(known(levels, 5, Wording(Texts("en"), CLOCK)))
    assert told == [
        "staff: nothing is recorded (level off)",
        "primary, guest: numbers only, no names (level counts)",
    ]
    vietnamese = " ".join(known(levels, 5, Wording(Texts("vi"), CLOCK)))
    assert "tiểu học" in vietnamese
    assert "chỉ có con số" in vietnamese
