# SPDX-License-Identifier: Apache-2.0
"""The words of each age, in both languages."""

from __future__ import annotations

from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from filterd.blockpage.pupil_words import PupilWords, words_of
from filterd.policy.log_levels import LogLevel
from filterd.policy.model import TIERS
from filterd.resolve.block_reason import BlockReason
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording
from tests.support.pupils import CLOSED
from tests.support.week import SEVEN

FACTS = {"name": "a.example", **CLOSED}


def _words(language: Any = "en", **changes: Any) -> PupilWords:
    clock = SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), SEVEN)
    return words_of({**FACTS, **changes}, Wording(Texts(language), clock))


def _text(page: PupilWords) -> str:
    return " ".join((page.title, *page.sentences, *page.steps, page.kept))


def test_a_pupil_reads_why_and_what_to_do() -> None:
    page = _words()
    assert page.title == "a.example is not open to class 6A yet"
    assert page.sentences == ("It belongs to Social media, which opens from the age of 16 on.",)
    assert page.steps == ("Do you need it for a lesson? A teacher can open it for your class.",)
    assert page.may_ask


def test_every_reason_has_whole_words_for_every_age_in_both_languages() -> None:
    for language, reason, tier, category in product(
        ("vi", "en"), BlockReason, TIERS, (None, FACTS["category"])
    ):
        page = _words(language, reason=reason.value, tier=tier, category=category)
        assert page.title
        assert "{" not in _text(page)


def test_for_self_harm_help_is_first_and_nothing_is_called_closed() -> None:
    for tier in {*TIERS} - {"staff"}:
        page = _words(reason="help", category=None, tier=tier)
        text = _text(page).lower()
        assert page.is_help
        assert "111" in text
        assert not any(word in text for word in ("closed", "block", "filter", "a.example"))


def test_a_category_that_is_not_to_be_named_hides_the_name_too() -> None:
    page = _words(reason="law", category=None)
    assert "a.example" not in _text(page)
    assert "111" in " ".join(page.steps)


def test_the_young_have_short_sentences() -> None:
    for reason in BlockReason:
        page = _words(reason=reason.value, tier="primary", seat="1")
        assert max(len(one.split()) for one in (page.title, *page.sentences, *page.steps)) <= 17


def test_staff_guests_and_unknown_devices_read_what_concerns_them() -> None:
    staff = _words(reason="help", category=None, tier="staff", seat="staff")
    assert staff.title == "Are you worried about someone?"
    guest = _words(tier="guest", seat="guest")
    assert guest.steps == ("Ask at the office of the school.",)
    unknown = _words(tier="preschool", seat="preschool", is_known=False)
    assert "does not know this device" in unknown.sentences[-1]
    harm = _words(reason="help", category=None, tier="preschool", is_known=False)
    assert "device" not in " ".join(harm.sentences)


def test_each_age_has_words_of_its_own() -> None:
    for reason in ("help", "danger", "age"):
        ages = {
            (one.sentences, one.steps)
            for tier in ("primary", "lower-secondary", "upper-secondary", "staff")
            for one in [_words(reason=reason, tier=tier)]
        }
        assert len(ages) == 4


def test_an_end_is_shown_by_the_school_clock() -> None:
    page = _words(reason="exam", until=SEVEN + 5400)
    assert page.sentences[-1] == "It may open again at 08:30."
    assert _words(reason="help", until=SEVEN + 5400).sentences[-1] != page.sentences[-1]


@pytest.mark.parametrize(
    ("level", "part"),
    [
        ("off", "keeps nothing"),
        ("counts", "only totals"),
        ("names", "for 30 days the closed addresses that an age group"),
        ("blocked", "closed addresses with time, class and a code"),
        ("full", "every address that is asked for"),
    ],
)
def test_what_is_kept_is_reported_by_the_level(level: str, part: str) -> None:
    assert part in _words(level=level).kept
    assert LogLevel(level)
    if level != "off":
        assert _words(level=level, reason="help").kept == "This address is not recorded anywhere."
