# SPDX-License-Identifier: Apache-2.0
"""Make a report: the child, ``python -m filterd.reports``.

``report_run`` starts it; people use ``filterd report``.
"""

from __future__ import annotations

import base64
import json
import sys
from typing import IO, TYPE_CHECKING, Any

from filterd.base import bounded_child
from filterd.base.errors import StoreError
from filterd.operations.report_questions import checked_answers
from filterd.reports import report_facts
from filterd.reports.inspection_composer import compose_inspection
from filterd.reports.inspection_facts import PrintedRecord
from filterd.reports.report_composer import compose
from filterd.reports.report_formats import FORMATS
from filterd.reports.report_run import MOST_OCTETS
from filterd.texts.i18n import Texts, say

if TYPE_CHECKING:
    from filterd.reports.report_facts import ReportFacts

_MEMORY_OCTETS, _CPU_S = 512 << 20, 50


def _answer(request: dict[str, Any], output: IO[bytes]) -> None:
    try:
        octets, left = _made(request)
    except MemoryError:
        raise StoreError(say("the report needs more memory than it may use")) from None
    output.write(json.dumps(left).encode() + b"\n" + octets[:MOST_OCTETS])


def _made(request: dict[str, Any]) -> tuple[bytes, dict[str, list[str]]]:
    texts = Texts(request["language"])
    if request["record"]:
        record = PrintedRecord.read(request["record"].encode())
        facts, document = record.report_facts(), compose_inspection(record, texts)
    else:
        facts = _facts(request["facts"])
        document = compose(facts, checked_answers(request["answers"]), texts)
    template = request["template"] and base64.b64decode(request["template"])
    write = FORMATS[request["format"]].writer()
    left = {"blanks": [blank.id for blank in document.blanks()], "warnings": [*document.warnings()]}
    return write(document, facts, template or None), left


def _facts(plain: Any) -> ReportFacts:
    try:
        return report_facts.from_plain(plain)
    except (KeyError, TypeError, ValueError):
        raise StoreError(say("the running filterd is of another release; restart it")) from None


if __name__ == "__main__":
    sys.exit(bounded_child.answer(_answer, more_octets=_MEMORY_OCTETS, cpu_s=_CPU_S))
