# SPDX-License-Identifier: Apache-2.0
"""Operations that edit ``site.yaml``: read, draft, look at the draft, apply.

A draft changes nothing. It has the difference and what is wrong, and waits for ``applySite``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ConfigError
from filterd.operations.answers import (
    FLAG,
    OBJECT,
    SENTENCE,
    TEXT,
    TEXTS,
    WHOLE,
    maybe,
    record,
    rows,
)
from filterd.operations.operation import ADMINS
from filterd.operations.parameters.scalar import Fields, Schema, Text
from filterd.texts.i18n import Sentence, say
from filterd.web.endpoint import WebOperation, asks
from filterd.web.sections import ORDER as SECTIONS

if TYPE_CHECKING:
    from filterd.web.sections.site_section import SiteSection
    from filterd.web.visitor import Visitor

_MOST_EDITS = 200
_PROBLEM = record(
    {"error": TEXT, "code": TEXT, "errors": rows(OBJECT), "sentence": SENTENCE}, ("sentence",)
)
_CHANGE = record(
    {
        "network": TEXT,
        "classes": TEXTS,
        "youngest_before": TEXT,
        "age_before": maybe(WHOLE),
        "youngest_after": TEXT,
        "age_after": maybe(WHOLE),
        "is_older": FLAG,
    }
)
DRAFT = record(
    {
        "digest": TEXT,
        "keys": TEXTS,
        "difference": TEXTS,
        "more_lines": WHOLE,
        "problem": maybe(_PROBLEM),
        "doubts": rows(_PROBLEM),
        "changes": rows(_CHANGE),
        "left_out": TEXTS,
    }
)


class _Edits:
    """A list of edits: a path of keys, and the value that it gets; null takes it out."""

    schema: Schema = {  # noqa: RUF012 -- read only
        "type": "array",
        "minItems": 1,
        "maxItems": _MOST_EDITS,
        "items": {
            "type": "object",
            "required": ["path", "value"],
            "additionalProperties": False,
            "properties": {
                "path": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                "value": {},
            },
        },
    }

    def read(self, value: Any) -> Any:
        """Return edits, which the manager checks; see ``Parameter``."""
        if not isinstance(value, list) or not 1 <= len(value) <= _MOST_EDITS:
            raise ConfigError(say("1 to {most} edits expected", most=_MOST_EDITS))
        return value


async def _edit(section: SiteSection, visitor: Visitor, given: dict[str, Any]) -> Any:
    data = (await visitor.ask("site-read"))["data"]
    return await visitor.ask("site-edit", edits=section.edits(data, given))


def _applied(answer: Any, _: Visitor) -> Sentence:
    if answer["restart_for"]:
        return say(
            "The site is in force. Restart filterd to change: {what}",
            what=", ".join(answer["restart_for"]),
        )
    return say("The site is in force.")


READ_SITE = WebOperation(
    name="readSite",
    method="GET",
    path="/site",
    about="The data of site.yaml, its digest, and rooms whose timetable was imported.",
    run=asks("site-read"),
    roles=ADMINS,
    answer=record({"data": OBJECT, "digest": TEXT, "imported": TEXTS}),
    tag="site",
)
DRAFT_SITE = WebOperation(
    name="draftSite",
    method="POST",
    path="/site/draft",
    about="Draft edits of site.yaml by paths of keys; the answer shows what they would do.",
    run=asks("site-edit"),
    fields=Fields({"edits": _Edits()}, ("edits",)),
    roles=ADMINS,
    answer=DRAFT,
    tag="site",
)
READ_DRAFT = WebOperation(
    name="readSiteDraft",
    method="GET",
    path="/site/draft",
    about="Your draft of site.yaml: the difference, what is wrong, what is doubtful.",
    run=asks("site-draft"),
    roles=ADMINS,
    answer=DRAFT,
    tag="site",
)
DROP_DRAFT = WebOperation(
    name="dropSiteDraft",
    method="DELETE",
    path="/site/draft",
    about="Forget your draft.",
    run=asks("site-drop"),
    roles=ADMINS,
    answer={"type": "null"},
    tag="site",
    done=lambda _, __: say("Nothing was changed."),
)
APPLY_SITE = WebOperation(
    name="applySite",
    method="PUT",
    path="/site",
    about="Put your draft in force; its digest shows that it is the one you looked at.",
    run=asks("site-apply"),
    fields=Fields({"digest": Text(64, "[0-9a-f]{64}")}, ("digest",)),
    roles=ADMINS,
    answer=record({"digest": TEXT, "restart_for": TEXTS}),
    commands=("site apply",),
    tag="site",
    done=_applied,
)
PASTE_TIMETABLE = WebOperation(
    name="pasteTimetable",
    method="POST",
    path="/site/draft/timetable-table",
    about="Draft the timetables of a table, as a spreadsheet copies it: tabs between cells.",
    run=asks("site-table"),
    fields=Fields({"table": Text(60_000, least=1, lines=True)}, ("table",)),
    largest_octets=512 * 1024,
    roles=ADMINS,
    answer=DRAFT,
    commands=("timetable import", "timetable diff"),
    tag="site",
)
EDITS = {
    one.id: WebOperation(
        name=one.operation,
        method="POST",
        path=f"/site/draft/{one.id}",
        about=f"Draft this part of site.yaml, as its form has it: {one.title}.",
        run=partial(_edit, one),
        fields=one.parameters,
        roles=ADMINS,
        answer=DRAFT,
        tag="site",
    )
    for one in SECTIONS
}
"""The operation of each section, by its id."""
