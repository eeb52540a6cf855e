# SPDX-License-Identifier: Apache-2.0
"""``filterd policy``: check the site's files, and see what each grade may use."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer
from rich.text import Text
from rich.tree import Tree

from filterd.base.errors import ConfigError, FilterdError, StoreError
from filterd.base.paths import shipped
from filterd.cli.context import Context, JsonOption, Options, argument, on_named_files, option
from filterd.cli.effective_state import policy_of_files, read_or_send, set_now
from filterd.cli.offline_site import open_index, policy_of, read_site
from filterd.cli.render import details, facts, listed, titled
from filterd.cli.school_clock import school_clock, wording_of
from filterd.cli.target_options import needed, seat
from filterd.config.build_record import SITE_FILE
from filterd.config.compile import compile_policy, warnings
from filterd.config.expectation_files import load_expectations
from filterd.config.site_reader import load_site
from filterd.documents import yaml_reader
from filterd.operations.policy import TestExpectations
from filterd.overrides.descriptions import Describer
from filterd.overrides.override_rows import set_for
from filterd.overrides.target_text import policy_for
from filterd.policy import policy_file
from filterd.policy.grade_rows import (
    CATEGORIES,
    GRADE,
    NETWORKS,
    SERVICE_GROUPS,
    SERVICES,
    category_rows,
    grade_row,
    network_rows,
    service_group_rows,
    service_row,
)
from filterd.policy.model import TIERS, Expectation, Policy
from filterd.resolve.expectation_checks import check, held, known_to_fail, outranked
from filterd.resolve.site import Site
from filterd.texts import counted, words
from filterd.texts.i18n import from_plain, refused, say, say_n
from filterd.texts.i18n import translated as in_language


def validate(
    here: Context,
    json: JsonOption = False,
) -> None:
    """Check site.yaml and the tier files.

    Shows every problem with file, line and column, and warns of valid lines that may be
    mistakes. Where there are compiled lists, expectations count as in a reload. Exit code 0:
    valid; 2: not valid.
    """
    sources, catalog = read_site(here)
    policy = compile_policy(sources, catalog)
    doubtful = [*warnings(sources, policy, here.clock.wall()), *_judged_by_lists(here, policy)]
    grades = sum(not grade.class_id for grade in policy.grades.values())
    summary = {
        "path": str(here.config),
        "networks": len(policy.networks),
        "grades": grades,
        "rules": len(policy.rules),
    }
    if json:
        here.print_json({"valid": True, **summary, "warnings": [str(one) for one in doubtful]})
    else:
        for one in doubtful:
            here.warn(say("warning: {warning}", warning=one.translated(here.texts.language)))
        here.print(
            say(
                "{path}: valid. {networks}, {grades}, {rules}.",
                path=summary["path"],
                networks=counted.networks(len(policy.networks)),
                grades=counted.grades(grades),
                rules=counted.own_rules(len(policy.rules)),
            ),
            "green",
            whole=True,
        )


def _judged_by_lists(here: Context, policy: Policy) -> list[ConfigError]:
    """Return warnings that need the compiled lists, none where there are no lists.

    Raises:
        ConfigErrors: expectations for which a reload would refuse the files.
    """
    now = here.clock.wall()
    try:
        index = open_index(here)
    except FilterdError:
        return []
    try:
        last_good = Site.of(policy_file.load(here.state.policy), index, (), now=now)
        known = known_to_fail(last_good, now)
    except FilterdError:  # the first start; or this user may not read it
        known = frozenset()
    site = Site.of(policy, index, (), now=now)
    unmet = check(site, now, known=known)
    return [*outranked(site, now), *(one.error() for one in unmet if not one.yields)]


def show(
    here: Context,
    whom: Annotated[str | None, Options(seat)],
    everything: Annotated[
        bool, option("--all", "List each service, not only how many are open.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show what one grade or class may use: categories, services, safe search.

    These are the settings of the site's files; settings made by commands are shown beside them.
    Exit code 0: shown; 2: an error.
    """
    policy = policy_of_files(here)
    wanted = policy_for(policy, needed(whom))
    set_over = list(set_for(wanted, set_now(here), here.clock.wall()))
    row = grade_row(policy, wanted)
    if json:
        plain = [{"of": kind, **thing} for kind, thing in set_over]
        here.print_json({**row, "set": plain})
        return
    describer = Describer(here.texts, school_clock(here))
    here.console.print(details(describer, GRADE, row))
    here.console.print(listed(describer, CATEGORIES, category_rows(policy, wanted)))
    if everything:
        services = [service_row(policy, wanted, service) for service in policy.services.values()]
        here.console.print(listed(describer, SERVICES, services))
    else:
        here.console.print(listed(describer, SERVICE_GROUPS, service_group_rows(policy, wanted)))
    if set_over:
        rows = [(str(thing["id"]), describer.thing(kind, thing)) for kind, thing in set_over]
        here.console.print(titled(here.texts("Set by command"), facts(rows)))


