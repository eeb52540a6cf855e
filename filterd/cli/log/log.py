# SPDX-License-Identifier: Apache-2.0
"""``filterd log totals``, ``help``, ``level``, ``confirm``: what is counted, what is kept."""

from __future__ import annotations

from typing import Annotated, Any

from filterd.base.errors import ConfigError
from filterd.base.state_file import to_plain
from filterd.cli.change_request import made_of, print_change
from filterd.cli.context import Context, JsonOption, Options, ReasonOption, argument, option
from filterd.cli.effective_state import in_force, policy_clock, send_else
from filterd.cli.render import listed, show
from filterd.cli.school_clock import school_clock, wording_of
from filterd.cli.target_options import seat
from filterd.operations.log_levels import ChangeLogLevel, ConfirmLogLevel, ReadLogLevels
from filterd.operations.parameters.term import TermWords
from filterd.operations.totals import ReadHelpSought, ReadTotals
from filterd.overrides import current_rows
from filterd.overrides.current_rows import LEVELS, waiting_sentence
from filterd.overrides.descriptions import Describer
from filterd.overrides.target_text import tier_from
from filterd.policy.field_checks import is_a_grade
from filterd.policy.log_levels import LogLevel
from filterd.querylog import MOST_DAYS
from filterd.querylog.querylog_rows import HELP, KNOWN, OFFERS, summaries, too_small
from filterd.texts import words
from filterd.texts.i18n import say
from filterd.texts.rows import Wording

_USUAL_DAYS = 7


def within(
    tier: Annotated[str | None, option("--tier", "Only this tier: primary, ...", "TIER")] = None,
    network: Annotated[str | None, option("--network", "Only this network.", "ID")] = None,
) -> tuple[str, str]:
    """Return the tier and the network; empty for all."""
    return tier_from(tier) if tier else "", network or ""


def apart(
    hours: Annotated[bool, option("--hours", "Count each hour for itself.")] = False,
    classes: Annotated[bool, option("--classes", "Count each class for itself.")] = False,
    networks: Annotated[bool, option("--networks", "Count each network for itself.")] = False,
) -> tuple[bool, bool, bool]:
    """Return whether hours, classes and networks are counted each for itself."""
    return hours, classes, networks


