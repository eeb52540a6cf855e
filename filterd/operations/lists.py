# SPDX-License-Identifier: Apache-2.0
"""Read the lists in force, find entries, decide on versions and public lists.

A decision is one that administrators take; a child of the manager does it, and the manager puts
its author before the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from filterd.accounts.grant import TokenScope
from filterd.base.value_class import frozen
from filterd.lists.report import CompileReport
from filterd.operations.answers import (
    AT,
    FLAG,
    OBJECT,
    SENTENCE,
    TEXT,
    TEXTS,
    VERSION,
    WHOLE,
    each,
    maybe,
    of,
    record,
    rows,
)
from filterd.operations.operation import ADMINS, Operation
from filterd.operations.parameters.scalar import Flag, Several, Text
from filterd.operations.parameters.wire_name import NameField
from filterd.operations.request import OperationRequest, Reason
from filterd.operations.status import COVERED, FEED, PresentStatus

if TYPE_CHECKING:
    from filterd.operations.parameters.scalar import Schema

_VERSION = Text(
    48, r"[1-9][0-9]{0,17}|[a-z][a-z-]*[0-9a-f]{1,40}", about="The waiting one if left out"
)
_OF_LISTS = Flag("Of the public lists beside the feed")
_SOURCES = Several(Text(2_000, least=1), 50, 1, "Ids of public lists, or https addresses")
_LIST = Text(64, least=1)
_DECIDED = {
    **OBJECT,
    "description": "The answer of the command, or `at_work` while it goes on after 45 s",
}


@frozen
class ReadLists(OperationRequest[dict[str, Any]], command="lists", scopes=(TokenScope.LISTS,)):
    """How much of each list was kept."""


@frozen(kw_only=True)
class FindEntries(
    OperationRequest[list[dict[str, Any]]], command="lists-search", scopes=(TokenScope.LISTS,)
):
    """The entries that name a name, or one above it."""

    name: Annotated[bytes, NameField()]


@frozen
class ReadFeedHistory(
    OperationRequest[list[dict[str, Any]]], command="feed-history", scopes=(TokenScope.LISTS,)
):
    """The events of feed and public lists, the latest last."""


@frozen
class ReadSources(
    OperationRequest[list[dict[str, Any]]], command="lists-sources", scopes=(TokenScope.LISTS,)
):
    """The public lists that can be followed, and those that are."""


@frozen(kw_only=True)
class Decision(OperationRequest[dict[str, Any]]):
    """A decision on lists; the answer may be that it is ``at_work``."""


@frozen(kw_only=True)
class ReasonedDecision(Decision):
    """A decision with a reason."""

    reason: Reason = ""


@frozen(kw_only=True)
class ApproveVersion(ReasonedDecision, command="feed approve", is_guarded=True):
    """Put a held version in force."""

    version: Annotated[str, _VERSION] = ""


@frozen(kw_only=True)
class RefuseVersion(ReasonedDecision, command="feed refuse"):
    """Refuse a version that waits."""

    version: Annotated[str, _VERSION] = ""


@frozen(kw_only=True)
class RollBack(ReasonedDecision, command="feed rollback"):
    """Return to the version before."""

    lists: Annotated[bool, _OF_LISTS] = False


@frozen(kw_only=True)
class Hold(ReasonedDecision, command="feed hold"):
    """Keep the version in force."""

    off: Annotated[bool, Flag("Take new versions again")] = False
    lists: Annotated[bool, _OF_LISTS] = False


@frozen(kw_only=True)
class TakeVersion(Decision, command="sync"):
    """Take the published version."""

    now: Annotated[bool, Flag("Even if it is not this school's turn")] = False


@frozen(kw_only=True)
class FollowLists(Decision, command="lists follow"):
    """Follow public lists."""

    sources: Annotated[tuple[str, ...], _SOURCES] = ()
    recommended: Annotated[bool, Flag("Follow the set that the catalogue recommends")] = False
    category: Annotated[str, Text(64, about="The category of everything at an address")] = ""
    format_: Annotated[str, Text(32, about="The syntax of the lines at an address")] = "domains"
    subtrees: Annotated[bool, Flag("An entry for one host includes everything beneath it")] = False


@frozen(kw_only=True)
class UnfollowLists(Decision, command="lists unfollow", is_guarded=True):
    """Follow public lists no more."""

    sources: Annotated[tuple[str, ...], _SOURCES]


@frozen(kw_only=True)
class UpdateLists(Decision, command="lists update"):
    """Fetch the followed lists."""

    now: Annotated[bool, Flag("Also ask servers that asked for a pause")] = False
    accept: Annotated[
        tuple[str, ...], Several(_LIST, 50, about="Lists whose size may change much")
    ] = ()


@frozen(kw_only=True)
class ExcludeEntry(ReasonedDecision, command="lists exclude", is_guarded=True):
    """Leave an entry out of a list."""

    name: Annotated[str, Text(300, least=1)]
    list_: Annotated[str, _LIST]
    reason: Reason


@frozen(kw_only=True)
class VerifySafeSearch(Decision, command="safesearch verify"):
    """Ask for the hosts of safe modes."""


def _lists() -> Schema:
    return record(
        {
            "build": OBJECT,
            "octets": WHOLE,
            "coverage": rows(COVERED),
            "single_hosts": TEXTS,
            **of(CompileReport)["properties"],
        }
    )


LISTS = Operation(
    name="readLists",
    method="GET",
    path="/lists",
    about="How much of each list was kept, what was rejected, and why.",
    request=ReadLists,
    answer=_lists,
    commands=("lists status", "lists report"),
    tag="lists",
)
ENTRIES = Operation(
    name="findEntries",
    method="GET",
    path="/lists/entries",
    about="The entries of lists that name a name or a name above it.",
    request=FindEntries,
    answer=rows(
        record({**each(TEXT, "name", "entry", "effect", "list", "category"), "line": WHOLE})
    ),
    commands=("lists search",),
    tag="lists",
)
FEED_STATUS = Operation(
    name="readFeed",
    method="GET",
    path="/feed",
    about="The versions of lists in force, the one that waits and why, the age of both.",
    request=PresentStatus,
    answer=FEED,
    commands=("feed status",),
    tag="lists",
)
FEED_HISTORY = Operation(
    name="readFeedHistory",
    method="GET",
    path="/feed/history",
    about="The history of the versions of lists, the latest last.",
    request=ReadFeedHistory,
    answer=rows(
        record({"at": AT, "event": TEXT, "version": VERSION, "why": TEXT, "sentence": SENTENCE})
    ),
    commands=("feed history", "lists history"),
    tag="lists",
)
SOURCES = Operation(
    name="readSources",
    method="GET",
    path="/lists/sources",
    about="The public lists that can be followed, and those that are.",
    request=ReadSources,
    roles=ADMINS,
    answer=rows(
        record(
            {
                **each(
                    TEXT, "id", "title", "category", "licence", "attribution", "address", "followed"
                ),
                **each(FLAG, "republish", "recommended", "checked", "here"),
                "names": WHOLE,
            }
        )
    ),
    commands=("lists sources",),
    tag="lists",
)


def _decision(
    request: type[Decision], name: str, path: str, about: str, answer: Any = _DECIDED
) -> Operation:
    return Operation(
        name=name,
        method="POST",
        path=path,
        about=about,
        request=request,
        roles=ADMINS,
        answer=answer,
        commands=(request.command,),
        tag="lists",
    )


APPROVE = _decision(
    ApproveVersion,
    "approveVersion",
    "/feed/approve",
    "Put a version in force that is held because it changes much, or was rolled back.",
)
REFUSE = _decision(
    RefuseVersion,
    "refuseVersion",
    "/feed/refuse",
    "Refuse a version that waits; later versions may come.",
)
ROLL_BACK = _decision(
    RollBack,
    "rollBackVersion",
    "/feed/rollback",
    "Return to the previous version now; the present one is not taken again.",
)
HOLD = _decision(
    Hold,
    "holdVersion",
    "/feed/hold",
    "Keep the version in force until this is switched off; not even urgent orders are taken.",
)
SYNC = _decision(
    TakeVersion, "takeVersion", "/feed/sync", "Take the published version of the feed now."
)
FOLLOW = _decision(
    FollowLists,
    "followLists",
    "/lists/follow",
    "Follow public lists: they are fetched every night.",
)
UNFOLLOW = _decision(
    UnfollowLists,
    "unfollowLists",
    "/lists/unfollow",
    "Stop following public lists; their names open at once.",
)
UPDATE = _decision(
    UpdateLists,
    "updateLists",
    "/lists/update",
    "Fetch the followed lists now, and put them in force.",
)
EXCLUDE = _decision(
    ExcludeEntry,
    "excludeEntry",
    "/lists/exclude",
    "Leave an entry out of a followed list for 180 days.",
)
VERIFY_SAFE_SEARCH = _decision(
    VerifySafeSearch,
    "verifySafeSearch",
    "/safesearch/verify",
    "Ask the school's upstreams for the hosts of all safe modes.",
    {
        "anyOf": [
            rows(
                record(
                    {
                        "target": TEXT,
                        "levels": TEXTS,
                        "names": WHOLE,
                        "verified": FLAG,
                        "verified_at": maybe(AT),
                        "problem": TEXT,
                        "sentence": SENTENCE,
                    }
                )
            ),
            _DECIDED,
        ]
    },
)

DECISIONS: dict[str, type[Decision]] = {
    one.command: one
    for one in (
        ApproveVersion,
        RefuseVersion,
        RollBack,
        Hold,
        TakeVersion,
        FollowLists,
        UnfollowLists,
        UpdateLists,
        ExcludeEntry,
        VerifySafeSearch,
    )
}
"""All decisions by the name of their command."""
