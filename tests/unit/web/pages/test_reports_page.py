# SPDX-License-Identifier: Apache-2.0
"""The page offers what the person may make, and shows under which programme it is made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ControlError
from filterd.base.state_file import to_plain
from filterd.operations.report_questions import QUESTIONS
from filterd.overrides.rights.roles import Role
from filterd.policy.reporting_settings import PeriodKind, ReportSchedule
from filterd.reports.report_formats import FORMATS
from filterd.texts.i18n import say
from filterd.web.pages import menu_of, reports_page
from filterd.web.pages.reports_page import INSPECTION_PAGE, REPORTS_PAGE
from tests.support.made_answers import IDS
from tests.support.rendered import a_visitor, rendered
from tests.support.report_sample import SETTINGS

if TYPE_CHECKING:
    from filterd.policy.reporting_settings import ReportSettings
    from filterd.texts.i18n import Language

SCHEDULE = ReportSchedule(PeriodKind.MONTH, ("docx", "xlsx"), "/media/usb", is_mailed=True)


def _page(
    *roles: Role, settings: ReportSettings = SETTINGS, language: Language = "en", now: float = 1.8e9
) -> str:
    answer = {"settings": to_plain(settings), "language": "vi"}
    answers = {"report-settings": answer, "ids": IDS, "report-period": _period}
    return rendered(REPORTS_PAGE, a_visitor(answers, *roles, language=language, now=now))


def _period(text: str) -> dict[str, str]:
    if text == PeriodKind.DAY:
        return {"kind": "day", "first": "2027-01-14", "last": "2027-01-14", "id": ""}
    if text == PeriodKind.TERM:
        return {"kind": "term", "first": "2026-01-16", "last": "2026-05-31", "id": "hoc-ky-2"}
    raise ControlError(say("the time is not known"))


@pytest.mark.parametrize(
    ("role", "offered", "hidden"),
    [
        (Role.ADMIN, ["outside", "inside", "parents", "class:6A", "grade:6"], []),
        (Role.PRINCIPAL, ["outside", "inside", "parents", "grade:6"], ["class:6A"]),
        (Role.TEACHER, ["inside", "parents", "grade:6"], ["outside", "class:6A"]),
        (Role.READER, ["inside", "parents", "grade:6"], ["outside", "class:6A"]),
    ],
)
def test_a_person_is_offered_what_the_role_may(
    role: Role, offered: list[str], hidden: list[str]
) -> None:
    shown = _page(role)
    assert all(f'<option value="{one}"' in shown for one in offered)
    assert not any(f'<option value="{one}"' in shown for one in hidden)


def test_periods_are_the_last_ones_and_twelve_months_across_the_turn_of_the_year() -> None:
    shown = _page()  # 15 January 2027
    for value in (*(set(PeriodKind) - {PeriodKind.SPAN}), "2026-12", "2026-01"):
        assert f'<option value="{value}"' in shown
    assert '"2025-12"' not in shown
    assert '"2027-01"' not in shown
    assert '<option value="1969-12"' in _page(now=0.0), "the time is not known"


def test_the_last_periods_have_their_days_as_far_as_they_are_known() -> None:
    shown = _page()
    assert "the last term (16/01/2026-31/05/2026)<" in shown
    assert "yesterday (14/01/2027)<" in shown
    assert "the last year<" in shown


def test_every_question_has_a_field_and_answers_are_kept_nowhere() -> None:
    shown = _page()
    assert all(f'name="answer_{one.id.replace("-", "_")}"' in shown for one in QUESTIONS)
    assert "filterd keeps them nowhere" in shown


def test_every_format_has_a_word() -> None:
    assert reports_page._FORMATS.keys() == FORMATS.keys()


def test_programme_receiver_and_schedule_are_shown_with_the_way_to_edit_them() -> None:
    shown = _page(settings=replace(SETTINGS, schedules=(SCHEDULE,)), language="vi")
    assert "Chương trình 2026-2030" in shown
    assert "01/10/2026" in shown
    assert "/media/usb, qua thư điện tử" in shown
    assert 'href="/site/report"' in shown
    assert 'href="/site/report"' not in _page(Role.PRINCIPAL), "only administrators edit the site"


def test_the_template_is_reported_where_there_is_one() -> None:
    assert "own template" in _page(settings=replace(SETTINGS, template="/etc/filterd/mau.docx"))
    assert "own template" not in _page()


def test_the_inspector_can_look_at_the_record_and_download_it() -> None:
    shown = rendered(INSPECTION_PAGE, a_visitor({}, Role.INSPECTOR, language="en"))
    assert 'formtarget="_blank">Preview' in shown
    for one in ("signed", "docx", "html"):
        assert f'<option value="{one}"' in shown
    assert "no address and no person" in shown


def test_the_page_is_in_the_menu_of_permitted_roles_only() -> None:
    def paths(role: Role) -> set[str]:
        return {page.path for _, pages in menu_of(a_visitor({}, role)) for page in pages}

    assert "/inspection" in paths(Role.INSPECTOR)
    assert "/inspection" not in paths(Role.TEACHER)
