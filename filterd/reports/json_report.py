# SPDX-License-Identifier: Apache-2.0
"""Write a report as JSON: facts, and sections as other formats have them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from filterd.base.state_file import to_plain

if TYPE_CHECKING:
    from filterd.reports.report_document import ReportDocument, Section
    from filterd.reports.report_facts import ReportFacts


def write(document: ReportDocument, facts: ReportFacts, _: bytes | None = None) -> bytes:
    """Return the file: ``facts`` by their keys, ``report`` with parts by kind."""
    report = {
        **to_plain(document),
        "sections": [_section(section) for section in document.sections],
    }
    content = {"version": 1, "facts": facts.to_plain(), "report": report}
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def _section(section: Section) -> dict[str, Any]:
    parts = [
        {"kind": type(part).__name__.removeprefix("Report").lower(), **to_plain(part)}
        for part in section.parts
    ]
    return {"id": section.id, "title": section.title, "parts": parts}
