# SPDX-License-Identifier: Apache-2.0
"""Operations on the policy: grades, categories, services, versions, checks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ConfigError
from filterd.base.state_file import to_plain
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
    of,
    record,
    rows,
    table,
)
from filterd.operations.changes import CHANGE
from filterd.operations.log import EXPLANATION
from filterd.operations.operation import ADMINS
from filterd.operations.parameters.scalar import Fields, Flag, Text, Whole
from filterd.operations.parameters.seat import GRADE
from filterd.operations.parameters.time import Time
from filterd.operations.request import REASON
from filterd.overrides.override_rows import set_for
from filterd.overrides.target_text import policy_for, qname_from
from filterd.policy.grade_rows import (
    CLOSED,
    LOCKED,
    OPEN,
    differences,
    grade_row,
    state_of,
    whole_service_row,
)
from filterd.policy.model import GRADES, Category
from filterd.texts.i18n import say
from filterd.web.endpoint import WebOperation, asks
from filterd.web.school_state import check_known, in_force, policy_of
from filterd.web.wanted_change import change, done
from filterd.wire import type_from_text

if TYPE_CHECKING:
    from filterd.operations.parameters.scalar import Parameter
    from filterd.policy.effective_policy import EffectiveState
    from filterd.policy.model import GradePolicy
    from filterd.web.visitor import Visitor

_STATE = {"type": "string", "enum": [OPEN, CLOSED, LOCKED]}
_GRADE_FIELDS = {
    **each(TEXT, "grade", "tier", "block_response", "safe_search", "youtube", "class"),
    "age": WHOLE,
    "client_ttl_max": WHOLE,
    "networks": TEXTS,
    "unknown_clients": FLAG,
    "categories": table(_STATE),
    "services": table(_STATE),
    "now": table(_STATE),
    "set": rows({**OBJECT, "description": "A setting or exception; `of` is its kind"}),
}
_GRADE = record(_GRADE_FIELDS, ("class",))
_SERVICE = record(
    {
        **each(TEXT, "id", "name_vi", "name_en", "group", "terms_date", "note_vi", "note_en"),
        "min_age": maybe(WHOLE),
        "names": TEXTS,
        "grades": table(_STATE),
    }
)
_DIFFERENCE = record({"kind": TEXT, "target": TEXT, "before": TEXT, "after": TEXT})


async def _grades(visitor: Visitor, _: dict[str, Any]) -> Any:
    now = await in_force(visitor)
    return [_row(now, one) for one in now.policy.grades.values()]


async def _grade(visitor: Visitor, given: dict[str, Any]) -> Any:
    now = await in_force(visitor)
    return _row(now, policy_for(now.policy, given["grade"]))


def _row(now: EffectiveState, grade: GradePolicy) -> dict[str, Any]:
    """Return a grade of the files, its categories ``now``, and what is ``set``."""
    moment = now.moment.policy
    current = moment.grades.get(grade.key, grade)
    return {
        **grade_row(now.policy, grade),
        "now": {one: state_of(moment, current, one) for one in moment.categories},
        "set": [
            {"of": kind, **thing} for kind, thing in set_for(grade, now.overrides, now.clock.now)
        ],
    }


async def _categories(visitor: Visitor, _: dict[str, Any]) -> Any:
    return [to_plain(one) for one in (await policy_of(visitor)).categories.values()]


async def _services(visitor: Visitor, _: dict[str, Any]) -> Any:
    now = await in_force(visitor)
    return [whole_service_row(now.moment.policy, one) for one in now.policy.services.values()]


async def _service(visitor: Visitor, given: dict[str, Any]) -> Any:
    now = await in_force(visitor)
    id_ = check_known(given["service"], now.policy.services, say("service"))
    return whole_service_row(now.moment.policy, now.policy.services[id_])


async def _check(visitor: Visitor, given: dict[str, Any]) -> Any:
    if "grade" in given and "client" in given:
        raise ConfigError(
            say("{first} and {second} exclude each other", first="grade", second="client")
        )
    asked: dict[str, Any] = {
        "qname": qname_from(given["name"]).hex(),
        "qtype": type_from_text(given.get("type", "A").upper()),
        "grade": given.get("grade"),
        "client": given.get("client"),
    }
    at = given.get("at")
    if at is not None and at < visitor.clock.now:
        shown = visitor.clock.text(at)
        found = await visitor.ask("history-check", **asked, at=at, shown=shown)
    else:
        iso = None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
        found = await visitor.ask("check", **asked, at=iso)
    if found is None:
        raise ConfigError(
            say(
                "{address} may not use this resolver: it is in no network of the site, nor in"
                " `allow_from`",
                address=given.get("client"),
            )
        )
    return found


async def _differences(visitor: Visitor, given: dict[str, Any]) -> Any:
    before = await policy_of(visitor, given["version"])
    after = await policy_of(visitor)
    found: dict[Any, list[str]] = {}
    for grade in GRADES:
        for one in differences(before, before.grades[grade], after, after.grades[grade]):
            found.setdefault(one, []).append(grade)
    return [{**one._asdict(), "grades": grades} for one, grades in found.items()]


async def _between(visitor: Visitor, given: dict[str, Any]) -> Any:
    policy = await policy_of(visitor)
    one, other = policy_for(policy, given["grade"]), policy_for(policy, given["other"])
    return [found._asdict() for found in differences(policy, one, policy, other)]


async def _preview(visitor: Visitor, given: dict[str, Any]) -> Any:
    kind, _, target = given.pop("target").partition(":")
    return await visitor.ask("grade-preview", **given, target_kind=kind, target=target)


async def _set(visitor: Visitor, given: dict[str, Any]) -> Any:
    kind, _, target = given.pop("target").partition(":")
    return await change(visitor, "grade", given, target_kind=kind, target=target)


GRADES_READ = WebOperation(
    name="readGrades",
    method="GET",
    path="/policy/grades",
    about="Each grade and class: its settings in the files, what is open now, what is set.",
    run=_grades,
    answer=rows(_GRADE),
    commands=("policy tree", "policy show"),
    tag="policy",
)
GRADE_READ = WebOperation(
    name="readGrade",
    method="GET",
    path="/policy/grades/{grade}",
    about="What one grade or class may use.",
    run=_grade,
    fields=Fields({"grade": Text(32)}, ("grade",)),
    answer=_GRADE,
    commands=("policy show",),
    tag="policy",
)
CATEGORIES = WebOperation(
    name="readCategories",
    method="GET",
    path="/policy/categories",
    about="The categories: names, age, source rating, legal basis, whether locked.",
    run=_categories,
    answer=rows(of(Category)),
    commands=("policy show",),
    tag="policy",
)
SERVICES = WebOperation(
    name="readServices",
    method="GET",
    path="/policy/services",
    about="The services: their names, and the grades that may use each now.",
    run=_services,
    answer=rows(_SERVICE),
    commands=("services list",),
    tag="policy",
)
SERVICE = WebOperation(
    name="readService",
    method="GET",
    path="/policy/services/{service}",
    about="One service.",
    run=_service,
    fields=Fields({"service": Text(64)}, ("service",)),
    answer=_SERVICE,
    commands=("services show",),
    tag="policy",
)
CHECK = WebOperation(
    name="checkName",
    method="GET",
    path="/check",
    about="What a grade, class or device gets for a name, and why; at a time, if one is given.",
    run=_check,
    fields=Fields(
        {
            "name": Text(300, least=1),
            "type": Text(16, about="The type of record; A if left out"),
            "grade": Text(32, about="A grade or class"),
            "client": Text(64, about="The address of a device"),
            "at": Time(),
        },
        ("name",),
    ),
    answer=EXPLANATION,
    commands=("check",),
    tag="policy",
)
VERSIONS = WebOperation(
    name="readPolicyVersions",
    method="GET",
    path="/policy/versions",
    about="The policies that were in force, the newest first.",
    run=asks("policies"),
    answer=rows(record({"digest": TEXT, "activated_at": AT})),
    commands=("policy history",),
    tag="policy",
)
DIFFERENCES = WebOperation(
    name="compareVersions",
    method="GET",
    path="/policy/versions/{version}/differences",
    about="How the present files differ from a version for grades.",
    run=_differences,
    fields=Fields({"version": Text(12, r"[0-9a-f]{4,12}")}, ("version",)),
    answer=rows(record({**_DIFFERENCE["properties"], "grades": TEXTS})),
    commands=("policy diff",),
    tag="policy",
)
BETWEEN = WebOperation(
    name="compareGrades",
    method="GET",
    path="/policy/grades/{grade}/differences",
    about="How one grade or class differs from another one.",
    run=_between,
    fields=Fields({"grade": Text(32), "other": Text(32)}, ("grade", "other")),
    answer=rows(_DIFFERENCE),
    commands=("policy diff",),
    tag="policy",
)
_CHANGED = record({"closes": WHOLE, "opens": WHOLE, "rewrites": WHOLE})
WHAT_IF = WebOperation(
    name="tryPolicy",
    method="GET",
    path="/policy/what-if",
    about="Which recorded lookups a public list, a version or the drafted site would decide"
    " differently; the history records that you looked.",
    run=asks("what-if"),
    fields=Fields(
        {
            "source": Text(about="Public lists, with commas between"),
            "feed": Text(64, about="A version of the lists"),
            "draft": Flag("The edit of the site that you look at"),
            "days": Whole(1, 90, about="Days with today; 7 if left out"),
            "within_s": Whole(1, 45, about="After which it goes on by itself: ask again"),
        }
    ),
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
EXPECTATIONS = WebOperation(
    name="testExpectations",
    method="GET",
    path="/policy/expectations",
    about="Test the site's files against the expectations that a reload uses.",
    run=asks("expectations"),
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
                        "found": rows(EXPLANATION),
                        "sentence": SENTENCE,
                    }
                )
            ),
        }
    ),
    commands=("policy test",),
    tag="policy",
)
IDS = WebOperation(
    name="readIds",
    method="GET",
    path="/policy/ids",
    about="The ids that operations take, by kind: grades, classes, rooms, services, lists, ...",
    run=asks("ids"),
    answer=table({"type": "array", "items": {"type": ["string", "integer"]}}),
    tag="policy",
)
_SETTING: dict[str, Parameter] = {
    "grade": GRADE,
    "target": Text(80, r"(category|service):.{1,64}"),
    "opens": Flag("Whether it is opened; else it is closed"),
    "reason": REASON,
}
_OF_SETTING = "grade", "target", "opens"
PREVIEW = WebOperation(
    name="previewGrade",
    method="GET",
    path="/policy/settings/preview",
    about="What `setGrade` would change now, by the same checks; nothing is changed.",
    run=_preview,
    fields=Fields(_SETTING, _OF_SETTING),
    roles=ADMINS,
    answer=record(
        {
            "differences": rows(record({"grade": TEXT, **_DIFFERENCE["properties"]})),
            "warnings": rows(ANY),
        }
    ),
    tag="policy",
)
SET = WebOperation(
    name="setGrade",
    method="POST",
    path="/policy/settings",
    about="Open or close a category or service for a grade, until the next setting of it.",
    run=_set,
    fields=Fields(_SETTING, _OF_SETTING),
    roles=ADMINS,
    answer=CHANGE,
    commands=("policy set",),
    tag="policy",
    done=done,
)
