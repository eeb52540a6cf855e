# SPDX-License-Identifier: Apache-2.0
"""Read and compare policies, check names, try another policy, set grades."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from filterd.accounts.grant import EVERY_SCOPE, TokenScope
from filterd.base.errors import ConfigError
from filterd.base.value_class import frozen
from filterd.operations.answers import (
    ANY,
    AT,
    FLAG,
    OBJECT,
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
from filterd.operations.changes import CHANGE
from filterd.operations.explanation import explanation
from filterd.operations.operation import ADMINS, Operation
from filterd.operations.parameters.expectation import ExpectationsField
from filterd.operations.parameters.scalar import Flag, Text, Whole
from filterd.operations.parameters.seat import GRADE, SEAT
from filterd.operations.parameters.time import Time
from filterd.operations.parameters.trial import Tried, TriedField
from filterd.operations.parameters.wire_name import AskedRecord, RecordField
from filterd.operations.request import OperationRequest, RequestedChange
from filterd.policy.grade_rows import CLOSED, LOCKED, OPEN
from filterd.policy.model import Category, Expectation
from filterd.texts.i18n import say

ANSWERED_WITHIN_S = 45
"""After which a trial goes on by itself, and is asked for again."""
_WITHIN_S = Whole(1, ANSWERED_WITHIN_S, about="After which it goes on by itself: ask again")
_STATE = {"type": "string", "enum": [OPEN, CLOSED, LOCKED]}
_GRADE = record(
    {
        **each(TEXT, "grade", "tier", "block_response", "safe_search", "youtube", "class"),
        "age": WHOLE,
        "client_ttl_max": WHOLE,
        "networks": TEXTS,
        "unknown_clients": FLAG,
        "categories": table(_STATE),
        "services": table(_STATE),
        "now": table(_STATE),
        "set": rows({**OBJECT, "description": "A setting or exception; `of` is its kind"}),
    },
    ("class",),
)
_SERVICE = record(
    {
        **each(TEXT, "id", "name_vi", "name_en", "group", "terms_date", "note_vi", "note_en"),
        "min_age": maybe(WHOLE),
        "names": TEXTS,
        "grades": table(_STATE),
    }
)
_DIFFERENCE = {"kind": TEXT, "target": TEXT, "before": TEXT, "after": TEXT}
_CHANGED = record({"closes": WHOLE, "opens": WHOLE, "rewrites": WHOLE})
_CLIENT = Text(64, about="The address of a device")


@frozen(kw_only=True)
class ReadPolicy(OperationRequest[str], command="policy", scopes=(TokenScope.ALL_READ,)):
    """The text of the policy in force, or of the version with a digest."""

    digest: Annotated[str, Text(80)] = ""


@frozen
class ReadVersions(
    OperationRequest[list[dict[str, Any]]], command="policies", scopes=(TokenScope.ALL_READ,)
):
    """The policies that were in force, the newest first."""


@frozen
class ReadOfPolicy(OperationRequest[Any], command=ReadPolicy.command):
    """What a face makes of the policy in force."""


@frozen(kw_only=True)
class ReadGrade(ReadOfPolicy):
    """One grade or class."""

    grade: Annotated[str, Text(32)]


@frozen(kw_only=True)
class ReadService(ReadOfPolicy):
    """One service."""

    service: Annotated[str, Text(64)]


@frozen(kw_only=True)
class CompareVersions(ReadOfPolicy):
    """The present files and a version."""

    version: Annotated[str, Text(12, r"[0-9a-f]{4,12}")]


@frozen(kw_only=True)
class CompareGrades(ReadOfPolicy):
    """Two grades or classes."""

    grade: Annotated[str, Text(32)]
    other: Annotated[str, Text(32)]


@frozen(kw_only=True)
class AskName(OperationRequest[dict[str, Any] | None]):
    """A name that a grade, class or device asks for; None is for a foreign device."""

    question: Annotated[AskedRecord, RecordField()]
    grade: Annotated[str | None, SEAT] = None
    client: Annotated[str | None, _CLIENT] = None

    def __post_init__(self) -> None:
        """Refuse a grade together with a device.

        Raises:
            ConfigError: there are both.
        """
        if self.grade is not None and self.client is not None:
            raise ConfigError(
                say("{first} and {second} exclude each other", first="grade", second="client")
            )


@frozen(kw_only=True)
class CheckName(AskName, command="check", scopes=(TokenScope.LISTS, TokenScope.EXCEPTIONS)):
    """What it gets now, or at a time to come."""

    at: Annotated[float | None, Time()] = None


@frozen(kw_only=True)
class CheckPast(AskName, command="history-check", scopes=(TokenScope.ALL_READ,)):
    """What it got; ``shown``: the time as the school's clock showed it."""

    at: Annotated[float, Time()]
    shown: Annotated[str, Text(40)] = ""


