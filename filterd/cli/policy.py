# SPDX-License-Identifier: Apache-2.0
"""``filterd policy``: check the site's files, and see what each grade may use."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Group
from rich.text import Text
from rich.tree import Tree

from filterd.cli.context import Context, JsonOption, command
from filterd.cli.render import grid, titled
from filterd.cli.sites import grade_from, policy_of
from filterd.policy.model import TIERS, Category, GradePolicy, Policy
from filterd.texts import Texts

_STYLES = {"open": "green", "closed": "yellow", "locked": "red"}

app = typer.Typer(help="Check the site's files, see what each grade may use.", no_args_is_help=True)


@app.command()
@command
def validate(
    here: Context,
    json: JsonOption = False,
) -> None:
    """Check site.yaml and the tier files.

    Every problem is told with its file, line and column. Exit code 0: valid; 2: not.
    """
    policy = policy_of(here)
    summary = {
        "path": str(here.config),
        "networks": len(policy.networks),
        "grades": len(policy.grades),
        "rules": len(policy.rules),
    }
    if json:
        here.print_json({"valid": True, **summary})
    else:
        here.console.print(here.texts("policy.valid", **summary), style="green", soft_wrap=True)


@app.command()
@command
def show(
    here: Context,
    grade: Annotated[str, typer.Option("--grade", metavar="G", help="1-12, staff, guest, ...")],
    json: JsonOption = False,
) -> None:
    """Show what one grade may use, category by category."""
    wanted = grade_from(grade)
    policy = policy_of(here)
    if json:
        here.print_json(_grade_data(policy, policy.grades[wanted]))
    else:
        here.console.print(_grade_table(here.texts, policy, policy.grades[wanted]))


@app.command()
@command
def tree(
    here: Context,
    json: JsonOption = False,
) -> None:
    """Show tiers, their grades and the networks of each."""
    policy = policy_of(here)
    if json:
        here.print_json([_grade_data(policy, grade) for grade in policy.grades.values()])
    else:
        here.console.print(_tree(here.texts, policy))


def _state_of(category: Category, grade: GradePolicy) -> str:
    if category.locked or category.ordered:
        return "locked"
    return "closed" if category.id in grade.closed else "open"


def _grade_data(policy: Policy, grade: GradePolicy) -> dict[str, Any]:
    return {
        "grade": grade.grade,
        "tier": grade.tier,
        "age": grade.age,
        "block_response": grade.response.value,
        "safe_search": grade.safe_search,
        "youtube": grade.youtube,
        "client_ttl_max": grade.client_ttl_max_s,
        "networks": [one.id for one in policy.networks if one.grade == grade.grade],
        "unknown_clients": grade.grade == policy.unknown_grade,
        "categories": {one.id: _state_of(one, grade) for one in policy.categories.values()},
    }


def _grade_table(texts: Texts, policy: Policy, grade: GradePolicy) -> Group:
    title = texts(
        "policy.title",
        grade=grade.grade,
        tier=texts.word("tier", grade.tier),
        age=grade.age,
        response=grade.response.value,
    )
    headings = [(texts("check.category"), False), ("", False), (texts("policy.min_age"), True)]
    table = grid([*headings, (texts("policy.state"), False)])
    for category in policy.categories.values():
        state = _state_of(category, grade)
        name = category.name_vi if texts.language == "vi" else category.name_en
        min_age = "" if category.min_age is None else str(category.min_age)
        shown = Text(texts(f"policy.{state}"), style=_STYLES[state])
        table.add_row(category.id, Text(name, style="dim"), min_age, shown)
    return titled(title, table)


def _tree(texts: Texts, policy: Policy) -> Tree:
    root = Tree(policy.school, highlight=False)
    for tier in TIERS:
        name = (texts.word("tier", tier), "dim")
        branch = root.add(Text.assemble((tier, "bold"), "  ", name))
        for grade in policy.grades.values():
            if grade.tier == tier:
                branch.add(_grade_line(texts, policy, grade))
    return root


def _grade_line(texts: Texts, policy: Policy, grade: GradePolicy) -> Text:
    networks = [one for one in policy.networks if one.grade == grade.grade]
    shown = ", ".join(f"{one.id} {' '.join((*one.cidrs, *one.interfaces))}" for one in networks)
    unknown = texts("policy.unknown") if grade.grade == policy.unknown_grade else ""
    parts = [Text(grade.grade), Text(shown, style="dim"), Text(unknown)]
    return Text("  ").join(part for part in parts if part)
