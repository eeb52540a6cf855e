# SPDX-License-Identifier: Apache-2.0
"""``filterd policy diff``: where grades differ from the shipped tiers, each other, or before."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, NamedTuple

import typer

from filterd.base.errors import ConfigError
from filterd.cli import offline_site
from filterd.cli.context import Context, JsonOption, option
from filterd.cli.effective_state import policy_in_force, send_or_none, set_at, set_now
from filterd.cli.offline_site import read_site
from filterd.cli.policy.policy_settings import versions
from filterd.cli.render import show
from filterd.cli.school_clock import school_clock
from filterd.config.compile import compile_policy
from filterd.config.site_reader import shipped_tiers
from filterd.operations.parameters.time import read_time
from filterd.operations.policy import ReadPolicy
from filterd.overrides.target_text import grade_from
from filterd.policy import policy_file as policy_store
from filterd.policy.effective_policy import at
from filterd.policy.grade_rows import Difference, difference_listing, differences, rule_differences
from filterd.policy.model import GRADES, Policy
from filterd.policy.temporary_rules import Overrides
from filterd.texts.i18n import say

_SAME, _DIFFERENT = 0, 1
_NOW = "now"
_SHORTEST_DIGEST = 4
_OWN = ("grades", "keep_closed")
"""Keys of ``site.yaml`` by which grades differ from their tiers."""


class _Compared(NamedTuple):
    """Differences, each with the grades that have it, and the headings of both sides."""

    left: str
    right: str
    found: dict[Difference, list[str]]


def diff(
    here: Context,
    grade: Annotated[
        str | None, option("--grade", "Only this grade (default: all).", "GRADE")
    ] = None,
    between: Annotated[
        tuple[str, str] | None,
        option("--between", "Compare two grades with each other.", "GRADE GRADE"),
    ] = None,
    over_time: Annotated[
        tuple[str, str] | None,
        option(
            "--versions",
            "Compare two versions: a digest of `policy history`, a time, or now.",
            "VERSION VERSION",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show differences in what grades may use.

    Compares with the tiers that ship, unless two grades or two versions are named. Settings of
    grades made by commands count; exceptions and schedules do not. Exit code 0: nothing
    differs; 1: something does; 2: an error.
    """
    if between is not None and (over_time is not None or grade is not None):
        raise ConfigError(
            say("--between cannot be combined"), hint=say("leave out --grade and --versions")
        )
    wanted = GRADES if grade is None else (grade_from(grade),)
    if between is not None:
        compared = _between(here, grade_from(between[0]), grade_from(between[1]))
    elif over_time is not None:
        left, right = (_version(here, one) for one in over_time)
        compared = _compare(*over_time, left, right, wanted)
        for one in rule_differences(left, right) if grade is None else ():
            compared.found[one] = []
    else:
        names = here.texts("as it ships"), here.texts("here")
        compared = _compare(*names, _shipped(here), _now(here), wanted)
    rows = [{**one._asdict(), "grades": grades} for one, grades in compared.found.items()]
    show(here, difference_listing(compared.left, compared.right), rows, json=json)
    raise typer.Exit(_DIFFERENT if compared.found else _SAME)


def _compare(
    left: str, right: str, before: Policy, after: Policy, wanted: tuple[str, ...]
) -> _Compared:
    found: dict[Difference, list[str]] = {}
    for grade in wanted:
        for difference in differences(before, before.grades[grade], after, after.grades[grade]):
            found.setdefault(difference, []).append(grade)
    return _Compared(left, right, found)


def _between(here: Context, grade: str, other: str) -> _Compared:
    policy = _now(here)
    found = differences(policy, policy.grades[grade], policy, policy.grades[other])
    return _Compared(grade, other, {one: [grade, other] for one in found})


def _now(here: Context) -> Policy:
    return _settled(policy_in_force(here), set_now(here), here.clock.wall())


def _settled(policy: Policy, overrides: Overrides, now: float) -> Policy:
    """Return a policy with what commands have set for grades, and nothing that is for a time."""
    timeless = replace(policy, scheduled=())
    return at(timeless, Overrides(grades=overrides.grades), now).policy


def _shipped(here: Context) -> Policy:
    """Return the site's policy with the tiers that ship, and without its own grades."""
    sources, catalog = read_site(here)
    fields = type(sources.file).model_fields
    nothing = {key: fields[key].get_default(call_default_factory=True) for key in _OWN}
    plain = sources.file.model_copy(update=nothing)
    return compile_policy(replace(sources, tiers=shipped_tiers(), file=plain), catalog)


def _version(here: Context, text: str) -> Policy:
    """Return the policy of a version that the operator named.

    Raises:
        ConfigError: it is none, or not kept any more.
    """
    if text == _NOW:
        return _now(here)
    kept = versions(here)
    found = [one["digest"] for one in kept if one["digest"].startswith(text.lower())]
    if len(text) >= _SHORTEST_DIGEST and found:
        return _past_policy(here, found[0])
    clock = school_clock(here)
    try:
        when = read_time(clock, text, past=True)
    except ConfigError:
        hint = say("a digest of `filterd policy history`, a time such as 2026-12-01T07:30, or now")
        raise ConfigError(say("'{text}' is not a version", text=text), hint=hint) from None
    digest = next((one["digest"] for one in kept if one["activated_at"] <= when), None)
    overrides = None if digest is None else set_at(here, when)
    if digest is None or overrides is None:
        hint = say("see `filterd policy history`")
        unknown = say("the policy of {time} is not known", time=clock.text(when))
        raise ConfigError(unknown, hint=hint)
    return _settled(_past_policy(here, digest), overrides, when)


def _past_policy(here: Context, digest: str) -> Policy:
    """Return a policy that was in force.

    Raises:
        FilterdError: it cannot be read, from the daemon or from the disk.
    """
    text = send_or_none(here, ReadPolicy(digest=digest))
    if text is None:
        return offline_site.versions(here).load(digest)
    return policy_store.parse(text.encode(), digest)