def past_of(asked: CheckName, at: float, shown: str) -> CheckPast:
    """Return the same question of a past time.

    Args:
        asked: the question.
        at: Unix time.
        shown: the same as the school's clock showed it.
    """
    return CheckPast(
        question=asked.question, grade=asked.grade, client=asked.client, at=at, shown=shown
    )


@frozen(kw_only=True)
class TryPolicy(OperationRequest[dict[str, Any]], command="what-if"):
    """What another policy or other lists would have changed on recorded days.

    The answer is ``at_work`` after ``within_s``, while the trial goes on.
    """

    tried: Annotated[Tried, TriedField()]
    days: Annotated[int, Whole(1, 90, about="Days with today; 7 if left out")] = 7
    within_s: Annotated[int, _WITHIN_S] = ANSWERED_WITHIN_S


@frozen(kw_only=True)
class TestExpectations(
    OperationRequest[dict[str, Any]], command="expectations", scopes=(TokenScope.ALL_READ,)
):
    """Test the site's present files."""

    __test__: ClassVar[bool] = False
    wanted: Annotated[tuple[Expectation, ...] | None, ExpectationsField()] = None


@frozen
class ReadIds(OperationRequest[dict[str, Any]], command="ids", scopes=EVERY_SCOPE):
    """The ids that the site has, by kind."""


@frozen(kw_only=True)
class SetGrade(RequestedChange, kind="grade"):
    """Open or close a category or service for a grade."""

    grade: Annotated[str, GRADE]
    target: Annotated[str, Text(80, r"(category|service):.{1,64}")]
    opens: Annotated[bool, Flag("Whether it is opened; else it is closed")]

    @property
    def change(self) -> tuple[str, dict[str, Any]]:
        """What ``SetGradeTarget`` reads."""
        kind, _, target = self.target.partition(":")
        how = {"grade": self.grade, "target_kind": kind, "target": target, "opens": self.opens}
        return self.kind, how


@frozen(kw_only=True)
class PreviewGrade(SetGrade, command="grade-preview"):
    """What ``SetGrade`` would change."""

    @property
    def arguments(self) -> dict[str, Any]:
        """What the socket has of it: the fields as they are."""
        return super(RequestedChange, self).arguments


