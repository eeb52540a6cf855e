# SPDX-License-Identifier: Apache-2.0
"""Make a report: the child, ``python -m filterd.reports``.

``report_run`` starts it; people use ``filterd report``.
"""

from __future__ import annotations

import base64
import json
import sys
from typing import TYPE_CHECKING, Any

from filterd import bounded_child
from filterd.errors import FilterdError, StoreError, to_plain
from filterd.i18n import Texts, say
from filterd.reports import report_facts
from filterd.reports.inspection_composer import compose_inspection
from filterd.reports.inspection_facts import PrintedRecord
from filterd.reports.report_composer import compose
from filterd.reports.report_formats import FORMATS
from filterd.reports.report_questions import checked_answers
from filterd.reports.report_run import MOST_OCTETS

if TYPE_CHECKING:
    from filterd.reports.report_facts import ReportFacts

_MEMORY_OCTETS, _CPU_S = 512 << 20, 50
_LARGEST_REQUEST = 64 << 20


def main() -> int:
    """Make the report that the request names; return the exit code."""
    request = sys.stdin.buffer.read(_LARGEST_REQUEST)
    bounded_child.bound(memory_octets=bounded_child.mapped_octets() + _MEMORY_OCTETS, cpu_s=_CPU_S)
    try:
        octets, left = _made(json.loads(request))
    except FilterdError as error:
        _print(to_plain(error) | {"ok": False})
        return 0
    except MemoryError:
        failure = StoreError(say("the report needs more memory than it may use"))
        _print(to_plain(failure) | {"ok": False})
        return 0
    _print({"ok": True, **left})
    sys.stdout.buffer.write(octets[:MOST_OCTETS])
    return 0


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
    left = {"blanks": [one.id for one in document.blanks()], "warnings": [*document.warnings()]}
    return write(document, facts, template or None), left


def _facts(plain: Any) -> ReportFacts:
    try:
        return report_facts.from_plain(plain)
    except (KeyError, TypeError, ValueError):
        raise StoreError(say("the running filterd is of another release; restart it")) from None


def _print(reply: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
