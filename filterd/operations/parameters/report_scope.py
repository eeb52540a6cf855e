# SPDX-License-Identifier: Apache-2.0
"""Read for whom a report is, and the class or grade that it is about."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import ConfigError
from filterd.operations.parameters.scalar import Choice, Text
from filterd.policy.reporting_settings import ReportAudience
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.operations.parameters.scalar import Parameter

_AUDIENCES = tuple(one.value for one in ReportAudience)
_LONGEST = 64


class ReportScope(NamedTuple):
    """An audience; a class or a grade is for inside."""

    audience: ReportAudience = ReportAudience.OUTSIDE
    class_id: str = ""
    grade: str = ""


WHOLE_SCHOOL = ReportScope()


class ReportScopeField:
    """The fields of a scope; the socket has class and grade by themselves."""

    named: Mapping[str, Parameter] = MappingProxyType(
        {
            "audience": Choice(
                _AUDIENCES, "For whom: `outside` has totals that may leave the school; usual"
            ),
            "whom": Text(
                40,
                r"(class|grade):.+",
                about="A class or grade, such as class:6A; it is for inside",
            ),
        }
    )
    sent: Mapping[str, Parameter] = MappingProxyType(
        {"audience": Choice(_AUDIENCES), "class": Text(_LONGEST), "grade": Text(_LONGEST)}
    )

    def take(self, given: dict[str, Any]) -> ReportScope:
        """Take a scope out of checked values.

        Raises:
            ConfigError: a report for parents has a class or grade.
        """
        audience = ReportAudience(given.pop("audience", ReportAudience.OUTSIDE))
        class_id, grade = given.pop("class", ""), given.pop("grade", "")
        kind, _, whom = given.pop("whom", "").partition(":")
        if not whom:
            return ReportScope(audience, class_id, grade)
        if audience is ReportAudience.PARENTS:
            raise ConfigError(say("a report for parents covers the whole school"))
        inside = ReportScope(ReportAudience.INSIDE)
        return inside._replace(**{"class_id" if kind == "class" else kind: whom})

    def arguments(self, value: ReportScope) -> dict[str, Any]:
        """Return what the socket has of a scope."""
        some = {"class": value.class_id, "grade": value.grade}
        return {"audience": value.audience.value} | {key: one for key, one in some.items() if one}