GRADES_READ = Operation(
    name="readGrades",
    method="GET",
    path="/policy/grades",
    about="Each grade and class: its settings in the files, what is open now, what is set.",
    request=ReadOfPolicy,
    answer=rows(_GRADE),
    commands=("policy tree", "policy show"),
    tag="policy",
)
GRADE_READ = Operation(
    name="readGrade",
    method="GET",
    path="/policy/grades/{grade}",
    about="What one grade or class may use.",
    request=ReadGrade,
    answer=_GRADE,
    commands=("policy show",),
    tag="policy",
)
CATEGORIES = Operation(
    name="readCategories",
    method="GET",
    path="/policy/categories",
    about="The categories: names, age, source rating, legal basis, whether locked.",
    request=ReadOfPolicy,
    answer=rows(Category),
    commands=("policy show",),
    tag="policy",
)
SERVICES = Operation(
    name="readServices",
    method="GET",
    path="/policy/services",
    about="The services: their names, and the grades that may use each now.",
    request=ReadOfPolicy,
    answer=rows(_SERVICE),
    commands=("services list",),
    tag="policy",
)
SERVICE = Operation(
    name="readService",
    method="GET",
    path="/policy/services/{service}",
    about="One service.",
    request=ReadService,
    answer=_SERVICE,
    commands=("services show",),
    tag="policy",
)
CHECK = Operation(
    name="checkName",
    method="GET",
    path="/check",
    about="What a grade, class or device gets for a name, and why; at a time, if one is given.",
    request=CheckName,
    answer=explanation,
    commands=("check",),
    tag="policy",
)
VERSIONS = Operation(
    name="readPolicyVersions",
    method="GET",
    path="/policy/versions",
    about="The policies that were in force, the newest first.",
    request=ReadVersions,
    answer=rows(record({"digest": TEXT, "activated_at": AT})),
    commands=("policy history",),
    tag="policy",
)
DIFFERENCES = Operation(
    name="compareVersions",
    method="GET",
    path="/policy/versions/{version}/differences",
    about="How the present files differ from a version for grades.",
    request=CompareVersions,
    answer=rows(record({**_DIFFERENCE, "grades": TEXTS})),
    commands=("policy diff",),
    tag="policy",
)
BETWEEN = Operation(
    name="compareGrades",
    method="GET",
    path="/policy/grades/{grade}/differences",
    about="How one grade or class differs from another one.",
    request=CompareGrades,
    answer=rows(record(_DIFFERENCE)),
    commands=("policy diff",),
    tag="policy",
)
WHAT_IF = Operation(
    name="tryPolicy",
    method="GET",
    path="/policy/what-if",
    about="Which recorded lookups a public list, a version or the drafted site would decide"
    " differently; the history records that you looked.",
    request=TryPolicy,
    roles=ADMINS,
    answer={
        **OBJECT,
        "properties": {
            "at_work": FLAG,
            "judged": TEXT,
            **each(WHOLE, "lookups", "more", "confidential"),
            "changed": _CHANGED,
            "names": _CHANGED,
            "rows": rows(
                record(
                    {
                        **each(TEXT, "name", "kind", "category"),
                        "n": WHOLE,
                        "grades": TEXTS,
                        "classes": TEXTS,
                    }
                )
            ),
        },
    },
    commands=("policy whatif",),
    tag="policy",
)
EXPECTATIONS = Operation(
    name="testExpectations",
    method="GET",
    path="/policy/expectations",
    about="Test the site's files against the expectations that a reload uses.",
    request=TestExpectations,
    answer=record(
        {
            "expectations": WHOLE,
            "unmet": rows(
                record(
                    {
                        "expected": TEXT,
                        "path": TEXT,
                        "line": WHOLE,
                        "yields": FLAG,
                        "found": rows(explanation),
                        "sentence": SENTENCE,
                    }
                )
            ),
        }
    ),
    commands=("policy test",),
    tag="policy",
)
IDS = Operation(
    name="readIds",
    method="GET",
    path="/policy/ids",
    about="The ids that operations take, by kind: grades, classes, rooms, services, lists, ...",
    request=ReadIds,
    answer=table({"type": "array", "items": {"type": ["string", "integer"]}}),
    tag="policy",
)
PREVIEW = Operation(
    name="previewGrade",
    method="GET",
    path="/policy/settings/preview",
    about="What `setGrade` would change now, by the same checks; nothing is changed.",
    request=PreviewGrade,
    roles=ADMINS,
    answer=record(
        {
            "differences": rows(record({"grade": TEXT, **_DIFFERENCE})),
            "warnings": rows(ANY),
        }
    ),
    tag="policy",
)
SET = Operation(
    name="setGrade",
    method="POST",
    path="/policy/settings",
    about="Open or close a category or service for a grade, until the next setting of it.",
    request=SetGrade,
    roles=ADMINS,
    answer=CHANGE,
    commands=("policy set",),
    tag="policy",
)
