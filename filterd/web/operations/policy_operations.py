# SPDX-License-Identifier: Apache-2.0
"""Operations on the policy in force: grades, categories, services, checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.errors import ConfigError
from filterd.base.state_file import to_plain
from filterd.operations import policy
from filterd.operations.policy import past_of
from filterd.overrides.override_rows import set_for
from filterd.overrides.target_text import policy_for
from filterd.policy.grade_rows import as_told, differences, grade_row, state_of, whole_service_row
from filterd.policy.model import GRADES
from filterd.texts.i18n import say
from filterd.web.endpoint import endpoint
from filterd.web.school_state import check_known, in_force, policy_of

if TYPE_CHECKING:
    from filterd.operations.policy import (
        CheckName,
        CompareGrades,
        CompareVersions,
        ReadGrade,
        ReadOfPolicy,
        ReadService,
    )
    from filterd.policy.effective_policy import EffectiveState
    from filterd.policy.model import GradePolicy
    from filterd.web.visitor import Visitor


async def _grades(visitor: Visitor, _: ReadOfPolicy) -> Any:
    now = await in_force(visitor)
    return [_row(now, grade) for grade in now.policy.grades.values()]


async def _grade(visitor: Visitor, asked: ReadGrade) -> Any:
    now = await in_force(visitor)
    return _row(now, policy_for(now.policy, asked.grade))


def _row(now: EffectiveState, grade: GradePolicy) -> dict[str, Any]:
    """Return a grade of the files, its categories ``now``, and what is ``set``."""
    moment = now.moment.policy
    current = moment.grades.get(grade.key, grade)
    return {
        **grade_row(now.policy, grade),
        "now": {category: state_of(moment, current, category) for category in moment.categories},
        "set": [
            {"of": kind, **thing} for kind, thing in set_for(grade, now.overrides, now.clock.now)
        ],
    }


async def _categories(visitor: Visitor, _: ReadOfPolicy) -> Any:
    return [to_plain(category) for category in (await policy_of(visitor)).categories.values()]


async def _services(visitor: Visitor, _: ReadOfPolicy) -> Any:
    now = await in_force(visitor)
    told = as_told(now.moment.policy, now.clock.now)
    return [whole_service_row(told, service) for service in now.policy.services.values()]


async def _service(visitor: Visitor, asked: ReadService) -> Any:
    now = await in_force(visitor)
    id_ = check_known(asked.service, now.policy.services, say("service"))
    told = as_told(now.moment.policy, now.clock.now)
    return whole_service_row(told, now.policy.services[id_])


async def _check(visitor: Visitor, asked: CheckName) -> Any:
    found: Any
    if asked.at is not None and asked.at < visitor.clock.now:
        found = await visitor.answer(past_of(asked, asked.at, visitor.clock.text(asked.at)))
    else:
        found = await visitor.answer(asked)
    if found is None:
        raise ConfigError(
            say(
                "{address} may not use this resolver: it is in no network of the site, nor in"
                " `allow_from`",
                address=asked.client,
            )
        )
    return found


async def _differences(visitor: Visitor, asked: CompareVersions) -> Any:
    before = await policy_of(visitor, asked.version)
    after = await policy_of(visitor)
    found: dict[Any, list[str]] = {}
    for grade in GRADES:
        for difference in differences(before, before.grades[grade], after, after.grades[grade]):
            found.setdefault(difference, []).append(grade)
    return [{**one._asdict(), "grades": grades} for one, grades in found.items()]


async def _between(visitor: Visitor, asked: CompareGrades) -> Any:
    now = await policy_of(visitor)
    one, other = policy_for(now, asked.grade), policy_for(now, asked.other)
    return [found._asdict() for found in differences(now, one, now, other)]


GRADES_READ = endpoint(policy.GRADES_READ, _grades)
GRADE_READ = endpoint(policy.GRADE_READ, _grade)
CATEGORIES = endpoint(policy.CATEGORIES, _categories)
SERVICES = endpoint(policy.SERVICES, _services)
SERVICE = endpoint(policy.SERVICE, _service)
CHECK = endpoint(policy.CHECK, _check)
DIFFERENCES = endpoint(policy.DIFFERENCES, _differences)
BETWEEN = endpoint(policy.BETWEEN, _between)
