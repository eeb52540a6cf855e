# SPDX-License-Identifier: Apache-2.0
"""``filterd doctor``: examine this gateway, and give each fault one remedy."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from filterd.appliance.doctor.bypass_probes import link_passages
from filterd.appliance.doctor.examination import ABOUT, HEALTH, LINKS, PROBES, examine
from filterd.appliance.doctor.examined_site import gather
from filterd.appliance.doctor.probe import ExaminedSite, ProbeOutcome
from filterd.base.errors import FilterdError
from filterd.base.privileges import as_owner_of
from filterd.cli.context import Context, JsonOption, on_named_files, option
from filterd.daemon.manager.status_files import LINKS as LINK_RULES
from filterd.daemon.manager.status_files import LinkRules
from filterd.texts.i18n import say_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.appliance.doctor.examination import SiteProbe
    from filterd.appliance.doctor.probe import ProbeFinding

_OUTCOME = {
    ProbeOutcome.FOUND: (say_in("finding", "found"), "bold red"),
    ProbeOutcome.CLEAN: (say_in("finding", "clean"), "green"),
    ProbeOutcome.UNSEEN: (say_in("finding", "unseen"), "yellow"),
}
_WIDEST_OUTCOME = 9


@on_named_files  # raw sockets are root's; what lies in the state folder is read as its owner
def doctor(
    here: Context,
    health: Annotated[
        bool,
        option("--health", "Check only whether filterd answers and blocks, for a health check."),
    ] = False,
    links: Annotated[
        bool,
        option(
            "--links",
            "Only look at the firewall of each link, and keep what is seen for the status.",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Find what is wrong with this gateway and its network.

    It looks at filterd, the machine, DHCP, IPv6 and the ways past filterd, in at most 20 seconds,
    and changes nothing. Some of it only root can see (sudo): what root sees of the firewall is kept
    for the status. Exit code 0: no fault was found; 1: some were, or with --health filterd does
    not answer; 2: an error.
    """
    logging.disable()  # what fails is a finding
    with as_owner_of(here.state.folder):
        site = gather(here.config, here.state, here.clock, is_of_health=health)
    probes = HEALTH if health else LINKS if links else PROBES
    findings = asyncio.run(_examined(here, site, probes, json=json))
    if not health and os.geteuid() == 0:
        _note_links(here, site)
    counts = Counter(finding.outcome for finding in findings)
    if json:
        here.print_json([finding.to_plain() for finding in findings])
    else:
        here.console.print(_closing(here, counts))
    is_silent = health and not _answers(findings)
    raise typer.Exit(1 if counts[ProbeOutcome.FOUND] or is_silent else 0)


def _note_links(here: Context, site: ExaminedSite) -> None:
    """Keep which links let pupils reach other resolvers, which only root can see."""
    with contextlib.suppress(FilterdError, OSError):
        passages = link_passages(site)
        with as_owner_of(here.state.folder):
            LINK_RULES.save(here.state.link_rules, LinkRules(here.clock.wall(), passages))


def _answers(findings: list[ProbeFinding]) -> bool:
    """Return whether filterd was seen to answer; what cannot be asked does not."""
    return any(
        finding.probe == "answers" and finding.outcome is ProbeOutcome.CLEAN for finding in findings
    )


async def _examined(
    here: Context, site: ExaminedSite, probes: Sequence[SiteProbe], *, json: bool
) -> list[ProbeFinding]:
    findings = []
    async for finding in examine(site, probes):
        findings.append(finding)
        if not json:
            here.console.print(_drawn(here, finding))
    return findings


def _drawn(here: Context, finding: ProbeFinding) -> Table:
    """Return the lines of a finding: outcome, subject and text, and the remedy below."""
    word, style = _OUTCOME[finding.outcome]
    text = here.texts(finding.text)
    if finding.outcome is ProbeOutcome.UNSEEN:
        text = here.texts("cannot be seen from here, because: {reason}", reason=finding.text)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(width=_WIDEST_OUTCOME, no_wrap=True)
    table.add_column(overflow="fold")
    about = Text.assemble((here.texts(ABOUT[finding.probe]), "bold"), ": ", text)
    table.add_row(Text(here.texts(word), style=style), about)
    if finding.remedy is not None:
        table.add_row("", here.texts("What to do: {remedy}", remedy=finding.remedy))
    return table


def _closing(here: Context, counts: Counter[ProbeOutcome]) -> str:
    return here.texts(
        "{found} found, {clean} clean, {unseen} cannot be seen from here",
        found=counts[ProbeOutcome.FOUND],
        clean=counts[ProbeOutcome.CLEAN],
        unseen=counts[ProbeOutcome.UNSEEN],
    )
