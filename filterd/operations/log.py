# SPDX-License-Identifier: Apache-2.0
"""Find names and rows in the query log."""

from __future__ import annotations

from typing import Annotated, Any

from filterd.accounts.grant import TokenScope
from filterd.base.value_class import frozen
from filterd.operations.answers import (
    AT,
    FLAG,
    SENTENCE,
    TEXT,
    TEXTS,
    WHOLE,
    each,
    maybe,
    record,
    rows,
    table,
)
from filterd.operations.explanation import explanation
from filterd.operations.operation import Operation
from filterd.operations.parameters.command_word import SWITCH, CommandWord, argument
from filterd.operations.parameters.day import DAY
from filterd.operations.parameters.place import PageNumber, RowPlace
from filterd.operations.parameters.scalar import Choice, Flag, Text, Whole
from filterd.operations.parameters.seat import CLASS, GRADE, TIER
from filterd.operations.parameters.sought_names import ALL_NAMES, SoughtNames, SoughtNamesField
from filterd.operations.request import OperationRequest, Part
from filterd.overrides.rights.read_access import READERS, View
from filterd.policy.log_levels import LogLevel
from filterd.texts import words

MOST_ROWS, MOST_DAYS = 500, 90
"""Of one answer; as many days as are kept at most (``log.keep_days``)."""
ACTION, CATEGORY = Choice(tuple(words.COUNTED)), Text(64)
_LIMIT = Whole(1, MOST_ROWS, "The most rows of an answer")

_SCOPE = {
    "days": TEXTS,
    "skipped": rows(record({"day": TEXT, "problem": TEXT, "sentence": SENTENCE})),
    "levels": table(LogLevel),
    "least_devices": WHOLE,
    "keep_days": WHOLE,
}
_ROW = record(
    {
        **each(TEXT, "id", "name", "grade", "class", "network", "category", "action", "blocker"),
        "at": AT,
        "device": maybe(WHOLE),
        "n": WHOLE,
    }
)
_OF_NAME = {"name": TEXT, "category": TEXT}
_SEEN = record({"day": TEXT, **_OF_NAME, "tier": TEXT, "action": TEXT, "devices": WHOLE})
_NEXT = {"next": maybe({**TEXT, "description": "The cursor of what follows; null at the end"})}


@frozen(kw_only=True)
class LookupChoice(OperationRequest[Any]):
    """The lookups that are meant; what is empty does not restrict them.

    A day goes before a number of days.
    """

    grade: Annotated[str, GRADE] = ""
    class_: Annotated[str, CLASS] = ""
    tier: Annotated[str, TIER] = ""
    action: Annotated[str, ACTION] = ""
    category: Annotated[str, CATEGORY] = ""
    day: Annotated[str, DAY] = ""
    days: Annotated[int, Whole(1, MOST_DAYS, "The number of days, with today")] = 7


@frozen(kw_only=True)
class SearchLog(OperationRequest[dict[str, Any]], command="log search", scopes=(TokenScope.LOG,)):
    """Rows and distinct names, the latest first."""

    names: Annotated[SoughtNames, SoughtNamesField()] = ALL_NAMES
    choice: Annotated[LookupChoice, Part(LookupChoice)] = LookupChoice()
    limit: Annotated[int, _LIMIT] = 50
    after: Annotated[str, RowPlace()] = ""


@frozen(kw_only=True)
class ReadTopNames(OperationRequest[dict[str, Any]], command="log top", scopes=(TokenScope.LOG,)):
    """The names with the most lookups."""

    choice: Annotated[LookupChoice, Part(LookupChoice)] = LookupChoice()
    limit: Annotated[int, _LIMIT] = 50


