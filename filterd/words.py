# SPDX-License-Identifier: Apache-2.0
"""The vocabularies of commands: English for a word of the data, by that word.

The first argument of ``say_in`` names the vocabulary for the translator.
"""

from __future__ import annotations

from filterd.i18n import say_in

ACCESS = {
    "open": say_in("access", "open"),
    "closed": say_in("access", "closed"),
    "locked": say_in("access", "locked"),
}
"""What a grade may do with a category or service."""
ACTION = {
    "exam-trial": say_in("action", "a trial run in the room {room}"),
    "clock": say_in("action", "the time became known"),
    "clock-accept": say_in("action", "the machine's clock is believed"),
}
"""What a change did, where the kind says all."""
ANSWERED = {
    "blocked": say_in("answered", "blocked"),
    "local": say_in("answered", "local"),
    "rewritten": say_in("answered", "rewritten"),
    "cached": say_in("answered", "cached"),
    "stale": say_in("answered", "stale"),
    "forwarded": say_in("answered", "forwarded"),
    "refused": say_in("answered", "refused"),
    "failed": say_in("answered", "failed"),
    "dropped": say_in("answered", "dropped"),
    "malformed": say_in("answered", "malformed"),
    "notimp": say_in("answered", "not supported"),
    "badvers": say_in("answered", "of another EDNS version"),
    "error": say_in("answered", "errors of ours"),
}
"""How queries were answered, in the status."""
COUNTED = {
    "pass": say_in("counted", "passed"),
    "rewritten": say_in("counted", "safe mode"),
    "blocked": say_in("counted", "blocked"),
    "local": say_in("counted", "local"),
    "refused": say_in("counted", "refused"),
    "failed": say_in("counted", "failed"),
}
"""How queries were answered, in the log."""
DECISION = {
    "accept": say_in("decision", "accepted"),
    "refuse": say_in("decision", "refused"),
}
"""What was decided of a look-alike rule."""
EFFECT = {
    "BLOCK": say_in("effect", "block"),
    "EXCEPT": say_in("effect", "exception"),
}
"""What an entry of a list does."""
FEED_EVENT = {
    "activated": say_in("feed-event", "in force"),
    "held": say_in("feed-event", "held"),
    "refused": say_in("feed-event", "refused"),
    "approved": say_in("feed-event", "approved"),
    "rolled-back": say_in("feed-event", "rolled back"),
    "pinned": say_in("feed-event", "held on to"),
    "released": say_in("feed-event", "let go"),
    "failed": say_in("feed-event", "failed"),
}
"""What happened to a version of the feed."""
FRESHNESS = {
    "fresh": say_in("freshness", "fresh"),
    "old": say_in("freshness", "old"),
    "very-old": say_in("freshness", "VERY OLD"),
    "never": say_in("freshness", "never yet"),
    "unknown": say_in("freshness", "unknown: the clock of this machine is wrong"),
}
"""How old the feed is."""
IDLE = {
    "ordered": say_in("idle", "it is closed by a legal order"),
    "locked": say_in("idle", "it is locked for everybody"),
    "kept-closed": say_in("idle", "the school keeps it closed"),
    "pinned": say_in("idle", "it is pinned: nothing may block it"),
    "unknown": say_in("idle", "there is no such thing"),
    "not-listed": say_in("idle", "it is on no list"),
    "not-for-all": say_in("idle", "it can be opened for everybody only"),
}
"""Why a change has no effect."""
LIST_COUNT = {
    "kept": say_in("list-count", "Kept"),
    "not_taken": say_in("list-count", "Not taken"),
    "duplicate": say_in("list-count", "Duplicate"),
    "redundant": say_in("list-count", "Redundant"),
}
"""What became of a list's entries."""
NOT_TAKEN = {
    "not-a-name": say_in("not-taken", "is not a host name"),
    "bad-idn": say_in("not-taken", "has letters that no name has"),
    "ip-address": say_in("not-taken", "is an address, not a name"),
    "url-with-path": say_in("not-taken", "is a URL; cut down it would block a whole site"),
    "regular-expression": say_in("not-taken", "is a regular expression"),
    "unsupported-pattern": say_in("not-taken", "is a pattern that no name can express"),
    "too-long": say_in("not-taken", "is too long"),
    "unsupported-modifier": say_in("not-taken", "has a modifier that DNS filtering cannot honour"),
    "unsupported-option": say_in("not-taken", "asks for something other than to block or except"),
    "unsupported-trigger": say_in("not-taken", "looks at something other than the name asked for"),
    "cosmetic-rule": say_in("not-taken", "only hides a part of a page"),
    "not-a-sinkhole-address": say_in("not-taken", "maps a name to a real address"),
    "local-name": say_in("not-taken", "names the machine itself; harmless"),
    "bad-syntax": say_in("not-taken", "does not follow the format of the list"),
    "too-many-conditions": say_in(
        "not-taken", "has conditions of its own, and the list has too many already"
    ),
    "unknown-encoding": say_in("not-taken", "is not UTF-8 text"),
    "everything": say_in("not-taken", "would hold for every name"),
    "single-label": say_in("not-taken", "is a single label"),
    "public-suffix": say_in("not-taken", "is a suffix under which strangers register names"),
    "pinned": say_in("not-taken", "is pinned: nothing may block it"),
    "protected": say_in("not-taken", "is protected from third-party lists; set aside"),
    "cancelled": say_in("not-taken", "is cancelled by the list itself"),
}
"""Why an entry of a list is not taken."""
OUTCOME = {
    "taken": say_in("outcome", "taken"),
    "unchanged": say_in("outcome", "unchanged"),
    "kept": say_in("outcome", "old one kept"),
    "missing": say_in("outcome", "missing"),
}
"""What came of fetching a source."""
RENEWAL = {
    "root": say_in("renewal", "exchange a root key (feed rotate-key REPO root)"),
    "orders": say_in(
        "renewal", "the authority signs again (feed sign), then feed publish --orders"
    ),
    "targets": say_in("renewal", "publish again (feed publish REPO)"),
    "snapshot": say_in("renewal", "publish again (feed publish REPO)"),
    "timestamp": say_in("renewal", "publish again (feed publish REPO)"),
}
"""How the term of a role is renewed."""
SEVERITY = {
    "note": say_in("severity", "note"),
    "held": say_in("severity", "held"),
    "refused": say_in("severity", "refused"),
}
"""How severe a finding of the guard is."""
SOURCE = {
    "daemon": say_in("source", "the running daemon"),
    "offline": say_in("source", "the files on disk"),
    "history": say_in("source", "the history; with the lists of today"),
}
"""What gave an explanation."""
STATE = {
    "coming": say_in("state", "coming"),
    "on": say_in("state", "in force"),
    "taken-back": say_in("state", "taken back"),
    "stopped": say_in("state", "stopped"),
    "ended": say_in("state", "ended"),
}
"""The state of an exception or exam."""
TIER = {
    "preschool": say_in("tier", "preschool"),
    "primary": say_in("tier", "primary"),
    "lower-secondary": say_in("tier", "lower secondary"),
    "upper-secondary": say_in("tier", "upper secondary"),
    "continuing": say_in("tier", "continuing"),
    "staff": say_in("tier", "staff"),
    "guest": say_in("tier", "guest"),
}
"""The age tiers, and groups beside them."""
WARNING = {
    "idle": say_in("warning", "for {target} it changes nothing: {why}"),
    "exam": say_in(
        "warning",
        "the room {room} has the exam {exam} from {from_at} until {until_at}; it opens"
        " nothing there then",
    ),
    "exam-block": say_in(
        "warning",
        "the room {room} has the exam {exam} from {from_at} until {until_at}; it closes a"
        " part of what that opens",
    ),
    "contradiction": say_in(
        "warning", "it contradicts the exception {number} of {author}; the block holds"
    ),
    "overlap": say_in(
        "warning", "during the exam the exception {number} of {author} does not open {target}"
    ),
    "overlap-block": say_in(
        "warning",
        "the exception {number} of {author} closes {target}, a part of what the exam opens",
    ),
    "clock-unknown": say_in(
        "warning",
        "the time is not known: what closes holds at once, what opens waits, and a length"
        " counts from when the time is known (see `filterd status`)",
    ),
    "moved": say_in("warning", "{mac} leaves {network}, where site.yaml has it"),
}
"""What a change is warned of."""
WEEKDAY = {
    "0": say_in("weekday", "Mon"),
    "1": say_in("weekday", "Tue"),
    "2": say_in("weekday", "Wed"),
    "3": say_in("weekday", "Thu"),
    "4": say_in("weekday", "Fri"),
    "5": say_in("weekday", "Sat"),
    "6": say_in("weekday", "Sun"),
}
"""Days of the week, Monday first."""
