# SPDX-License-Identifier: Apache-2.0
"""``filterd feed review``: show what needs a decision, and record it.

That are shapes of look-alikes, and names that schools report as listed by mistake.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.text import Text

from filterd.base.errors import ConfigError
from filterd.cli.context import Context, JsonOption, Options, on_named_files, option
from filterd.cli.render import facts
from filterd.feed.families.lookalike_errors import BOUND, RuleKind
from filterd.feed.families.lookalike_families import ACCEPTED, Decision, Waiting
from filterd.feed.families.lookalike_rules import has_mirrors
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.lookalikes import is_shape
from filterd.overrides.changes import change_fields
from filterd.policy import field_checks
from filterd.publish import review as reviews
from filterd.publish.review import (
    DECISIONS,
    REFUSED,
    DecidedMistake,
    MistakeDecision,
    QueuedMistake,
)
from filterd.publish.signed_orders import day_of
from filterd.texts import words
from filterd.texts.counted import number
from filterd.texts.i18n import Sentence, did_you_mean, say

if TYPE_CHECKING:
    from filterd.feed.families.lookalike_errors import KindErrors

_NOTHING, _WAITS = 0, 1
_MOST_SHOWN = 20


CatalogOption = Annotated[Path, option("--catalog", "The publisher's blocklists folder.", "DIR")]


class ReviewRequest(NamedTuple):
    """The options of a decision: what to accept and refuse, category, reviewer, reason.

    ``mistakes`` are reported names, each with its decision.
    """

    accept: tuple[str, ...]
    refuse: tuple[str, ...]
    mistakes: tuple[tuple[str, MistakeDecision], ...]
    category: str | None
    who: str | None
    reason: str


def _asked(
    accept: Annotated[
        list[str] | None,
        option("--accept", "Accept this shape as a rule; can be repeated.", "SHAPE"),
    ] = None,
    refuse: Annotated[
        list[str] | None,
        option("--refuse", "Refuse this shape for good; can be repeated.", "SHAPE"),
    ] = None,
    accept_mistake: Annotated[
        list[str] | None,
        option("--accept-mistake", "Leave this name out of the next builds.", "NAME"),
    ] = None,
    refuse_mistake: Annotated[
        list[str] | None,
        option("--refuse-mistake", "Keep this name listed; schools see the reason.", "NAME"),
    ] = None,
    category: Annotated[str | None, option("--category", "Only this category.", "ID")] = None,
    reason: Annotated[str, option("--reason", "Reason, kept with the decision.", "TEXT")] = "",
    who: Annotated[
        str | None,
        option("--who", "Name of the person who decides (default: the logged-in user).", "NAME"),
    ] = None,
) -> ReviewRequest:
    """Return the decision of the options."""
    mistakes = (
        *((one, MistakeDecision.ACCEPT) for one in accept_mistake or ()),
        *((one, MistakeDecision.REFUSE) for one in refuse_mistake or ()),
    )
    shapes = tuple(accept or ()), tuple(refuse or ())
    return ReviewRequest(*shapes, mistakes, category, who, reason)


@on_named_files
def review(
    here: Context,
    catalog: CatalogOption,
    asked: Annotated[ReviewRequest, Options(_asked)],
    decided: Annotated[bool, option("--decided", "Show past decisions instead.")] = False,
    everything: Annotated[bool, option("--all", "Show all that waits.")] = False,
    json: JsonOption = False,
) -> None:
    """Review look-alike rules and reported mistakes that wait for a decision.

    A shape such as i9bet# stands for names that differ in digits only. Most take effect by
    themselves; a shape waits where it matches a popular name, or is too short to be sure. The
    next `feed build` follows the decisions, and does not ask again. A rule in effect can be
    refused, too, with its category. A mistake that schools report (`feed mistakes`) is accepted
    or refused: once accepted, entries of other publishers for that very name are left out for
    180 days. Schools see the outcome and its reason for 90 days. Exit code 0: nothing waits, or
    it is decided; 1: something waits; 2: an error, nothing is decided.
    """
    has_shapes = bool(asked.accept or asked.refuse)
    if asked.mistakes and has_shapes:
        raise ConfigError(
            say("shapes and mistakes need reasons of their own"),
            hint=say("decide on them one after the other"),
        )
    if (asked.mistakes or has_shapes) and not asked.reason.strip():
        raise ConfigError(
            say("a decision needs a reason"),
            hint=say("--reason 'what was found about these names'"),
        )
    if asked.mistakes:
        _decide_mistakes(here, catalog, asked, json=json)
    elif has_shapes:
        _decide(here, catalog, asked, json=json)
    elif decided:
        _show_decided(here, catalog, asked.category, json=json)
    else:
        _show(here, catalog, asked.category, everything=everything, json=json)


def _show(
    here: Context, catalog: Path, category: str | None, *, everything: bool, json: bool
) -> None:
    """Show waiting shapes, the largest family first; exit with 1 where there are any."""
    load_catalog(catalog)  # refuse a folder without a catalogue
    if not json:
        found = reviews.read_errors(catalog)
        _print_errors(here, [one for one in found if category in (None, one.category)])
    waiting = [one for one in reviews.read_queue(catalog) if category in (None, one.category)]
    mistakes = reviews.read_mistakes(catalog, day_of(here.clock.wall()))
    if json:
        here.print_json([_plain(one) for one in waiting])
    elif not waiting and not mistakes:
        here.print(say("Nothing waits for a decision."))
    elif waiting:
        decide = say(
            "To decide: feed review --catalog DIR --accept SHAPE --refuse SHAPE --reason TEXT"
        )
        _print_waiting(here, waiting, _print, decide, everything=everything)
    if not json:
        print_mistakes(here, mistakes, everything=everything)
    raise typer.Exit(_WAITS if waiting or mistakes else _NOTHING)


_KINDS = {
    RuleKind.FAMILY: say("families, everywhere"),
    RuleKind.FORM: say("forms, everywhere"),
    RuleKind.NEAR_FAMILY: say("short families, where no school stands"),
    RuleKind.NEAR_FORM: say("letters with a number, where no school stands"),
    RuleKind.NEAR_LABEL: say("the same label, where no school stands"),
}


def _print_errors(here: Context, found: Sequence[KindErrors]) -> None:
    """Print how often rules in force close names that they were not made with."""
    texts = here.texts
    rows = [
        (
            f"{one.category}, {texts(_KINDS[one.kind])}",
            texts(
                "{rules} rules; {certain} of {of_certain} schools and chosen names, {ranked} of"
                " {of_ranked} others",
                rules=number(one.rules),
                certain=number(one.certain),
                of_certain=number(one.of_certain),
                ranked=number(one.ranked),
                of_ranked=number(one.of_ranked),
            )
            + (f": {_joined(one.names)}" if one.names else ""),
        )
        for one in found
        if one.rules
    ]
    if rows:
        here.print(
            say(
                "Rules in force, and names that they would close if half of the known names were"
                " not known; of schools and chosen names at most 1 of {bound}:",
                bound=number(BOUND),
            )
        )
        here.console.print(facts(rows))
        here.console.print()


def print_mistakes(here: Context, waiting: Sequence[QueuedMistake], *, everything: bool) -> None:
    """Print the names that schools report, those of the most schools first."""
    decide = say(
        "To decide: feed review --catalog DIR --accept-mistake NAME --refuse-mistake NAME"
        " --reason TEXT"
    )
    _print_waiting(here, waiting, _print_mistake, decide, everything=everything)


def _print_waiting(
    here: Context,
    waiting: Sequence[Any],
    draw: Callable[[Context, Any], None],
    decide: Sentence,
    *,
    everything: bool,
) -> None:
    """Print what waits, the first of many only, and how to decide on it."""
    shown = waiting if everything else waiting[:_MOST_SHOWN]
    for one in shown:
        draw(here, one)
        here.console.print()
    if left := len(waiting) - len(shown):
        here.print(say("... and {n} more (--all)", n=number(left)))
    if waiting:
        here.print(decide, "dim")


def _print_mistake(here: Context, mistake: QueuedMistake) -> None:
    texts = here.texts
    _print_heading(here, mistake.name, _joined(mistake.categories))
    listed = (
        "" if mistake.listed is None else _joined(mistake.listed) or texts("on no list any more")
    )
    votes = texts(
        "{votes} (enrolled schools: {enrolled}, other senders: {others})",
        votes=number(mistake.votes),
        enrolled=number(mistake.enrolled),
        others=number(mistake.schools - mistake.enrolled),
    )
    rows = [
        (texts("Votes"), votes),
        (texts("Since"), mistake.since),
        (texts("Domain"), mistake.domain),
        (texts("Seen at schools"), _joined(mistake.entries)),
        (texts("In the last build"), listed),
        (texts("Why"), "\n".join(mistake.reasons)),
    ]
    here.console.print(facts(rows))


def _decide_mistakes(here: Context, catalog: Path, asked: ReviewRequest, *, json: bool) -> None:
    """Record the decisions on all these names, or on none if one is wrong."""
    load_catalog(catalog)
    today = day_of(here.clock.wall())
    known = {mistake.name for mistake in reviews.read_mistakes(catalog, today)}
    known |= {one.name for one in reviews.read_decided(catalog)}
    who, why = asked.who or _who(), change_fields.reason(asked.reason, required=True)
    decisions = {}
    for text, decision in asked.mistakes:
        name = field_checks.name(text)
        if name in decisions:
            raise ConfigError(
                say("{name} is given twice", name=name),
                hint=say("accept it or refuse it, not both"),
            )
        if name not in known:
            raise ConfigError(
                say("no school reports {name}", name=name),
                hint=did_you_mean(name, sorted(known)[:_MOST_SHOWN]),
            )
        decisions[name] = DecidedMistake(name=name, decision=decision, who=who, why=why, on=today)
    reviews.decide_mistakes(catalog, *decisions.values())
    if json:
        here.print_json([one.model_dump(mode="json") for one in decisions.values()])
        return
    for one in decisions.values():
        here.console.print(f"{one.name}: {here.texts.word(words.DECISION, one.decision.value)}")
    here.print(
        say("Written to {file}; the next `feed build` uses it.", file=reviews.MISTAKE_DECISIONS)
    )


def _show_decided(here: Context, catalog: Path, category: str | None, *, json: bool) -> None:
    """Show the decisions with reviewer and reason."""
    load_catalog(catalog)
    decisions = [
        decision
        for decision in reviews.read_decisions(catalog)
        if category in (None, decision.category)
    ]
    if json:
        here.print_json([_plain(decision) for decision in decisions])
        return
    mistakes = reviews.read_decided(catalog) if category is None else ()
    if not decisions and not mistakes:
        here.print(say("Nothing has been decided."))
    for decision in decisions:
        _print_heading(here, decision.shape.decode(), decision.category)
        _print_decision(here, decision.decision, decision.who, decision.on, decision.why)
    for name in mistakes:
        here.console.print(Text(name.name, style="bold"))
        _print_decision(here, name.decision.value, name.who, name.on, name.why)


def _print_decision(here: Context, decision: str, who: str, on: str, why: str) -> None:
    texts = here.texts
    rows = [
        (texts("Decision"), texts.word(words.DECISION, decision)),
        (texts("Who"), f"{who}, {on}"),
        (texts("Why"), why),
    ]
    here.console.print(facts(rows))


def _decide(here: Context, catalog: Path, asked: ReviewRequest, *, json: bool) -> None:
    """Record the decisions on all these shapes, or on none if one is wrong."""
    both = [*((one, ACCEPTED) for one in asked.accept), *((one, REFUSED) for one in asked.refuse)]
    if len({shape for shape, _ in both}) < len(both):
        raise ConfigError(
            say("a shape is given twice"), hint=say("accept it or refuse it, not both")
        )
    load_catalog(catalog)
    known = {(one.shape, one.category): one.digits for one in reviews.read_decisions(catalog)}
    known |= {(one.shape, one.category): one.digits for one in reviews.read_queue(catalog)}
    who, today = asked.who or _who(), day_of(here.clock.wall())
    decisions = []
    for shape, decision in both:
        category, digits = _meant(catalog, shape, decision, asked.category, known)
        said = (decision, who, asked.reason.strip(), today)
        decisions.append(Decision(shape.encode(), category, digits, *said))
    reviews.decide(catalog, *decisions)
    if json:
        here.print_json([_plain(one) for one in decisions])
        return
    for one in decisions:
        decided = here.texts.word(words.DECISION, one.decision)
        here.console.print(f"{one.shape.decode()} ({one.category}): {decided}")
    here.print(say("Written to {file}; the next `feed build` uses it.", file=DECISIONS))


def _meant(
    catalog: Path,
    shape: str,
    decision: str,
    category: str | None,
    known: dict[tuple[bytes, str], int],
) -> tuple[str, int]:
    """Return which category a shape is of, and its digits.

    Raises:
        ConfigError: it waits nowhere, or in several categories.
    """
    found = {of: digits for (one, of), digits in known.items() if one == shape.encode()}
    if category is not None and category not in found and decision == REFUSED:
        return _of_category(catalog, shape, category), 1
    meant = [of for of in found if category in (None, of)]
    if len(meant) > 1:
        raise ConfigError(
            say("'{shape}' is waiting in several categories", shape=shape),
            hint=say(
                "choose one: {known}",
                known=", ".join(f"--category {one}" for one in meant),
            ),
        )
    if not meant:
        shapes = [one.decode() for one, of in known if category in (None, of)]
        raise ConfigError(
            say("'{shape}' is not waiting for a decision", shape=shape),
            hint=did_you_mean(shape, shapes[:_MOST_SHOWN]),
        )
    return meant[0], found[meant[0]]


def _of_category(catalog: Path, shape: str, category: str) -> str:
    """Return a category whose rule is to be refused although it does not wait.

    Raises:
        ConfigError: it is none that has rules, or this is no shape.
    """
    known = [one.id for one in load_catalog(catalog).categories if has_mirrors(one)]
    if category not in known:
        raise ConfigError(
            say("the category '{word}' has no such rules", word=category),
            hint=did_you_mean(category, known),
        )
    if not is_shape(shape):
        raise ConfigError(
            say("'{value}' is not a shape of a label", value=shape),
            hint=say("such as i9bet#: letters and digits, # for a run of digits"),
        )
    return category


def _who() -> str:
    """Return the login name of the reviewer, through ``sudo`` too."""
    if os.geteuid() == 0 and (name := os.environ.get("SUDO_USER")):
        return name
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid-{os.geteuid()}"


def _print(here: Context, waiting: Waiting) -> None:
    texts = here.texts
    _print_heading(here, waiting.shape.decode(), waiting.category)
    unsaid = texts("no popular name is known to match; too few names to be sure")
    closes = Text(_joined(waiting.closes), style="yellow") if waiting.closes else unsaid
    rows = [
        (texts("Listed names"), number(waiting.members)),
        (texts("Such as"), _joined(waiting.examples)),
        (texts("Would close"), closes),
    ]
    here.console.print(facts(rows))


def _print_heading(here: Context, shape: str, category: str) -> None:
    heading = Text(shape, style="bold")
    here.console.print(heading.append(f"  {category}", style="default"))


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names)


def _plain(one: Waiting | Decision) -> dict[str, Any]:
    plain = one._asdict() | {"shape": one.shape.decode("ascii")}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}
