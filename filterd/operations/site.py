# SPDX-License-Identifier: Apache-2.0
"""Edit ``site.yaml``: read it, draft edits, look at the draft, apply it.

A draft changes nothing. It has the difference and what is wrong, and waits for ``applySite``.
"""

from __future__ import annotations

from typing import Annotated, Any

from filterd.base.errors import ConfigError
from filterd.base.value_class import frozen
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
from filterd.operations.operation import ADMINS, Operation
from filterd.operations.parameters.scalar import Schema, Text
from filterd.operations.request import OperationRequest
from filterd.texts.i18n import say

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
_DRAFT = record(
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
        """Return edits, which the child that makes them checks; see ``Parameter``."""
        if not isinstance(value, list) or not 1 <= len(value) <= _MOST_EDITS:
            raise ConfigError(say("1 to {most} edits expected", most=_MOST_EDITS))
        return value


@frozen
class ReadSite(OperationRequest[dict[str, Any]], command="site-read"):
    """The data of the file."""


@frozen
class ReadDraft(OperationRequest[dict[str, Any]], command="site-draft"):
    """The draft of the person."""


@frozen
class DropDraft(OperationRequest[None], command="site-drop"):
    """Forget it."""


@frozen
class DraftSite(OperationRequest[dict[str, Any]], command="site-edit"):
    """Draft edits by paths of keys."""

    edits: Annotated[tuple[dict[str, Any], ...], _Edits()]


@frozen
class DraftTimetables(OperationRequest[dict[str, Any]], command="site-table"):
    """Draft the timetables of a table, with tabs between cells."""

    table: Annotated[str, Text(60_000, least=1, lines=True)]


@frozen
class ApplyDraft(OperationRequest[dict[str, Any]], command="site-apply", is_guarded=True):
    """Put the draft with this digest in force."""

    digest: Annotated[str, Text(64, "[0-9a-f]{64}")]


READ_SITE = Operation(
    name="readSite",
    method="GET",
    path="/site",
    about="The data of site.yaml, its digest, and rooms whose timetable was imported.",
    request=ReadSite,
    roles=ADMINS,
    answer=record({"data": OBJECT, "digest": TEXT, "imported": TEXTS}),
    tag="site",
)
DRAFT_SITE = Operation(
    name="draftSite",
    method="POST",
    path="/site/draft",
    about="Draft edits of site.yaml by paths of keys; the answer shows what they would do.",
    request=DraftSite,
    roles=ADMINS,
    answer=_DRAFT,
    tag="site",
)
READ_DRAFT = Operation(
    name="readSiteDraft",
    method="GET",
    path="/site/draft",
    about="Your draft of site.yaml: the difference, what is wrong, what is doubtful.",
    request=ReadDraft,
    roles=ADMINS,
    answer=_DRAFT,
    tag="site",
)
DROP_DRAFT = Operation(
    name="dropSiteDraft",
    method="DELETE",
    path="/site/draft",
    about="Forget your draft.",
    request=DropDraft,
    roles=ADMINS,
    answer={"type": "null"},
    tag="site",
)
APPLY_SITE = Operation(
    name="applySite",
    method="PUT",
    path="/site",
    about="Put your draft in force; its digest shows that it is the one you looked at.",
    request=ApplyDraft,
    roles=ADMINS,
    answer=record({"digest": TEXT, "restart_for": TEXTS}),
    commands=("site apply",),
    tag="site",
)
PASTE_TIMETABLE = Operation(
    name="pasteTimetable",
    method="POST",
    path="/site/draft/timetable-table",
    about="Draft the timetables of a table, as a spreadsheet copies it: tabs between cells.",
    request=DraftTimetables,
    roles=ADMINS,
    answer=_DRAFT,
    commands=("timetable import", "timetable diff"),
    tag="site",
)
