# SPDX-License-Identifier: Apache-2.0
"""Check names that must resolve, suffixes that no list may hold, and rewrites.

A pinned or protected name answers in spite of any list: the name, what is beneath it, and
where another name leads to it; and so does the name that answers for it in safe mode. It is
checked by the version's tables, by the active ones and by the shipped ones, so that a version
that forgets a name cannot block it in the same step. Registries of names, such as ``com.vn``,
belong to everybody.

A rewrite answers for a name with the addresses of another: a publisher of any pair could
answer for a bank. So a pinned name has no rewrite at all, a protected one only the shipped
one, and any other leads within its registered domain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.feed.guard.judgement import Severity, found
from filterd.feed.guard.limits import few
from filterd.lists import listed_names
from filterd.lists.hostname import HostnameError, key_from_name, key_from_text
from filterd.lists.public_suffix import (
    is_company_suffix,
    is_public_suffix,
    public_suffixes,
    registrable,
)
from filterd.lists.report import Reason
from filterd.lists.rules import is_order
from filterd.policy.model import SERVICE
from filterd.texts.i18n import say
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from filterd.feed.guard.candidate import Asking
    from filterd.feed.guard.judgement import Finding
    from filterd.lists.report import ListReport
    from filterd.lists.rules import Pin, Protection
    from filterd.policy.model import Policy
    from filterd.policy.verdict import Match

ESSENTIALS, BENEATH, SUFFIXES = "essentials", "beneath", "suffixes"
"""The kinds of what is found here."""

_BENEATH = b"\x03www"
_LONGEST_PARENT = 255 - len(_BENEATH)
_PLAIN = ("domains", "wildcard")
_WHAT_NO_LIST_NAMES = (Reason.EVERYTHING, Reason.SINGLE_LABEL, Reason.PUBLIC_SUFFIX, Reason.PINNED)


class Essential(NamedTuple):
    """A name that resolves: always if ``pinned``, else but for some categories."""

    name: bytes
    subtree: bool
    pinned: bool
    except_categories: frozenset[str]


def essentials_of(policy: Policy, known: Iterable[Policy] = ()) -> Iterator[Essential]:
    """Yield pinned and protected names, and targets of rewrites, of a policy."""
    for pin in policy.pins:
        yield Essential(pin.name, pin.subtree, True, frozenset())
    protections = [protection for protection in policy.protections if not protection.entry_only]
    for protection in protections:
        yield Essential(protection.name, protection.subtree, False, protection.except_categories)
    exceptions = dict[bytes, frozenset[str]]()
    for one in (*protections, *(one for each in known for one in each.protections)):
        exceptions[one.name] = exceptions.get(one.name, frozenset()) | one.except_categories
    for rewrite in policy.rewrites:
        # What may close a name may close its twin: YouTube in safe mode is streaming, too.
        above = {name for one in rewrite.names for name in names.suffixes(one)}
        allowed = frozenset[str]().union(*(exceptions.get(name, ()) for name in above))
        yield Essential(rewrite.target, False, False, allowed)


def blocked_essentials(
    asking: Asking, references: Sequence[Asking], feed: Collection[str]
) -> Iterator[Finding]:
    """Find essential names that lists of the version close to any client.

    Args:
        asking: the candidate.
        references: what is active, if anything is, and the shipped lists.
        feed: the ids of the version's lists; those of the school may close what they want.
    """
    policies = [reference.policy for reference in references]
    own = dict.fromkeys(essentials_of(asking.policy, policies))
    if blocked := list(_blocked(asking, references, own, feed)):
        sentence = say(
            "{count} essential names would be closed: {names}",
            count=len(blocked),
            names=few(blocked),
        )
        yield found(ESSENTIALS, Severity.REFUSED, sentence, blocked, count=len(blocked))
    until_now = dict.fromkeys(one for each in policies for one in essentials_of(each, policies))
    forgotten = [one for one in until_now if one not in own]
    known = set(blocked)
    if lost := [one for one in _blocked(asking, references, forgotten, feed) if one not in known]:
        sentence = say(
            "{count} names that were essential until now would be closed: {names}",
            count=len(lost),
            names=few(lost),
        )
        yield found(ESSENTIALS, Severity.HELD, sentence, lost, lost, count=len(lost))


def closed_beneath(
    asking: Asking, references: Sequence[Asking], feed: Collection[str]
) -> Iterator[Finding]:
    """Find entries beneath essential names that are neither active nor shipped.

    A protected name is not only itself and ``www``: an entry for ``accounts.google.com`` keeps a
    school from all that it does with Google. Shipped entries are meant so
    (``gemini.google.com`` is artificial intelligence).
    """
    policies = [asking.policy, *(known.policy for known in references)]
    essentials = {
        one.name: one for policy in policies for one in essentials_of(policy) if one.subtree
    }
    listed = {name for above in essentials for name in listed_names.beneath(asking.index, above)}
    newly = list[str]()
    for name in sorted(listed - essentials.keys()):
        nearest = next(one for above in names.suffixes(name) if (one := essentials.get(above)))
        closed = {
            grade for grade, match in asking.closed(name).items() if _is_wrong(match, nearest, feed)
        }
        if not closed <= {grade for known in references for grade in known.closed(name)}:
            newly.append(names.to_text(name))
    if newly:
        sentence = say(
            "{count} names beneath essential ones would be closed: {names}",
            count=len(newly),
            names=few(newly),
        )
        yield found(BENEATH, Severity.HELD, sentence, newly, newly, count=len(newly))


def listed_suffixes(asking: Asking) -> Iterator[Finding]:
    """Find suffixes that the version closes, or pins with all beneath them."""
    closed = [
        names.to_text(name)
        for name in (*asking.policy.top_level, *public_suffixes())
        if _is_closed_itself(asking, name)
    ]
    if closed:
        sentence = say(
            "{count} suffixes under which anyone can register names would be closed: {names}",
            count=len(closed),
            names=few(closed),
        )
        yield found(SUFFIXES, Severity.REFUSED, sentence, closed, count=len(closed))
    if opened := [names.to_text(pin.name) for pin in asking.policy.pins if _opens_all(pin)]:
        sentence = say(
            "{count} suffixes under which anyone can register names would always be open: {names}",
            count=len(opened),
            names=few(opened),
        )
        yield found(SUFFIXES, Severity.REFUSED, sentence, opened, count=len(opened))


def refused_entries(reports: Iterable[ListReport], feed: Collection[str]) -> Iterator[Finding]:
    """Find entries that the compiler did not take: harmless, but a mistake.

    A publisher's own program takes such entries out by the same code. Lists that are published as
    others wrote them may have some: that is worth a note. So is the suffix of a company, which the
    Public Suffix List of the publisher's machine need not know yet.
    """
    for report in reports:
        if report.id not in feed:
            continue
        plain = report.format in _PLAIN
        for kind, reasons, counted in (
            (SUFFIXES, _WHAT_NO_LIST_NAMES, report.refused),
            (ESSENTIALS, (Reason.PROTECTED,), {Reason.PROTECTED: report.set_aside}),
        ):
            count = sum(counted.get(reason, 0) for reason in reasons)
            if not count:
                continue
            quoted = [sample.text for sample in report.samples if sample.reason in reasons]
            sentence = say(
                "list {list} has {count} entries that are never allowed: {names}",
                list=report.id,
                count=count,
                names=few(quoted),
            )
            known = len(quoted) == count and all(map(_is_company_suffix, quoted))
            severity = Severity.REFUSED if plain and not known else Severity.NOTE
            yield found(kind, severity, sentence, quoted, count=count)


def _blocked(
    asking: Asking,
    references: Sequence[Asking],
    essentials: Iterable[Essential],
    feed: Collection[str],
) -> Iterator[str]:
    for essential in essentials:
        asked = [essential.name]
        if essential.subtree and len(essential.name) < _LONGEST_PARENT:
            asked.append(_BENEATH + essential.name)
        for name in asked:
            by = [*asking.closed(name).values(), asking.closes_target(name)]
            wrong = (
                match for match in by if match is not None and _is_wrong(match, essential, feed)
            )
            if not all(_is_of_school(match, references, name) for match in wrong):
                yield names.to_text(name)


def _is_wrong(match: Match, essential: Essential, feed: Collection[str]) -> bool:
    """Return whether a list of the version may not close an essential name."""
    if match.list_id not in feed:
        return False
    if essential.pinned:
        return True
    # What an order closes is closed by law, and a chat service is a chat service.
    return not is_order(match.list_id) and match.category not in essential.except_categories


def _is_of_school(match: Match, references: Iterable[Asking], name: bytes) -> bool:
    """Return whether a school has closed a service, which it may.

    It was closed before, be it by the shipped lists as they would be served here.
    """
    return match.list_id.startswith(SERVICE) and any(
        one.list_id == match.list_id for known in references for one in known.closed(name).values()
    )


def _is_closed_itself(asking: Asking, suffix: bytes) -> bool:
    """Return whether an entry names exactly this suffix, or a rule closes it.

    A rule counts only for a suffix of a single label.
    """
    labels = names.count_labels(suffix)
    if any(hit.labels == labels for hit in asking.index.lookup(suffix)):
        return True
    return labels == 1 and bool(asking.closed(suffix))


def _is_company_suffix(entry: str) -> bool:
    try:
        return is_company_suffix(key_from_text(entry))
    except HostnameError:
        return False


def _opens_all(pin: Pin) -> bool:
    key = key_from_name(pin.name)
    return pin.subtree and key is not None and is_public_suffix(key)


REWRITES = "rewrites"
"""The kind of what is found here."""


def wrong_rewrites(policy: Policy, known: Sequence[Policy]) -> Iterator[Finding]:
    """Find rewrites that a version may not have; ``known`` ends with what ships."""
    policies = (policy, *known)
    pinned = _guarded(one for each in policies for one in each.pins)
    protected = _guarded(one for each in policies for one in each.protections if not one.entry_only)
    shipped = set(_pairs(known[-1]))
    refused, held = list[str](), list[str]()
    for pair in _pairs(policy):
        *_, name, target = pair
        pair_text = f"{names.to_text(name)} -> {names.to_text(target)}"
        if _covers(pinned, name):
            refused.append(pair_text)
        elif pair not in shipped:
            if _covers(protected, name):
                refused.append(pair_text)
            elif registrable(name) != registrable(target):
                held.append(pair_text)
    for wrong, severity in ((refused, Severity.REFUSED), (held, Severity.HELD)):
        if wrong:
            sentence = say(
                "{count} names would be rewritten to targets that safe search may not use: {names}",
                count=len(wrong),
                names=few(wrong),
            )
            yield found(REWRITES, severity, sentence, wrong, wrong, count=len(wrong))


def _pairs(policy: Policy) -> Iterator[tuple[str, str, bytes, bytes]]:
    for rewrite in policy.rewrites:
        for name in rewrite.names:
            yield rewrite.setting, rewrite.level, name, rewrite.target


def _guarded(guards: Iterable[Pin | Protection]) -> dict[bytes, bool]:
    """Return guarded names, and whether all that is beneath is guarded, too."""
    found_names = dict[bytes, bool]()
    for guard in guards:
        found_names[guard.name] = found_names.get(guard.name, False) or guard.subtree
    return found_names


def _covers(guarded: dict[bytes, bool], name: bytes) -> bool:
    return name in guarded or any(guarded.get(above) for above in names.suffixes(name))