@frozen(kw_only=True)
class ReadNewNames(OperationRequest[dict[str, Any]], command="log new", scopes=(TokenScope.LOG,)):
    """Today's names that a tier did not have on the days before."""

    days: Annotated[
        int,
        Whole(1, MOST_DAYS - 1, "Days before today"),
        CommandWord("N", "Number of days before today."),
    ] = 30
    domains: Annotated[
        bool, Flag("Registered domains that the school did not have before"), SWITCH
    ] = False
    limit: Annotated[int, _LIMIT, CommandWord("N", "Number of names.")] = 50


@frozen(kw_only=True)
class ExplainRow(OperationRequest[dict[str, Any]], command="log why", scopes=(TokenScope.LOG,)):
    """A row, and how it is judged by what was in force then."""

    id: Annotated[str, Text(32), argument("ID", "The ID of a row, from `filterd log search`.")]


@frozen(kw_only=True)
class ReadClassNames(
    OperationRequest[dict[str, Any]], command="log class", scopes=(TokenScope.LOG,)
):
    """Today's names of a class."""

    class_: Annotated[str, CLASS]


@frozen(kw_only=True)
class ReadDayNames(OperationRequest[dict[str, Any]], command="log names", scopes=(TokenScope.LOG,)):
    """A page of the distinct names of a day."""

    day: Annotated[str, DAY]
    page: Annotated[int, PageNumber()] = 1


SEARCH = Operation(
    name="searchLog",
    method="GET",
    path="/log/rows",
    about="Find lookups and names in the log, the latest first. The history records the look.",
    request=SearchLog,
    roles=READERS[View.ROWS],
    answer=record(
        {
            "rows": rows(_ROW),
            "seen": rows(_SEEN),
            "seen_more": FLAG,
            "late": FLAG,
            **_NEXT,
            **_SCOPE,
        }
    ),
    commands=("log search", "log export"),
    tag="log",
)
TOP = Operation(
    name="readTopNames",
    method="GET",
    path="/log/top",
    about="The names with the most lookups, and how many of these were blocked.",
    request=ReadTopNames,
    roles=READERS[View.ROWS],
    answer=record({"rows": rows(record({**_OF_NAME, "n": WHOLE, "blocked": WHOLE})), **_SCOPE}),
    commands=("log top",),
    tag="log",
)
NEW = Operation(
    name="readNewNames",
    method="GET",
    path="/log/new",
    about="Names that pass today and that the tier did not have on the days before.",
    request=ReadNewNames,
    roles=READERS[View.NAMES],
    answer=record(
        {
            "rows": rows(record({**_OF_NAME, "tier": TEXT, "devices": WHOLE})),
            "n": WHOLE,
            "day": TEXT,
            "compared": WHOLE,
            **_SCOPE,
        }
    ),
    commands=("log new",),
    tag="log",
)
WHY = Operation(
    name="explainLogRow",
    method="GET",
    path="/log/rows/{id}",
    about="A row of the log, and how it is judged by what was in force then.",
    request=ExplainRow,
    roles=READERS[View.ROWS],
    answer=record({"row": _ROW, "then": maybe(explanation), "problem": TEXT, "sentence": SENTENCE}),
    commands=("log why",),
    tag="log",
)
CLASS_NAMES = Operation(
    name="readClassNames",
    method="GET",
    path="/log/classes/{class}",
    about="Today's names that several devices of a class asked for; a teacher: of own classes.",
    request=ReadClassNames,
    roles=READERS[View.CLASS_NAMES],
    answer=record(
        {
            "day": TEXT,
            "class": TEXT,
            "level": LogLevel,
            "least_devices": WHOLE,
            "rows": rows(record({**_OF_NAME, "action": TEXT})),
        }
    ),
    commands=("log names",),
    tag="log",
)
DAY_NAMES = Operation(
    name="readDayNames",
    method="GET",
    path="/log/names",
    about="The distinct names of a day, for use within the school only.",
    request=ReadDayNames,
    roles=READERS[View.NAMES],
    answer=record({"rows": rows(_SEEN), **_NEXT, **_SCOPE}),
    commands=("log export",),
    tag="log",
)