def tree(
    here: Context,
    json: JsonOption = False,
) -> None:
    """Show tiers, their grades and the networks of each.

    Exit code 0: shown; 2: an error.
    """
    policy = policy_of_files(here)
    if json:
        here.print_json([grade_row(policy, grade) for grade in policy.grades.values()])
        return
    wording, rows = wording_of(here), network_rows(policy)
    root = Tree(policy.school, highlight=False)
    for tier in TIERS:
        name = (here.texts.word(words.TIER, tier), "dim")
        branch = root.add(Text.assemble((tier, "bold"), "  ", name))
        for row in rows:
            if row["tier"] == tier:
                cells = [Text(*one.cell(row, wording)) for one in NETWORKS]
                branch.add(Text("  ").join(cell for cell in cells if cell))
    here.console.print(root)


@on_named_files
def init(
    here: Context,
    folder: Annotated[Path, argument("DIR", "The folder to make.")],
) -> None:
    """Copy the sample site and the tier files to DIR.

    Comments, and the language of the site, are those of --lang. Files that exist are kept, such
    as the site.yaml that the installer makes. Exit code 0: done; 2: an error.
    """
    sample = shipped("policies")
    files = [one.relative_to(sample) for one in sorted(sample.rglob("*")) if one.is_file()]
    kept = [one for one in files if (folder / one).exists()]
    try:
        for file in files:
            if file not in kept:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                text = (sample / file).read_text(encoding="utf-8")
                if file.suffix == ".yaml":
                    text = yaml_reader.in_language(text, here.texts.language)
                (folder / file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(
            say("{folder}: cannot be made: {why}", folder=folder, why=refused(error))
        ) from error
    if kept:
        names = ", ".join(map(str, kept))
        here.print(say("Kept as they are: {files}", files=names))
    here.print(
        say(
            "{path} is ready. Edit {site}, then run: filterd policy validate --config {path}",
            path=quote(str(folder)),
            site=folder / SITE_FILE,
        ),
        whole=True,
    )  # a command in it is there to be copied


_MET, _UNMET = 0, 1


def hold(
    here: Context,
    files: Annotated[
        list[Path] | None,
        argument(
            "FILE",
            "YAML file of expectations (default: those that a reload uses).",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Test the policy against expectations.

    Checks the site's files with the compiled lists. A reload uses expectations/ of the site
    and, for each tier without a file there, the one that ships. Settings made by commands do
    not count, and schedules only where an expectation names a time. Exit code 0: all are met;
    1: some are not; 2: an error.
    """
    wanted = _expected(here, files) if files else None
    answer = read_or_send(here, lambda: _held(here, wanted), TestExpectations(wanted=wanted))
    found = answer["unmet"]
    sentences = [from_plain(one.pop("sentence")) for one in found]
    wrong = [one for one in found if not one["yields"]]
    if json:
        here.print_json(answer)
    else:
        for one, sentence in zip(found, sentences, strict=True):
            style = "yellow" if one["yields"] else "red"
            line = Text(in_language(sentence, here.texts.language), style=style)
            here.console.print(line, soft_wrap=True)
        n = answer["expectations"]
        outcome = say_n("The expectation is met.", "All {n} expectations are met.", n)
        if wrong:
            outcome = say_n(
                "{unmet} of {n} expectation is not met.",
                "{unmet} of {n} expectations are not met.",
                n,
                unmet=len(wrong),
            )
        here.print(outcome, "" if wrong else "green")
    raise typer.Exit(_UNMET if wrong else _MET)


def _expected(here: Context, files: list[Path]) -> tuple[Expectation, ...]:
    """Return the expectations of files.

    Raises:
        ConfigErrors: all that is wrong with them, or with the site's.
    """
    site = load_site(here.config).file
    return load_expectations(files, site.time_zone, site.networks, site.classes)


def _held(here: Context, wanted: tuple[Expectation, ...] | None) -> dict[str, Any]:
    """Test the site's files against expectations.

    Raises:
        FilterdError: they are wrong, or the lists cannot be read.
    """
    now, index = here.clock.wall(), open_index(here)
    return held(Site.of(policy_of(here), index, (), now=now), wanted, now)
