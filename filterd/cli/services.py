# SPDX-License-Identifier: Apache-2.0
"""``filterd services``: products that people know by name, and the names they are made of."""

from __future__ import annotations

from typing import Annotated

from filterd.cli.context import Context, JsonOption, argument, option
from filterd.cli.effective_state import in_force
from filterd.cli.render import listed, show_details
from filterd.errors import ConfigError
from filterd.i18n import did_you_mean, say
from filterd.overrides.target_text import grade_from
from filterd.policy.grade_rows import SERVICE, SERVICES, service_row, whole_service_row
from filterd.policy.model import GRADES
from filterd.rows import Wording


def list_(
    here: Context,
    grade: Annotated[
        str | None, option("--grade", "Also show what this grade may use now.", "GRADE")
    ] = None,
    group: Annotated[str | None, option("--group", "Only this category.", "ID")] = None,
    json: JsonOption = False,
) -> None:
    """Show the services that can be opened and closed by name.

    Exit code 0: shown; 2: an error.
    """
    wanted = None if grade is None else grade_from(grade)
    now = in_force(here)
    if group is not None and group not in now.policy.categories:
        hint = did_you_mean(group, now.policy.categories)
        raise ConfigError(say("'{group}' is not a category", group=group), hint=hint)
    policy = now.moment.policy
    found = [one for one in now.policy.services.values() if group in (None, one.group)]
    if json:
        here.print_json([whole_service_row(policy, one) for one in found])
    else:
        of_grade = policy.grades[wanted or GRADES[0]]  # without a grade no state is shown
        rows = [service_row(policy, of_grade, one) for one in found]
        listing = SERVICES if wanted else SERVICES.without("state")
        here.console.print(listed(Wording(here.texts, now.clock), listing, rows))


def show(
    here: Context,
    service: Annotated[str, argument("SERVICE", "Id of the service, such as youtube.")],
    json: JsonOption = False,
) -> None:
    """Show one service: its names, and who may use it now.

    Exit code 0: shown; 2: no such service, or error.
    """
    now = in_force(here)
    if service not in now.policy.services:
        hint = did_you_mean(service, now.policy.services)
        raise ConfigError(say("'{service}' is not a service", service=service), hint=hint)
    row = whole_service_row(now.moment.policy, now.policy.services[service])
    show_details(here, SERVICE, row, json=json, clock=now.clock)
