# SPDX-License-Identifier: Apache-2.0
"""Read the history of changes, check it, and take changes back."""

from __future__ import annotations

from typing import Annotated, Any

from filterd.accounts.grant import TokenScope
from filterd.base.value_class import frozen
from filterd.operations.answers import FLAG, SENTENCE, TEXT, TEXTS, WHOLE, maybe, record, rows
from filterd.operations.changes import CHANGE, HISTORY_ROW, NUMBER_OF_CHANGE
from filterd.operations.operation import ADMINS, TEACHERS, Operation
from filterd.operations.parameters.command_word import SWITCH, CommandWord, argument
from filterd.operations.parameters.scalar import Flag, Text, Whole
from filterd.operations.parameters.time import Time
from filterd.operations.request import OperationRequest, Reason, RequestedChange

MOST_ROWS = 100_000
_MOST_ON_PAGE = 1_000
_VIEWS = Flag("Include looks at the query log")


@frozen(kw_only=True)
class ReadHistory(OperationRequest[Any], command="history", scopes=(TokenScope.ALL_READ,)):
    """The last changes, the newest first; ``before`` a number."""

    limit: Annotated[int, Whole(1, MOST_ROWS), CommandWord("N", "Number of changes.")] = 20
    views: Annotated[bool, _VIEWS, SWITCH] = False
    before: Annotated[int | None, Whole()] = None


@frozen(kw_only=True)
class ReadHistoryPage(OperationRequest[Any]):
    """A page of the history, as programs turn it; it is read by ``ReadHistory``."""

    limit: Annotated[int, Whole(1, _MOST_ON_PAGE)] = 200
    views: Annotated[bool, _VIEWS] = False
    cursor: Annotated[
        str, Text(16, r"[0-9]{0,16}", about="What `next` of the answer before had")
    ] = ""


@frozen
class ReadOverrides(
    OperationRequest[dict[str, Any]], command="overrides", scopes=(TokenScope.EXCEPTIONS,)
):
    """What commands have set, at present or at a past time."""

    at: Annotated[float | None, Time()] = None


@frozen
class VerifyHistory(
    OperationRequest[dict[str, Any]], command="history-verify", scopes=(TokenScope.ALL_READ,)
):
    """Check the history for later alterations."""


@frozen(kw_only=True)
class Undo(RequestedChange, kind="undo"):
    """Take back a change, by default one's own last one."""

    number: Annotated[
        int | None,
        NUMBER_OF_CHANGE,
        argument("NUMBER", "Number of the change (default: your own last one)."),
    ] = None


@frozen(kw_only=True)
class UndoSetting(OperationRequest[dict[str, Any]], command="undo-setting"):
    """Take back the last setting of a grade that is in force."""

    reason: Reason = ""


HISTORY = Operation(
    name="readHistory",
    method="GET",
    path="/history",
    about="The changes: time, author, change and reason, the newest first.",
    request=ReadHistoryPage,
    answer=record({"rows": rows(HISTORY_ROW), "next": maybe(TEXT)}),
    commands=("history list", "policy history"),
    tag="history",
)
VERIFY = Operation(
    name="verifyHistory",
    method="GET",
    path="/history/check",
    about="Check the whole history for later alterations.",
    request=VerifyHistory,
    answer=record(
        {
            "ok": FLAG,
            "number": WHOLE,
            "first_bad": maybe(WHOLE),
            "problem": TEXT,
            "sentence": SENTENCE,
            "set_aside": TEXTS,
            "altered": TEXTS,
        }
    ),
    commands=("history verify",),
    tag="history",
)
UNDO = Operation(
    name="undo",
    method="POST",
    path="/history/undo",
    about="Take back one's own last change, or the one with a number.",
    request=Undo,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("undo",),
    tag="history",
)
UNDO_SETTING = Operation(
    name="undoSetting",
    method="POST",
    path="/policy/settings/undo",
    about="Take back the last setting of a grade that is in force.",
    request=UndoSetting,
    roles=ADMINS,
    answer=CHANGE,
    commands=("policy undo",),
    tag="policy",
)
