# SPDX-License-Identifier: Apache-2.0
"""Judge how far a gateway protects: the only judge. Pure.

A gateway that filters with less than it should is *partly protected*: a followed list never
came, a category stands on its starter list, a link lets pupils reach other resolvers. One that
lets a listed name pass is *not protected*. Everything that shows whether all is well asks here:
``status``, alerts, ``doctor``, metrics, the inspection record, the first page, the end of a
set-up. So none of them is content where another is not.

The judgement is a line for each subject, by ``protection_facts``. What is not known lowers no
level, and is not called good. Sentences have numbers only, because alerts leave the school;
``items`` are for those who look at the gateway itself.

A new subject is a member of ``ProtectionSubject``, a part of ``ProtectionFacts`` with the line
that reads it, and a function of ``_JUDGES``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from filterd.base.protection_line import (
    JudgedProtection,
    LineState,
    ProtectionLine,
    ProtectionSubject,
    RemedyAct,
)
from filterd.texts import counted
from filterd.texts.i18n import UNSAID, Sentence, say, say_n

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from filterd.base.protection_facts import BypassFacts, FeedFacts, ProtectionFacts

FILLED_CATEGORIES: Final = frozenset(
    (
        *("ads-trackers", "blogs", "crypto", "dating", "drugs", "encrypted-dns", "gambling"),
        *("games", "malware", "piracy", "porn", "proxy-vpn", "scam", "social-media", "streaming"),
        "unsafe-search",
    )
)
"""The categories of which recommended public lists have more than a starter list may: a starter
list alone is too little for them."""
SHIPPED_LISTS: Final = ("starter-", "vn-")
"""How the ids of lists begin that ship: too few names for a category of recommended lists."""
EXPIRES_WITHIN_S = 86_400.0
FIRST_LISTS_S = 86_400.0
"""After so long the first lists should have come."""
UPDATE_WAITS_S, TAKEN_BACK_SHOWN_S = 14 * 86_400.0, 14 * 86_400.0
"""How long a release may wait unnoticed, and how long one that was taken back is shown."""
FREE_OCTETS, FREE_PART = 500_000_000, 10
"""A disk is nearly full below 500 MB, or a tenth of a smaller one."""
BACKUP_FAILS_S = 3 * 86_400.0 - 3600.0
"""Three nights without a backup; one without a stick is no matter."""
LEAST_LOOKUPS, PACE_PART = 200, 10
"""Lookups of the lesson last week that allow a comparison, and the part that is too few."""
BYPASS_BLOCKS = 500
"""Blocked ways around the filter of one day, of grades of which several devices ask for some."""
TUNNEL_SHOWN_S = 3600.0
"""How long after the last question of a tunnel it is shown."""
TIME_WITHIN_S = 900.0
"""A time server that can be reached has answered so long after a start."""


def judge(facts: ProtectionFacts) -> JudgedProtection:
    """Judge what is known of a gateway; each subject has a line at least."""
    return judge_only(ProtectionSubject, facts)


def judge_only(subjects: Iterable[ProtectionSubject], facts: ProtectionFacts) -> JudgedProtection:
    """Judge some subjects only."""
    return JudgedProtection(
        tuple(
            ProtectionLine(subject, *found)
            for subject in subjects
            for found in _JUDGES[subject](facts)
        )
    )


class _Verdict(NamedTuple):
    """A line without its subject."""

    state: LineState
    sentence: Sentence
    remedy: Sentence = UNSAID
    act: RemedyAct = RemedyAct.NONE
    items: tuple[str, ...] = ()
    alert: str = ""


def _good(sentence: Sentence) -> _Verdict:
    return _Verdict(LineState.GOOD, sentence)


def _unseen(sentence: Sentence, remedy: Sentence, act: RemedyAct = RemedyAct.EXAMINE) -> _Verdict:
    return _Verdict(LineState.UNSEEN, sentence, remedy, act)


def _not_known() -> _Verdict:
    return _unseen(say("not known"), _DETAILS)


def _short(
    alert: str,
    sentence: Sentence,
    remedy: Sentence,
    act: RemedyAct = RemedyAct.NONE,
    items: tuple[str, ...] = (),
    state: LineState = LineState.PARTLY,
) -> _Verdict:
    return _Verdict(state, sentence, remedy, act, items, alert)


PARTLY = "partly-protected"
"""The alert that tells of lists, categories and links together."""
TROUBLED = "lists-problem"
_DETAILS = say("details: filterd status")
_WHY_OLD = say("why: filterd feed status; then filterd sync or filterd lists update")


def _test(facts: ProtectionFacts) -> Iterator[_Verdict]:
    test = facts.test
    if test is None or not test.passed + test.failed:
        remedy = say("test now: filterd doctor")
        yield _unseen(say("no self-test has been made yet"), remedy, RemedyAct.TEST)
    elif test.failed:
        text = say_n(
            "{n} of {all} self-tests has failed: a listed name is open",
            "{n} of {all} self-tests have failed: listed names are open",
            test.failed,
            all=test.passed + test.failed,
        )
        remedy = say("which categories: filterd doctor")
        yield _short("self-test", text, remedy, RemedyAct.TEST, test.open_to, state=LineState.NOT)
    else:
        text = say_n(
            "a listed name of each closed category was blocked: {n} test",
            "a listed name of each closed category was blocked: {n} tests",
            test.passed,
        )
        yield _good(text)


def _answers(facts: ProtectionFacts) -> Iterator[_Verdict]:
    if facts.is_watchdog_failing is None:
        yield _not_known()
    elif facts.is_watchdog_failing:
        text = say("the watchdog's test questions get wrong answers or none")
        remedy = say("details: journalctl -u filterd; systemd starts it again if it lasts")
        yield _short("watchdog", text, remedy, RemedyAct.EXAMINE, state=LineState.NOT)
    else:
        yield _good(say("filterd answers its test questions rightly"))


def _lists(facts: ProtectionFacts) -> Iterator[_Verdict]:
    lists = facts.lists
    if lists is None:
        yield _not_known()
        return
    came = say("see why: filterd feed status; then filterd sync or filterd lists update")
    n, of_all = len(lists.missing), max(len(lists.followed), len(lists.missing))
    if n:
        text = say_n(
            "{n} of {all} followed lists has never come",
            "{n} of {all} followed lists have never come",
            n,
            all=of_all,
        )
        yield _short(PARTLY, text, came, RemedyAct.FETCH, lists.missing)
    elif lists.never:
        text = say("no lists have ever come from the feed")
        yield _short(PARTLY, text, came, RemedyAct.FETCH)
    elif of_all:
        yield _good(say_n("{n} followed list has come", "{n} followed lists have come", of_all))
    else:
        yield _good(say("the lists that are in force are there"))


def _starter(facts: ProtectionFacts) -> Iterator[_Verdict]:
    if facts.lists is None:
        yield _not_known()
    elif starter := facts.lists.starter:
        text = say_n(
            "{n} category stands on its starter list, and most of what it means is open",
            "{n} categories stand on their starter lists, and most of what they mean is open",
            len(starter),
        )
        remedy = say("follow public lists: filterd lists follow --recommended")
        yield _short(PARTLY, text, remedy, RemedyAct.FOLLOW, starter)
    else:
        yield _good(say("each closed category has more than a starter list"))


def _feed(facts: ProtectionFacts) -> Iterator[_Verdict]:
    feed = facts.feed
    if feed is None:
        yield _not_known()
        return
    found = [*_ages(feed), *_arrivals(feed, facts.now)]
    yield from found
    if not found:
        followed = say("the lists are renewed every night")
        yield _good(followed if feed.ages else say("the school follows no feed and no public list"))


def _ages(feed: FeedFacts) -> Iterator[_Verdict]:
    if "very-old" in feed.ages:
        text = say("the lists have not been renewed for 30 days")
        yield _short("lists-very-old", text, _WHY_OLD, RemedyAct.FETCH)
    if "old" in feed.ages:
        text = say("the lists have not been renewed for 7 days, or have expired")
        yield _short("lists-old", text, _WHY_OLD, RemedyAct.FETCH)
    elif "never" in feed.ages and feed.up_s > FIRST_LISTS_S:
        text = say("no lists have come yet from the feed or the public lists")
        yield _short("lists-old", text, _WHY_OLD, RemedyAct.FETCH)
    if "unknown" in feed.ages:
        text = say("the age of the lists is not known: the clock of this machine is wrong")
        yield _short(TROUBLED, text, _WHY_OLD, RemedyAct.CLOCK)


def _arrivals(feed: FeedFacts, now: float) -> Iterator[_Verdict]:
    left_s = feed.expires_at - now if feed.expires_at is not None else 0.0
    if 0 < left_s < EXPIRES_WITHIN_S:
        text = say("the feed's signature expires in {time}", time=counted.duration(left_s))
        remedy = say("why: filterd feed status")
        yield _short("feed-expires", text, remedy, RemedyAct.FETCH)
    if feed.waits:
        text = say("a new version of the lists waits for approval")
        remedy = say("look: filterd feed status; then filterd feed approve or refuse")
        yield _short("version-held", text, remedy, RemedyAct.DECIDE)
    if feed.held:
        text = say("an administrator keeps the version of the lists: no other one is taken")
        remedy = say("to take new versions again: filterd feed hold --off")
        yield _short("version-kept", text, remedy, RemedyAct.DECIDE)
    if feed.is_troubled:
        text = say("the last update of the lists failed, or their folder cannot be read")
        yield _short(TROUBLED, text, _WHY_OLD, RemedyAct.FETCH)


def _links(facts: ProtectionFacts) -> Iterator[_Verdict]:
    """Judge the firewall.

    What else is known of one comes in here, as a part of the facts.
    """
    links = facts.links
    look = say("look: sudo filterd doctor")
    if links is None:
        yield _unseen(say("nobody has looked yet whether pupils can reach other resolvers"), look)
        return
    if not links:
        text = say("this machine is not the gateway: other resolvers are for the router to close")
        yield _unseen(text, look)
        return
    without = tuple(name for name, passage in links.items() if passage == "open")
    if without:
        text = say(
            "pupils can reach other resolvers on {n} of {all} links",
            n=len(without),
            all=len(links),
        )
        remedy = say("put the firewall in force on every link: sudo filterd firewall apply")
        yield _short(PARTLY, text, remedy, RemedyAct.EXAMINE, without)
    elif "unsure" in links.values():
        yield _unseen(say("rules of the firewall do not say whether they close"), look)
    else:
        yield _good(say("pupils can reach no other resolver on any link"))


def _bypass(facts: ProtectionFacts) -> Iterator[_Verdict]:
    if facts.bypass is None:
        yield _not_known()
        return
    found = list(_signs(facts.bypass, facts.now))
    yield from found
    if not found:
        yield _good(say("no sign of a way around the filter was seen today"))


def _signs(bypass: BypassFacts, now: float) -> Iterator[_Verdict]:
    if bypass.blocks >= BYPASS_BLOCKS:
        text = say(
            "{n} lookups of ways around the filter were blocked today, of several devices",
            n=counted.number(bypass.blocks),
        )
        remedy = say("do devices reach another DNS? filterd doctor shows open ways")
        yield _short("bypass", text, remedy, RemedyAct.EXAMINE)
    answers, before = bypass.now or 0, bypass.last_week or 0
    if before >= LEAST_LOOKUPS and answers * PACE_PART < before:
        text = say(
            "{now} lookups in this school hour; {before} in the same one last week",
            now=counted.number(answers),
            before=counted.number(before),
        )
        remedy = say("is the line up, and do devices still use this DNS? filterd doctor")
        yield _short("few-lookups", text, remedy, RemedyAct.EXAMINE)
    if bypass.tunnel_at is not None and 0 <= now - bypass.tunnel_at < TUNNEL_SHOWN_S:
        text = say(
            "a device asks for very many long names of one domain, as a tunnel does:"
            " {n} and more within ten minutes",
            n=counted.number(bypass.tunnel_names),
        )
        remedy = say(
            "which domain: filterd log level full, filterd log search; then filterd block DOMAIN"
        )
        yield _short("tunnel", text, remedy, RemedyAct.EXAMINE)


def _pause(facts: ProtectionFacts) -> Iterator[_Verdict]:
    if facts.pauses is None:
        yield _not_known()
    elif facts.pauses:
        text = say_n("{n} pause is in force", "{n} pauses are in force", facts.pauses)
        remedy = say("it ends by itself; all: filterd exceptions list")
        yield _short("pause", text, remedy, RemedyAct.OPENED)
    else:
        yield _good(say("nothing is paused"))


def _expectations(facts: ProtectionFacts) -> Iterator[_Verdict]:
    if facts.unmet is None:
        yield _not_known()
    elif facts.unmet:
        text = say_n(
            "{n} expectation or file of the site needs a look",
            "{n} expectations or files of the site need a look",
            facts.unmet,
        )
        yield _short("expectations", text, _DETAILS)
    else:
        yield _good(say("the site's files and its expectations are in order"))


def _upstreams(facts: ProtectionFacts) -> Iterator[_Verdict]:
    found = facts.upstreams
    if found is None:
        yield _not_known()
        return
    remedy = say("is the line up? `upstreams` in site.yaml names others")
    if 0 < found.down == found.of_all:
        text = say("no upstream server answers")
        yield _short("upstreams-down", text, remedy, RemedyAct.NETWORK)
    elif found.down:
        text = say_n(
            "{n} of {all} upstream servers is down",
            "{n} of {all} upstream servers are down",
            found.down,
            all=found.of_all,
        )
        yield _short("upstream-down", text, remedy, RemedyAct.NETWORK)
    elif found.of_all:
        yield _good(
            say_n("{n} upstream server answers", "{n} upstream servers answer", found.of_all)
        )
    else:
        yield _unseen(say("none: only blocked names get an answer"), remedy, RemedyAct.NETWORK)


def _clock(facts: ProtectionFacts) -> Iterator[_Verdict]:
    clock = facts.clock
    if clock is None:
        yield _not_known()
        return
    remedy = say("set the clock; if it is right: filterd clock accept")
    if not clock.is_known:
        yield _short("clock", say("the time is not known"), remedy, RemedyAct.CLOCK)
    elif clock.standing == "unconfirmed":
        text = say("no time server has confirmed the clock")
        if clock.up_s >= TIME_WITHIN_S:
            yield _short("clock", text, remedy, RemedyAct.CLOCK)
        else:
            yield _unseen(text, remedy, RemedyAct.CLOCK)
    elif clock.standing == "jumped":
        text = say("the clock has jumped and is not believed")
        yield _short("clock", text, remedy, RemedyAct.CLOCK)
    else:
        yield _good(say("the time is known"))


def _disk(facts: ProtectionFacts) -> Iterator[_Verdict]:
    disk = facts.disk
    if disk is None:
        yield _not_known()
        return
    free = counted.size(disk.free)
    if disk.free < min(FREE_OCTETS, disk.size // FREE_PART):
        text = say("the disk is nearly full: {size} free", size=free)
        remedy = say("make room: df -h, journalctl --vacuum-size=200M")
        yield _short("disk-full", text, remedy, RemedyAct.EXAMINE)
    else:
        yield _good(say("{free} are free", free=free))


def _state(facts: ProtectionFacts) -> Iterator[_Verdict]:
    if facts.is_unwritten is None:
        yield _not_known()
    elif facts.is_unwritten:
        text = say("the state folder cannot be written, or a file in it is damaged")
        yield _short("state-not-written", text, _DETAILS, RemedyAct.EXAMINE)
    else:
        yield _good(say("all that must be kept is written"))


def _history(facts: ProtectionFacts) -> Iterator[_Verdict]:
    if facts.is_history_sound is None:
        remedy = say("verify it: filterd history verify")
        yield _unseen(say("the history of changes has not been verified yet"), remedy)
    elif facts.is_history_sound:
        yield _good(say("the history of changes is sound"))
    else:
        text = say("the history of changes has been altered or damaged")
        remedy = say("details: filterd history verify; keep a copy of the file")
        yield _short("history-altered", text, remedy)


def _backup(facts: ProtectionFacts) -> Iterator[_Verdict]:
    if facts.backup_since is None:
        remedy = say("plug in a stick, and name it under backup in site.yaml")
        yield _unseen(say("no backup has been made yet"), remedy, RemedyAct.BACKUP)
        return
    ago_s = facts.now - facts.backup_since
    if ago_s >= BACKUP_FAILS_S:
        text = say("there was no backup for {time}", time=counted.duration(ago_s))
        remedy = say(
            "is the stick plugged in, or the share mounted? why: journalctl -u filterd-backup"
        )
        yield _short("no-backup", text, remedy, RemedyAct.BACKUP)
    else:
        ago = counted.duration(max(0.0, ago_s))
        yield _good(say("the last backup was made {time} ago", time=ago))


def _program(facts: ProtectionFacts) -> Iterator[_Verdict]:
    program = facts.program
    if program is None:
        yield _not_known()
        return
    found = list[_Verdict]()
    taken_back, waiting = program.taken_back_at, program.waiting_since
    if taken_back is not None and 0 <= facts.now - taken_back < TAKEN_BACK_SHOWN_S:
        text = say("a new release of filterd did harm and was taken back")
        remedy = say("the release before serves; why: filterd update; tell the publisher")
        found.append(_short("program-taken-back", text, remedy, RemedyAct.UPDATE))
    if waiting is not None and facts.now - waiting >= UPDATE_WAITS_S:
        time = counted.duration(facts.now - waiting)
        text = say("a new release of filterd has not been installed for {time}", time=time)
        remedy = say("why: filterd update; to install it: sudo filterd update --now")
        found.append(_short("update-waits", text, remedy, RemedyAct.UPDATE))
    yield from found or [_good(say("release {name} serves", name=program.version))]


_JUDGES: Final[dict[ProtectionSubject, Callable[[ProtectionFacts], Iterator[_Verdict]]]] = {
    ProtectionSubject.TEST: _test,
    ProtectionSubject.ANSWERS: _answers,
    ProtectionSubject.LISTS: _lists,
    ProtectionSubject.STARTER: _starter,
    ProtectionSubject.FEED: _feed,
    ProtectionSubject.LINKS: _links,
    ProtectionSubject.BYPASS: _bypass,
    ProtectionSubject.PAUSE: _pause,
    ProtectionSubject.EXPECTATIONS: _expectations,
    ProtectionSubject.UPSTREAMS: _upstreams,
    ProtectionSubject.CLOCK: _clock,
    ProtectionSubject.DISK: _disk,
    ProtectionSubject.STATE: _state,
    ProtectionSubject.HISTORY: _history,
    ProtectionSubject.BACKUP: _backup,
    ProtectionSubject.PROGRAM: _program,
}
