# SPDX-License-Identifier: Apache-2.0
"""A report is made of what the manager hands out to the person, one at a time."""

from __future__ import annotations

import base64
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError
from filterd.base.state_file import to_plain
from filterd.operations.report_questions import ANSWERS
from filterd.operations.reports import READ_SETTINGS
from filterd.overrides.rights.roles import Role
from filterd.policy.reporting_settings import ReportSettings
from filterd.reports import report_run
from filterd.reports.inspection_facts import INSPECTION_TYPE, plain_of
from filterd.reports.report_formats import FORMATS
from filterd.reports.report_run import ReportFile, ReportRequest
from filterd.web.operations import report_operations
from filterd.web.operations.report_operations import MAKE, MAKE_INSPECTION
from filterd.web.problem import WebError
from tests.support import inspected
from tests.support.operations import RecordedVisitor
from tests.support.report_sample import FACTS

if TYPE_CHECKING:
    from filterd.web.endpoint import MadeFile

PERIOD = {"first": FACTS.first, "last": FACTS.last, "kind": "span", "id": ""}


def _visitor(*roles: Role) -> RecordedVisitor:
    def facts(**given: Any) -> dict[str, Any]:
        return FACTS.to_plain() | {"audience": given["audience"]}

    class Asking(RecordedVisitor):
        async def ask(self, command: str, **arguments: Any) -> Any:
            found = await super().ask(command, **arguments)
            return found(**arguments) if callable(found) else found

    template = base64.b64encode(b"PK of the school").decode()
    answers = {"report-period": PERIOD, "report-facts": facts, "report-template": template}
    visitor = Asking(answers=answers)
    visitor.roles = frozenset(roles or (Role.ADMIN,))
    return visitor


def test_the_child_makes_a_report_of_the_facts() -> None:
    made: MadeFile = _visitor().do(MAKE, format="json", answer_pupils="640")
    content = json.loads(made.octets)
    assert content["facts"]["audience"] == "outside"
    assert "640" in made.octets.decode()
    assert (made.name, made.is_shown) == ("report-2026-09-01_2026-11-02.json", False)


@pytest.mark.parametrize(
    ("values", "period", "scope"),
    [
        ({}, "month", {"audience": "outside"}),
        ({"period": "2026-11", "audience": "inside"}, "2026-11", {"audience": "inside"}),
        ({"whom": "class:6A"}, "month", {"audience": "inside", "class": "6A"}),
        ({"whom": "grade:6"}, "month", {"audience": "inside", "grade": "6"}),
        (
            {"first": "2026-09-05", "last": "2026-12-10", "audience": "parents"},
            "2026-09-05..2026-12-10",
            {"audience": "parents"},
        ),
    ],
)
@pytest.mark.usefixtures("requests")
def test_period_audience_and_scope_reach_the_manager(
    values: dict[str, Any], period: str, scope: dict[str, str]
) -> None:
    visitor = _visitor()
    visitor.do(MAKE, **values)
    asked = dict(visitor.asked)
    assert asked["report-period"] == {"text": period}
    days = {key: one for key, one in PERIOD.items() if one}
    assert asked["report-facts"] == {**days, **scope}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"first": "2026-09-05"}, "or neither"),
        ({"whom": "class:6A", "audience": "parents"}, "the whole school"),
        ({"whom": "6A"}, "whom"),
        ({"format": "pdf"}, "format"),
        ({"answer_pupils": "many"}, "answer_pupils"),
        ({"answer_training": "x" * 4_001}, "4000"),
        ({"answers": {}}, "no field"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_is_asked(
    values: dict[str, Any], why: str
) -> None:
    visitor = _visitor()
    with pytest.raises(ConfigError, match=why):
        visitor.do(MAKE, **values)
    assert visitor.asked == []


def test_the_template_of_the_school_is_for_what_leaves_it(requests: list[ReportRequest]) -> None:
    visitor = _visitor(Role.PRINCIPAL)
    for format_, audience in (("docx", "outside"), ("html", "outside"), ("docx", "inside")):
        visitor.do(MAKE, format=format_, audience=audience)
    assert [request.template for request in requests] == [b"PK of the school", None, None]


@pytest.mark.usefixtures("requests")
def test_a_preview_is_a_page_whatever_the_format_is() -> None:
    made: MadeFile = _visitor().do(MAKE, format="docx", preview="on")
    assert (made.media_type, made.is_shown) == (FORMATS["html"].media_type, True)


def test_answers_are_taken_under_the_ids_of_their_questions(requests: list[ReportRequest]) -> None:
    _visitor().do(MAKE, **{ANSWERS["session-pupils"]: "12", ANSWERS["training"]: "Một\nHai"})
    assert requests[0].answers == {"session-pupils": 12, "training": "Một\nHai"}


def test_a_second_report_is_refused_while_one_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, end = threading.Event(), threading.Event()

    def make(_: ReportRequest) -> ReportFile:
        begun.set()
        assert end.wait(10)
        return ReportFile(b"made", ())

    monkeypatch.setattr(report_run, "make", make)
    first = threading.Thread(target=lambda: _visitor().do(MAKE))
    first.start()
    assert begun.wait(10)
    with pytest.raises(WebError, match="another report is being made") as refused:
        _visitor().do(MAKE)
    assert refused.value.status == 429
    end.set()
    first.join(10)
    assert _visitor().do(MAKE).octets == b"made"


def test_control_without_the_turn_two_children_run_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = threading.Barrier(2, timeout=10)

    class NoTurn:
        def acquire(self, *, blocking: bool) -> bool:
            return not blocking

        def release(self) -> None:
            pass

    def make(_: ReportRequest) -> ReportFile:
        both.wait()
        return ReportFile(b"made", ())

    monkeypatch.setattr(report_run, "make", make)
    monkeypatch.setattr(report_operations, "_turn", NoTurn())
    first = threading.Thread(target=lambda: _visitor().do(MAKE))
    first.start()
    _visitor().do(MAKE)
    first.join(10)


def test_the_settings_are_those_of_the_manager() -> None:
    answer = {"settings": to_plain(ReportSettings()), "language": "vi"}
    assert RecordedVisitor(answers={"report-settings": answer}).do(READ_SETTINGS) == answer


RECORD = {"record": '{"payload":""}\n', "facts": plain_of(inspected.FACTS)}


def made(**values: Any) -> MadeFile:
    file: MadeFile = RecordedVisitor(answers={"inspection": RECORD}).do(MAKE_INSPECTION, **values)
    return file


def test_the_signed_file_is_what_the_manager_gave_octet_by_octet() -> None:
    file = made()
    assert (file.name, file.media_type) == (
        "filterd-20270115T080000Z.inspection.json",
        INSPECTION_TYPE,
    )
    assert (file.octets.decode(), file.is_shown) == (RECORD["record"], False)


@pytest.mark.parametrize(
    ("values", "format_", "is_shown"),
    [
        ({"format": "docx", "language": "en"}, "docx", False),
        ({"format": "signed", "preview": True, "language": "en"}, "html", True),
    ],
)
def test_a_printed_form_is_drawn_of_the_same_record(
    requests: list[ReportRequest], values: dict[str, Any], format_: str, is_shown: bool
) -> None:
    file = made(**values)
    (request,) = requests
    assert (request.format, request.language, request.record) == (format_, "en", RECORD["record"])
    assert (file.octets, file.is_shown) == (b"made", is_shown)


def test_inspectors_principals_and_administrators_may() -> None:
    assert MAKE_INSPECTION.roles == {Role.INSPECTOR, Role.PRINCIPAL, Role.ADMIN}
