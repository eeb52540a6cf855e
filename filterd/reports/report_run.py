# SPDX-License-Identifier: Apache-2.0
"""Make the file of a report in a bounded child process.

For the command line, the dashboard and the schedule alike. The child
(``filterd.reports.__main__``) gets one JSON object and answers with one line of JSON, behind
which the octets of the file follow.
"""

from __future__ import annotations

import base64
import json
from dataclasses import field
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base import bounded_child
from filterd.base.value_class import frozen
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.texts.i18n import Language

WITHIN_S = 60.0
MOST_OCTETS = 32 << 20
LARGEST_TEMPLATE = 4 << 20


@frozen
class ReportRequest:
    """What the child makes.

    Attributes:
        facts: of ``ReportFacts.to_plain``.
        format: an id of ``report_formats.FORMATS``.
        language: of the report.
        answers: of ``report_questions.checked_answers``.
        template: a Word file in the place of the built-in template; None for that one.
        record: the file of an inspection record, which is drawn in the place of ``facts``.
    """

    facts: Mapping[str, Any]
    format: str
    language: Language
    answers: Mapping[str, str] = field(default_factory=dict)
    template: bytes | None = None
    record: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return plain data, for the child."""
        template = None if self.template is None else base64.b64encode(self.template).decode()
        return {
            "facts": self.facts,
            "format": self.format,
            "language": self.language,
            "answers": dict(self.answers),
            "template": template,
            "record": self.record,
        }


class ReportFile(NamedTuple):
    """A made report.

    Attributes:
        octets: of the file.
        blanks: the ids of questions that have no answer.
        warnings: that it has, such as gaps in service, in its language.
    """

    octets: bytes
    blanks: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def make(request: ReportRequest) -> ReportFile:
    """Make a report; it waits for the child, so a server calls it in a thread.

    Raises:
        ConfigError: the template is refused, or an answer.
        StoreError: the child took too long or too much, or failed.
    """
    answer = bounded_child.ask(
        "filterd.reports",
        request.to_plain(),
        say("making the report failed: {why}"),
        say("making the report took more than {limit_s} s", limit_s=round(WITHIN_S)),
        limit_s=WITHIN_S,
        most_octets=MOST_OCTETS,
    )
    line, _, octets = answer.partition(b"\n")
    left: dict[str, Any] = json.loads(line)
    return ReportFile(octets, tuple(left["blanks"]), tuple(left["warnings"]))
