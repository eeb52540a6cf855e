# SPDX-License-Identifier: Apache-2.0
"""The key ``log`` of ``site.yaml``: levels of the query log, and days kept."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema

from filterd.config.scalars import Tier  # noqa: TC001 -- pydantic reads it at run time
from filterd.documents import DocumentModel, did_you_mean, refusal
from filterd.i18n import say
from filterd.policy.log_levels import LEAST_K, LogLevel, QueryLog

_IN_FILES = tuple(one.value for one in LogLevel if one is not LogLevel.FULL)


def _level(value: Any) -> str:
    if value == LogLevel.FULL:
        raise refusal(
            say("'full' is set by command only, for 7 days at most"),
            say("filterd log level full --tier TIER --for 3d --reason REASON"),
        )
    if value not in _IN_FILES:
        raise refusal(
            say("'{value}' is not known", value=value), did_you_mean(str(value), _IN_FILES)
        )
    return str(value)


Level = Annotated[str, PlainValidator(_level), WithJsonSchema({"enum": list(_IN_FILES)})]


class LogEntry(DocumentModel):
    """The record of lookups."""

    level: Level = Field(
        "counts",
        description="off: nothing; counts: totals by hour; names: also names by tier and day;"
        " blocked: also each blocked lookup. No level has an address.",
    )
    tiers: dict[Tier, Level] = Field(
        default_factory=dict, description="Tiers with another level than the others."
    )
    keep_days: Annotated[int, Field(ge=1, le=90)] = Field(
        30, description="The school days for which names and lookups are kept."
    )
    keep_totals_days: Annotated[int, Field(ge=31, le=800)] = Field(
        400, description="The days for which totals are kept."
    )
    least_devices: Annotated[int, Field(ge=LEAST_K, le=50)] = Field(
        LEAST_K,
        description="The least number of devices behind an allowed name that is kept at names,"
        " and behind a number that leaves the school.",
    )


def compile_log(entry: LogEntry) -> QueryLog:
    """Return the options of the query log."""
    return QueryLog(
        LogLevel(entry.level),
        {tier: LogLevel(level) for tier, level in entry.tiers.items()},
        entry.keep_days,
        entry.keep_totals_days,
        entry.least_devices,
    )
