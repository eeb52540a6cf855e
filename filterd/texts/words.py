# SPDX-License-Identifier: Apache-2.0
"""The vocabularies of commands: English for a word of the data, by that word.

The first argument of ``say_in`` names the vocabulary for the translator.
"""

from __future__ import annotations

from filterd.texts.i18n import say_in

ACCESS = {
    "open": say_in("access", "open"),
    "closed": say_in("access", "closed"),
    "locked": say_in("access", "locked"),
}
"""What a grade may do with a category or service."""
ACCOUNT_CHANGE = {
    "added": say_in("account-change", "account {account} added"),
    "roles": say_in("account-change", "account {account} has other roles"),
    "password": say_in("account-change", "account {account} has a new password"),
    "disabled": say_in("account-change", "account {account} disabled"),
    "enabled": say_in("account-change", "account {account} enabled"),
    "totp-on": say_in("account-change", "account {account} uses an authenticator"),
    "totp-off": say_in("account-change", "account {account} uses no authenticator any more"),
    "recovery": say_in("account-change", "account {account} has new recovery codes"),
    "code": say_in("account-change", "account {account} got a code for one sign-in"),
    "recovered": say_in("account-change", "account {account} was recovered at the console"),
    "token-added": say_in("account-change", "account {account} got an API token"),
    "token-revoked": say_in("account-change", "an API token of account {account} was revoked"),
    "device-confirmed": say_in("account-change", "account {account} has a device confirmed"),
    "device-revoked": say_in("account-change", "a device of account {account} was revoked"),
}
"""Changes of accounts."""
ACTION = {
    "exam-trial": say_in("action", "a trial run in room {room}"),
    "clock": say_in("action", "the time is known"),
    "guarded-end": say_in("action", "guarded, so it ends: {what}"),
    "clock-accept": say_in("action", "the machine's clock is believed"),
}
"""What a change did, where the kind says all."""
UPDATE_ENDING = {
    "taken": say_in("update-ending", "in service"),
    "taken-back": say_in("update-ending", "taken back"),
    "failed": say_in("update-ending", "not installed"),
    "rolled-back": say_in("update-ending", "rolled back"),
}
"""How an update of filterd has ended."""
ALERT = {
    "critical": say_in("alert", "CRITICAL"),
    "warning": say_in("alert", "warning"),
    "notice": say_in("alert", "notice"),
}
"""How severe an alert is."""
ALERT_WAY = {
    "mail": say_in("alert-way", "mail"),
    "webhook": say_in("alert-way", "webhook"),
}
"""How an alert leaves the gateway."""
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
    "error": say_in("answered", "internal errors"),
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
"""What was decided of a look-alike rule, or of a mistake that schools report."""
SENDER = {
    "enrolled": say_in("sender", "enrolled by the province"),
    "signed": say_in("sender", "signed, not enrolled"),
    "unsigned": say_in("sender", "not signed"),
}
"""What is known of the sender of a file at the centre."""
EFFECT = {
    "BLOCK": say_in("effect", "block"),
    "EXCEPT": say_in("effect", "exception"),
}
"""What an entry of a list does."""
ENROLMENT = {
    "waiting": say_in("enrolment", "waits for device-confirm"),
    "confirmed": say_in("enrolment", "confirmed"),
}
"""The state of a device on which a PIN signs in."""
FEED_EVENT = {
    "activated": say_in("feed-event", "in force"),
    "held": say_in("feed-event", "held"),
    "refused": say_in("feed-event", "refused"),
    "approved": say_in("feed-event", "approved"),
    "rolled-back": say_in("feed-event", "rolled back"),
    "pinned": say_in("feed-event", "kept"),
    "released": say_in("feed-event", "released"),
    "failed": say_in("feed-event", "failed"),
    "sources": say_in("feed-event", "lists"),
}
"""What happened to a version of the feed."""
FRESHNESS = {
    "fresh": say_in("freshness", "fresh"),
    "old": say_in("freshness", "old"),
    "very-old": say_in("freshness", "VERY OLD"),
    "never": say_in("freshness", "never"),
    "unknown": say_in("freshness", "unknown: the clock of this machine is wrong"),
}
"""How old the feed is."""
IDLE = {
    "ordered": say_in("idle", "it is closed by a legal order"),
    "locked": say_in("idle", "it is locked for everybody"),
    "kept-closed": say_in("idle", "it is kept closed by the school"),
    "pinned": say_in("idle", "it is pinned: nothing may block it"),
    "unknown": say_in("idle", "it does not exist"),
    "not-listed": say_in("idle", "it is on no list"),
    "not-for-all": say_in("idle", "it can only be opened for everybody"),
    "not-blocked": say_in("idle", "nothing blocks it for them at present"),
}
"""Why a change has no effect."""
LIST_COUNT = {
    "kept": say_in("list-count", "Kept"),
    "not_taken": say_in("list-count", "Rejected"),
    "duplicate": say_in("list-count", "Duplicate"),
    "redundant": say_in("list-count", "Redundant"),
}
"""What became of a list's entries."""
MONTH = {
    "01": say_in("month", "January {year}"),
    "02": say_in("month", "February {year}"),
    "03": say_in("month", "March {year}"),
    "04": say_in("month", "April {year}"),
    "05": say_in("month", "May {year}"),
    "06": say_in("month", "June {year}"),
    "07": say_in("month", "July {year}"),
    "08": say_in("month", "August {year}"),
    "09": say_in("month", "September {year}"),
    "10": say_in("month", "October {year}"),
    "11": say_in("month", "November {year}"),
    "12": say_in("month", "December {year}"),
}
"""The months of a year."""
NOT_TAKEN = {
    "not-a-name": say_in("not-taken", "is not a host name"),
    "bad-idn": say_in("not-taken", "has characters that are not allowed in a name"),
    "ip-address": say_in("not-taken", "is an address, not a name"),
    "url-with-path": say_in("not-taken", "is a URL; its host alone would block a whole site"),
    "regular-expression": say_in("not-taken", "is a regular expression"),
    "unsupported-pattern": say_in("not-taken", "is a pattern that no name can express"),
    "too-long": say_in("not-taken", "is too long"),
    "unsupported-modifier": say_in("not-taken", "has a modifier that DNS filtering cannot honour"),
    "unsupported-option": say_in("not-taken", "does not block or except anything"),
    "unsupported-trigger": say_in("not-taken", "depends on something other than the query name"),
    "cosmetic-rule": say_in("not-taken", "only hides parts of a page"),
    "not-a-sinkhole-address": say_in("not-taken", "maps a name to a real address"),
    "local-name": say_in("not-taken", "names the local machine; harmless"),
    "bad-syntax": say_in("not-taken", "does not follow the format of the list"),
    "too-many-conditions": say_in(
        "not-taken", "has new conditions, and the list already has too many"
    ),
    "unknown-encoding": say_in("not-taken", "is not UTF-8 text"),
    "everything": say_in("not-taken", "would apply to every name"),
    "single-label": say_in("not-taken", "is a single label"),
    "public-suffix": say_in(
        "not-taken", "is a public suffix, under which anyone can register names"
    ),
    "pinned": say_in("not-taken", "is pinned: nothing may block it"),
    "protected": say_in("not-taken", "is protected from third-party lists; ignored"),
    "cancelled": say_in("not-taken", "is excepted by the list itself"),
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
    "root": say_in("renewal", "replace a root key (feed rotate-key REPO root)"),
    "orders": say_in(
        "renewal", "the authority signs again (feed sign), then feed publish --orders"
    ),
    "program": say_in(
        "renewal", "its makers sign again (feed sign-program), then feed publish --program"
    ),
    "targets": say_in("renewal", "publish again (feed publish REPO)"),
    "snapshot": say_in("renewal", "publish again (feed publish REPO)"),
    "timestamp": say_in("renewal", "publish again (feed publish REPO)"),
}
"""How the term of a role is renewed."""
ROLE = {
    "reader": say_in("role", "reader"),
    "teacher": say_in("role", "teacher"),
    "principal": say_in("role", "principal"),
    "inspector": say_in("role", "inspector"),
    "admin": say_in("role", "administrator"),
}
"""What a person is at the school."""
SAFE_SEARCH = {"on": say_in("safe-search", "on"), "off": say_in("safe-search", "off")}
"""Whether search engines are held to their safe mode."""
SEVERITY = {
    "note": say_in("severity", "note"),
    "held": say_in("severity", "held"),
    "refused": say_in("severity", "refused"),
}
"""How severe a finding of the guard is."""
SOURCE = {
    "daemon": say_in("source", "the running daemon"),
    "offline": say_in("source", "the files on disk"),
    "history": say_in("source", "the history, with the lists of today"),
}
"""What gave an explanation."""
STATE = {
    "coming": say_in("state", "coming"),
    "on": say_in("state", "in force"),
    "taken-back": say_in("state", "undone"),
    "stopped": say_in("state", "stopped"),
    "ended": say_in("state", "ended"),
    "ended-unconfirmed": say_in("state", "ended by an unconfirmed clock, and still closes"),
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
REMOVED = {
    "name": say_in("removed", "a name was removed from the log"),
    "device": say_in("removed", "a device was removed from the log"),
    "day": say_in("removed", "a day was removed from the log"),
    "all": say_in("removed", "all names and rows were removed from the log"),
}
"""Removals of the query log."""
REVIEW_REASON = {
    "lesson": say_in("review-reason", "for a lesson"),
    "homework": say_in("review-reason", "for homework"),
    "project": say_in("review-reason", "for a club or a project"),
    "mistake": say_in("review-reason", "it looks like a mistake"),
}
"""Why a pupil asks for a review."""
VIEW = {
    "totals": say_in("view", "the totals of the log"),
    "class-totals": say_in("view", "the totals of a class"),
    "class-names": say_in("view", "the names that a class asked for"),
    "names": say_in("view", "the names that a tier asked for"),
    "rows": say_in("view", "single lookups"),
    "live": say_in("view", "what happens now"),
    "help": say_in("view", "whether help was sought"),
    "export": say_in("view", "the export of the log"),
    "day": say_in("view", "one day for an inspection"),
    "inspection": say_in("view", "the inspection record"),
}
"""The views of the query log."""
WARNING = {
    "idle": say_in("warning", "it changes nothing for {target}: {why}"),
    "exam": say_in(
        "warning",
        "room {room} has exam {exam} from {from_at} until {until_at}; it opens nothing there then",
    ),
    "exam-block": say_in(
        "warning",
        "room {room} has exam {exam} from {from_at} until {until_at}; it closes a part of what"
        " the exam opens",
    ),
    "misspelt": say_in(
        "warning", "is {target} misspelt? {meant} is known; to take it back: filterd undo"
    ),
    "service": say_in(
        "warning",
        "{target} is one name of {service}; for all that it needs: filterd allow service:{service}",
    ),
    "contradiction": say_in(
        "warning", "it contradicts exception {number} of {author}; the block wins"
    ),
    "overlap": say_in(
        "warning", "during the exam, exception {number} of {author} does not open {target}"
    ),
    "overlap-pause": say_in("warning", "during the exam, pause {number} of {author} opens nothing"),
    "overlap-block": say_in(
        "warning",
        "exception {number} of {author} closes {target}, a part of what the exam opens",
    ),
    "clock-unknown": say_in(
        "warning",
        "the time is not known: blocks take effect at once, allows with a date wait until it is"
        " (see `filterd status`)",
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
YOUTUBE = {
    "off": say_in("youtube", "not restricted"),
    "moderate": say_in("youtube", "Restricted Mode, moderate"),
    "strict": say_in("youtube", "Restricted Mode, strict"),
}
"""The levels of YouTube's Restricted Mode."""
