# SPDX-License-Identifier: Apache-2.0
"""Facts of a small school's autumn, with hostile texts, for tests of reports."""

from __future__ import annotations

from dataclasses import replace

from filterd.policy.reporting_settings import PeriodKind, Programme, ReportAudience, ReportSettings
from filterd.reports.report_facts import (
    CategoryFacts,
    CountCell,
    FullLogSpan,
    HandlingFacts,
    LogFacts,
    ReportFacts,
    SchoolFacts,
    ServiceFacts,
    ServiceGap,
)

SCHOOL = 'Trường THCS <Nguyễn Trãi> & "Bạn"'
SETTINGS = ReportSettings(
    code="79000701",
    superior="UBND phường Bến Thành",
    place="Thành phố Hồ Chí Minh",
    symbol="BC-THCS",
    programmes=(
        Programme(
            "Chương trình 2021-2025", "", "Sở GD&ĐT", ("Quyết định số 830/QĐ-TTg ngày 01/6/2021",)
        ),
        Programme("Chương trình 2026-2030", "2026-10-01", "Sở GD&ĐT", ("Luật số 116/2025/QH15",)),
    ),
    recipients=("Như trên;", "Lưu: VT."),
    post="Hiệu trưởng",
    signer="Trần Thị Mai",
)
CATEGORIES = (
    CategoryFacts(
        "gambling",
        {"vi": "Cờ bạc", "en": "Gambling"},
        "Bộ luật Hình sự, Điều 321",
        is_locked=True,
        is_confidential=False,
        closed_tiers=("primary", "lower-secondary"),
    ),
    CategoryFacts(
        "social-media",
        {"vi": "=Mạng xã hội", "en": "=Social media"},
        "",
        is_locked=False,
        is_confidential=False,
        closed_tiers=("lower-secondary",),
        open_grades=("9",),
    ),
    CategoryFacts(
        "self-harm",
        {"vi": "Tự hại", "en": "Self-harm"},
        "",
        is_locked=False,
        is_confidential=True,
        closed_tiers=("lower-secondary",),
    ),
)
CELLS = (
    CountCell("2026-09", "lower-secondary", "6", "", "gambling", "blocked", 120),
    CountCell("2026-09", "lower-secondary", "6", "", "", "pass", 400_000),
    CountCell("2026-10", "lower-secondary", "6", "", "gambling", "blocked", 80),
    CountCell("2026-10", "lower-secondary", "9", "", "social-media", "blocked", 41),
    CountCell("2026-10", "", "", "", "self-harm", "blocked", 7),
    CountCell("2026-11-01", "lower-secondary", "", "", "gambling", "blocked", 9),
    CountCell("2026-11-02", "lower-secondary", "", "", "", "pass", 21_000),
)
FACTS = ReportFacts(
    kind=PeriodKind.SPAN,
    first="2026-09-01",
    last="2026-11-02",
    made_at=1_793_700_000.0,
    time_zone="Asia/Ho_Chi_Minh",
    filterd="0.9.0",
    audience=ReportAudience.OUTSIDE,
    scope="",
    settings=SETTINGS,
    school=SchoolFacts(
        SCHOOL,
        "Phòng tư vấn, 028 3829 0000",
        ("lower-secondary",),
        ("6", "9"),
        ("6A", "9B"),
        4,
        1,
        2,
    ),
    categories=CATEGORIES,
    cells=CELLS,
    left_out=True,
    days_missing=("2026-09-13",),
    service=ServiceFacts(
        days=63,
        days_in_service=62,
        minutes=89_000,
        minutes_expected=90_720,
        gaps=(ServiceGap(1_789_232_400, 1_789_318_800),),
        gap_count=4,
        days_unreadable=("2026-09-13",),
        lists_version="412",
        oldest_lists_s=190_000,
        tests_passed=1_488,
        tests_failed=2,
    ),
    handling=HandlingFacts(
        mistakes_reported=3,
        mistakes_mended=2,
        mend_median_s=259_200,
        requests=11,
        requests_approved=6,
        requests_refused=4,
        request_median_s=5_400,
        exceptions_allowed=5,
        exceptions_blocked=2,
        pauses=1,
        pause_minutes=5,
    ),
    log=LogFacts(
        {"lower-secondary": "counts"},
        30,
        400,
        5,
        (FullLogSpan("lower-secondary", 1_790_000_000, 1_790_400_000),),
        lost=12,
    ),
)
"""For outside; the period has two programmes, a gap, a damaged day and left-out cells."""

INSIDE = replace(
    FACTS,
    audience=ReportAudience.INSIDE,
    left_out=False,
    cells=(
        CountCell("2026-10", "lower-secondary", "6", "6A", "gambling", "blocked", 80, 12),
        CountCell("2026-10", "lower-secondary", "9", "9B", "social-media", "blocked", 41, None),
        CountCell("2026-10", "", "", "", "self-harm", "blocked", 7),
    ),
)
PARENTS = replace(FACTS, audience=ReportAudience.PARENTS, cells=(), left_out=False)
