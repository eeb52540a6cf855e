# SPDX-License-Identifier: Apache-2.0
"""Read and export the totals of the query log, and whether help was sought."""

from __future__ import annotations

from typing import Annotated, Any

from filterd.accounts.grant import TokenScope
from filterd.base.value_class import frozen
from filterd.operations.answers import AT, TEXT, WHOLE, each, record, rows
from filterd.operations.operation import Operation
from filterd.operations.parameters.command_word import CommandWord
from filterd.operations.parameters.day import MONTH
from filterd.operations.parameters.scalar import Flag, Text, Whole
from filterd.operations.parameters.seat import CLASS, GRADE, TIER
from filterd.operations.request import OperationRequest
from filterd.overrides.rights.read_access import READERS, View
from filterd.querylog import MOST_DAYS

MOST_EXPORT_DAYS = 100


@frozen(kw_only=True)
class ReadTotals(OperationRequest[list[Any]], command="log totals", scopes=(TokenScope.TOTALS,)):
    """Numbers of answers; what is empty does not restrict them."""

    days: Annotated[int, Whole(1, MOST_DAYS, "The number of days, with today")] = 1
    tier: Annotated[str, TIER] = ""
    grade: Annotated[str, GRADE] = ""
    class_: Annotated[str, CLASS] = ""
    network: Annotated[str, Text(64)] = ""
    by_hour: Annotated[bool, Flag()] = False
    by_class: Annotated[bool, Flag()] = False
    by_network: Annotated[bool, Flag()] = False


@frozen
class HelpAnswer:
    """Whether a confidential category was asked for; ``names`` of it by language."""

    category: str
    has_blocks: bool
    names: dict[str, str]


@frozen
class HelpSought:
    """The answers of a month; None for a school of fewer than ``least_devices``."""

    month: str
    least_devices: int
    answers: tuple[HelpAnswer, ...] | None


@frozen(kw_only=True)
class ReadHelpSought(OperationRequest[HelpSought], command="log help"):
    """Yes or no for each confidential category, of a month that is over."""

    month: Annotated[str, MONTH, CommandWord("MONTH", "A month that is over: 2026-10.")]


@frozen
class ExportedTotal:
    """The number of answers of one kind; ``period`` is a day or a month."""

    period: str
    tier: str
    grade: str
    category: str
    action: str
    n: int


@frozen
class ExportedTotals:
    """Published totals; ``left_out``: some are not, of fewer than ``least_devices``."""

    rows: tuple[ExportedTotal, ...]
    left_out: bool
    least_devices: int


@frozen(kw_only=True)
class ExportTotals(
    OperationRequest[ExportedTotals], command="log export", scopes=(TokenScope.TOTALS,)
):
    """Published totals of a month, or of the last days before today."""

    month: Annotated[str, MONTH] = ""
    days: Annotated[int, Whole(1, MOST_EXPORT_DAYS)] = 1


TOTALS = Operation(
    name="readTotals",
    method="GET",
    path="/log/totals",
    about="Answers and blocks by day or hour. Of classes and networks: admins, teachers own ones.",
    request=ReadTotals,
    answer=rows(
        record(
            {
                **each(TEXT, "date", "tier", "grade", "category", "action", "class", "network"),
                "n": WHOLE,
                "hour": AT,
            },
            ("class", "network", "hour"),
        )
    ),
    commands=("log totals",),
    tag="log",
)
HELP = Operation(
    name="readHelpSought",
    method="GET",
    path="/log/help",
    about="Whether confidential categories were asked for in a month: yes or no, to principals.",
    request=ReadHelpSought,
    roles=READERS[View.HELP],
    answer=HelpSought,
    commands=("log help",),
    tag="log",
)
EXPORT = Operation(
    name="exportTotals",
    method="GET",
    path="/log/export",
    about="Totals of days and months that are over, which may leave the school.",
    request=ExportTotals,
    roles=READERS[View.EXPORT],
    answer=ExportedTotals,
    commands=("log export",),
    tag="log",
)
