# SPDX-License-Identifier: Apache-2.0
"""Name the files of reports by period, audience and scope. Pure.

``bao-cao-2026-11.docx``, ``report-inside-6A-2026-11-28.html``: ASCII without spaces, for mail
servers, sticks and every browser.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from filterd.policy.reporting_settings import PeriodKind
from filterd.reports.report_facts import ReportAudience

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from filterd.i18n import Language

_WORDS = {
    "vi": ("bao-cao", {ReportAudience.INSIDE: "-noi-bo", ReportAudience.PARENTS: "-phu-huynh"}),
    "en": ("report", {ReportAudience.INSIDE: "-inside", ReportAudience.PARENTS: "-parents"}),
}
_FOREIGN = re.compile(r"[^A-Za-z0-9.-]+")


def file_name(facts: Mapping[str, Any], format_: str, language: Language) -> str:
    """Return the name of the file of a report.

    Args:
        facts: of ``ReportFacts.to_plain``; ``kind``, ``first``, ``last``, ``audience`` and
            ``scope`` count.
        format_: an id of ``report_formats.FORMATS``.
        language: of the report.
    """
    report, audiences = _WORDS[language]
    audience = audiences.get(ReportAudience(facts["audience"]), "")
    scope = _FOREIGN.sub("-", facts["scope"]).strip("-")
    return f"{report}{audience}{scope and '-'}{scope}-{_days(facts)}.{format_}"


def _days(facts: Mapping[str, Any]) -> str:
    first, last = str(facts["first"]), str(facts["last"])
    if facts["kind"] == PeriodKind.DAY:
        return last
    if facts["kind"] == PeriodKind.MONTH:
        return last[:7]
    if facts["kind"] == PeriodKind.YEAR:
        return last[:4] if first[:4] == last[:4] else f"{first[:4]}-{last[:4]}"
    return f"{first}_{last}"