def totals(
    here: Context,
    whom: Annotated[str | None, Options(seat)],
    only: Annotated[tuple[str, str], Options(within)],
    each: Annotated[tuple[bool, bool, bool], Options(apart)],
    days: Annotated[
        int | None,
        option(
            "--days",
            "Number of days, with today (default: 7; of classes only today).",
            "N",
            min=1,
            max=MOST_DAYS,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show numbers of answers by day and by grade, and of blocks by category.

    Totals only, without names. A teacher sees own classes today; all classes and networks are
    for administrators. Self-harm is counted for the whole school only. Exit
    code 0: shown; 2: an error.
    """
    is_class = whom is not None and not is_a_grade(whom)
    (tier, network), (by_hour, by_class, by_network) = only, each
    if days is None:  # a teacher sees classes of today only
        days = 1 if is_class or by_class else _USUAL_DAYS
    asked = ReadTotals(
        days=days,
        tier=tier,
        grade="" if is_class else whom or "",
        class_=whom or "" if is_class else "",
        network=network,
        by_hour=by_hour,
        by_class=by_class,
        by_network=by_network,
    )
    answer = here.send(asked)
    if json:
        here.print_json(answer)
    elif not answer:
        here.print(say("Nothing has been counted."))
    else:
        wording = wording_of(here)
        for listing, rows in summaries(answer, days):
            here.console.print(listed(wording, listing, rows))
    tiers = () if json else levels_now(here)["tiers"]
    if off := [here.texts.word(words.TIER, one["tier"]) for one in tiers if one["level"] == "off"]:
        tiers = ", ".join(off)
        here.console.print(here.texts(KNOWN["off"], tiers=tiers), style="dim")


def help_(
    here: Context,
    asked: ReadHelpSought,
    json: JsonOption = False,
) -> None:
    """Show whether anybody asked for self-harm in a month: yes or no.

    For the principal of a school of 100 devices or more, beside what the line 111 offers; never
    who, when or how often. Each look is in the history. Exit code 0: shown; 2: an error.
    """
    answer = here.send(asked)
    if json:
        here.print_json(to_plain(answer))
        return
    if answer.answers is None:
        here.print(too_small(answer.least_devices))
    else:
        here.console.print(listed(wording_of(here), HELP, to_plain(answer.answers)))
    here.print(OFFERS)


def level(
    here: Context,
    level: Annotated[
        str | None,
        argument("LEVEL", "off, counts, names, blocked or full (default: show the levels)."),
    ] = None,
    tier: Annotated[
        str | None, option("--tier", "For this tier: primary, ... (default: all tiers).", "TIER")
    ] = None,
    for_: Annotated[str | None, option("--for", "Length: 1 day, 3d, 1 week.", "TIME")] = None,
    until: Annotated[
        str | None, option("--until", "Until 17h, or the end of 20/12/2026.", "TIME")
    ] = None,
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Show or set how much is kept of the lookups of each tier.

    Everyone who may use filterd sees the levels. Administrators set them; a level above that of
    site.yaml needs an end. `full` lasts 7 days at most, and holds once a second person has
    confirmed it (`filterd log confirm`). No level stores an address. Exit code 0: shown or set;
    2: an error.
    """
    if level is None:
        if tier or for_ or until or reason:
            hint = say("such as filterd log level names --tier primary --for 3d")
            raise ConfigError(say("the level is missing"), hint=hint)
        _show_levels(here, json=json)
        return
    clock = school_clock(here)
    term = TermWords(for_=for_, until=until).read(clock, may_be_open=True)
    how_long = {"ends_at": term.ends_at, "for_s": term.for_s}
    asked = ChangeLogLevel(level=level, tier=tier or "", reason=reason, **how_long)
    answer = here.send(asked)
    setting = {"tier": "", "author": "", "confirmed_by": "", **made_of(asked.change[1], answer)}
    setting |= {"id": answer["number"]}
    if level == LogLevel.FULL:
        what = waiting_sentence(setting, Wording(here.texts, clock))
        back = say("Nothing changes until then. To take it back: filterd undo {number}")
        print_change(here, answer, what, json=json, back=back)
    else:
        what = Describer(here.texts, clock).thing("log_settings", setting)
        print_change(here, answer, what, json=json)


def confirm(
    here: Context,
    asked: ConfirmLogLevel,
    json: JsonOption = False,
) -> None:
    """Confirm the level `full` that another person has set.

    The principal or another administrator does so. It holds from then on, until the end that was
    set. Exit code 0: done; 2: an error.
    """
    answer = here.send(asked)
    term = Describer(here.texts, school_clock(here)).term({"ends_at": answer.get("until")})
    what = here.texts("the level full is confirmed {term}", term=term)
    back = say("In force after {ms} ms. An administrator ends it by: filterd undo {number}")
    print_change(here, answer, what, json=json, back=back)


def levels_now(here: Context) -> dict[str, Any]:
    """Return the level of each tier, and what waits for a second person.

    Raises:
        FilterdError: it cannot be read.
    """
    return send_else(here, lambda: current_rows.levels_now(in_force(here)), ReadLogLevels())


def _show_levels(here: Context, *, json: bool) -> None:
    answer = levels_now(here)
    if json:
        here.print_json(answer)
        return
    clock = policy_clock(here)
    show(here, LEVELS, answer["tiers"], clock=clock)
    for one in answer["waiting"]:
        line = waiting_sentence(one, Wording(here.texts, clock))
        here.console.print(line, style="yellow", soft_wrap=not here.console.is_terminal)
