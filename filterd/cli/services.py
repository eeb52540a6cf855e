# SPDX-License-Identifier: Apache-2.0
"""``filterd services``: products that people know by name, and the names they are made of."""

from __future__ import annotations

from typing import Annotated, Any

from filterd.cli.context import Context, JsonOption, argument, option
from filterd.cli.effective_state import in_force
from filterd.cli.policy_diff import ranges
from filterd.cli.render import facts, table, titled
from filterd.cli.target_options import grade_from
from filterd.errors import ConfigError
from filterd.i18n import did_you_mean, say
from filterd.policy.effective_policy import EffectiveState
from filterd.policy.grade_differences import OPEN, SERVICE_COLUMNS, service_row, state_of_service
from filterd.policy.model import GRADES, Service
from filterd.rows import Wording
from filterd.wire import name as names


def list_(
    here: Context,
    grade: Annotated[
        str | None, option("--grade", "And what this grade may use now.", "GRADE")
    ] = None,
    group: Annotated[str | None, option("--group", "Those of one category only.", "ID")] = None,
    json: JsonOption = False,
) -> None:
    """Show the services that can be opened and closed by name.

    Exit code 0: shown; 2: it cannot be told.
    """
    wanted = None if grade is None else grade_from(grade)
    now = in_force(here)
    if group is not None and group not in now.policy.categories:
        hint = did_you_mean(group, now.policy.categories)
        raise ConfigError(say("'{group}' is not a category", group=group), hint=hint)
    found = [one for one in now.policy.services.values() if group in (None, one.group)]
    if json:
        here.print_json([_plain(now, one) for one in found])
    else:
        policy = now.moment.policy
        of_grade = policy.grades[wanted or GRADES[0]]  # without a grade no state is shown
        rows = [service_row(policy, of_grade, one) for one in found]
        columns = SERVICE_COLUMNS if wanted else SERVICE_COLUMNS[:-1]
        here.console.print(table(Wording(here.texts, now.clock), columns, rows, whole=False))


def show(
    here: Context,
    service: Annotated[str, argument("SERVICE", "Its id, such as youtube.")],
    json: JsonOption = False,
) -> None:
    """Show one service: its names, and who may use it now.

    Exit code 0: shown; 2: there is no such service, or it cannot be told.
    """
    now = in_force(here)
    if service not in now.policy.services:
        hint = did_you_mean(service, now.policy.services)
        raise ConfigError(say("'{service}' is not a service", service=service), hint=hint)
    told = _plain(now, now.policy.services[service])
    if json:
        here.print_json(told)
        return
    texts = here.texts
    may = [grade for grade, state in told["grades"].items() if state == OPEN]
    rows = [
        (texts("Category"), told["group"]),
        (texts("From age"), told["min_age"]),
        (texts("Open now to"), ranges(may) or texts("nobody")),
        (texts("Domain names"), "\n".join(told["names"])),
    ]
    title = f"{service}: {_name(here, now.policy.services[service])}"
    here.console.print(titled(title, facts(rows)))


def _plain(now: EffectiveState, service: Service) -> dict[str, Any]:
    policy = now.moment.policy
    return {
        "id": service.id,
        "name_vi": service.name_vi,
        "name_en": service.name_en,
        "group": service.group,
        "min_age": service.min_age,
        "names": [names.to_text(name) for name in service.names],
        "grades": {
            grade: state_of_service(policy, policy.grades[grade], service.id) for grade in GRADES
        },
    }


def _name(here: Context, service: Service) -> str:
    return service.name_vi if here.texts.language == "vi" else service.name_en
