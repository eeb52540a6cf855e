# SPDX-License-Identifier: Apache-2.0
"""The operation that makes an inspection record, signed or printed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from filterd.overrides.read_access import READERS, View
from filterd.reports.inspection_facts import INSPECTION_TYPE
from filterd.reports.report_formats import FORMATS
from filterd.reports.report_run import ReportRequest
from filterd.web.made_files import MadeFile
from filterd.web.operation import Operation
from filterd.web.operations.report_operations import LANGUAGES, SHOWN_FORMAT, made_in_turn
from filterd.web.parameters import Choice, Fields, Flag

if TYPE_CHECKING:
    from filterd.i18n import Language
    from filterd.web.visitor import Visitor

OLD_S = 600
"""Who has looked at a record downloads the same one."""
SIGNED = "signed"
PRINTED = (SHOWN_FORMAT, "docx")
_SUFFIX = "inspection.json"


async def _inspection(visitor: Visitor, given: dict[str, Any]) -> MadeFile:
    is_shown = given.get("preview", False)
    told = await visitor.ask("inspection", old_s=OLD_S)
    made_at = datetime.fromtimestamp(told["facts"]["made_at"], UTC)
    name = f"filterd-{made_at:%Y%m%dT%H%M%SZ}"
    format_ = SHOWN_FORMAT if is_shown else given.get("format", SIGNED)
    if format_ == SIGNED:
        return MadeFile(f"{name}.{_SUFFIX}", INSPECTION_TYPE, told["record"].encode())
    language: Language = "en" if given.get("language", visitor.language) == "en" else "vi"
    request = ReportRequest({}, format_, language, record=told["record"])
    made = await asyncio.to_thread(made_in_turn, request)
    return MadeFile(f"{name}.{format_}", FORMATS[format_].media_type, made.octets, is_shown)


MAKE = Operation(
    name="makeInspection",
    method="POST",
    path="/inspection",
    about="Make the signed inspection record, or its printed form. The history records it.",
    run=_inspection,
    fields=Fields(
        {
            "format": Choice((SIGNED, *PRINTED), "the signed file if left out"),
            "language": Choice(tuple(LANGUAGES)),
            "preview": Flag("Answer with html to look at, whatever `format` is"),
        }
    ),
    roles=READERS[View.INSPECTION],
    media_types=(INSPECTION_TYPE, *(FORMATS[one].media_type for one in PRINTED)),
    commands=("inspect make",),
    tag="reports",
)

OPERATIONS = (MAKE,)
