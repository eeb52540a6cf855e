# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.overrides.roles import Role
from filterd.reports.inspection_facts import INSPECTION_TYPE, plain_of
from filterd.web.operations.inspection_operations import MAKE
from tests.support.inspected import FACTS
from tests.support.operations import RecordedVisitor

if TYPE_CHECKING:
    from filterd.reports.report_run import ReportRequest
    from filterd.web.made_files import MadeFile

TOLD = {"record": '{"payload":""}\n', "facts": plain_of(FACTS)}


def made(**values: Any) -> MadeFile:
    file: MadeFile = RecordedVisitor(answers={"inspection": TOLD}).do(MAKE, **values)
    return file


def test_the_signed_file_is_what_the_manager_gave_octet_by_octet() -> None:
    file = made()
    assert (file.name, file.media_type) == (
        "filterd-20270115T080000Z.inspection.json",
        INSPECTION_TYPE,
    )
    assert (file.octets.decode(), file.is_shown) == (TOLD["record"], False)


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
    assert (request.format, request.language, request.record) == (format_, "en", TOLD["record"])
    assert (file.octets, file.is_shown) == (b"made", is_shown)


def test_inspectors_principals_and_administrators_may() -> None:
    assert MAKE.roles == {Role.INSPECTOR, Role.PRINCIPAL, Role.ADMIN}
