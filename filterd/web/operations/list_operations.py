# SPDX-License-Identifier: Apache-2.0
"""Operations on lists: in force, entries, public sources, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from filterd.operations.operation import ADMINS
from filterd.operations.parameters.scalar import Fields, Flag, Several, Text
from filterd.operations.request import REASON
from filterd.operations.status import COVERED, FEED, OF_PAGES
from filterd.overrides.target_text import qname_from
from filterd.texts.i18n import say
from filterd.web.endpoint import WebOperation, asks

if TYPE_CHECKING:
    from filterd.operations.parameters.scalar import Parameter, Schema
    from filterd.texts.i18n import Sentence
    from filterd.web.visitor import Visitor

_DECIDED: Schema = {
    **OBJECT,
    "description": "The answer of the command, or `at_work` while it goes on after 45 s",
}


async def _entries(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await visitor.ask("lists-search", qname=qname_from(given["name"]).hex())


async def _feed(visitor: Visitor, _: dict[str, Any]) -> Any:
    return (await visitor.send(OF_PAGES))["feed"]


def _decided(answer: Any, _: Visitor) -> Sentence:
    if isinstance(answer, dict) and "at_work" in answer:
        return say("filterd is working on it; the history of versions will show the result.")
    return say("Done.")


def _decision(
    name: str,
    path: str,
    command: str,
    about: str,
    named: dict[str, Parameter],
    *,
    required: tuple[str, ...] = (),
    answer: Schema = _DECIDED,
) -> WebOperation:
    return WebOperation(
        name=name,
        method="POST",
        path=path,
        about=about,
        run=asks(command),
        fields=Fields(named, required),
        roles=ADMINS,
        answer=answer,
        commands=(command,),
        tag="lists",
        done=_decided,
    )


LISTS = WebOperation(
    name="readLists",
    method="GET",
    path="/lists",
    about="How much of each list was kept, what was rejected, and why.",
    run=asks("lists"),
    answer=record(
        {
            "build": OBJECT,
            "octets": WHOLE,
            "coverage": rows(COVERED),
            "single_hosts": TEXTS,
            **of(CompileReport)["properties"],
        }
    ),
    commands=("lists status", "lists report"),
    tag="lists",
)
ENTRIES = WebOperation(
    name="findEntries",
    method="GET",
    path="/lists/entries",
    about="The entries of lists that name a name or a name above it.",
    run=_entries,
    fields=Fields({"name": Text(300, least=1)}, ("name",)),
    answer=rows(
        record({**each(TEXT, "name", "entry", "effect", "list", "category"), "line": WHOLE})
    ),
    commands=("lists search",),
    tag="lists",
)
FEED_STATUS = WebOperation(
    name="readFeed",
    method="GET",
    path="/feed",
    about="The versions of lists in force, the one that waits and why, the age of both.",
    run=_feed,
    answer=FEED,
    commands=("feed status",),
    tag="lists",
)
FEED_HISTORY = WebOperation(
    name="readFeedHistory",
    method="GET",
    path="/feed/history",
    about="The history of the versions of lists, the latest last.",
    run=asks("feed-history"),
    answer=rows(
        record({"at": AT, "event": TEXT, "version": VERSION, "why": TEXT, "sentence": SENTENCE})
    ),
    commands=("feed history", "lists history"),
    tag="lists",
)
SOURCES = WebOperation(
    name="readSources",
    method="GET",
    path="/lists/sources",
    about="The public lists that can be followed, and those that are.",
    run=asks("lists-sources"),
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

_VERSION = Text(
    48, r"[1-9][0-9]{0,17}|[a-z][a-z-]*[0-9a-f]{1,40}", about="The waiting one if left out"
)
_LISTS = Flag("Of the public lists beside the feed")
_SOURCES = Several(Text(2_000, least=1), 50, 1, "Ids of public lists, or https addresses")

APPROVE = _decision(
    "approveVersion",
    "/feed/approve",
    "feed approve",
    "Put a version in force that is held because it changes much, or was rolled back.",
    {"version": _VERSION, "reason": REASON},
)
REFUSE = _decision(
    "refuseVersion",
    "/feed/refuse",
    "feed refuse",
    "Refuse a version that waits; later versions may come.",
    {"version": _VERSION, "reason": REASON},
)
ROLL_BACK = _decision(
    "rollBackVersion",
    "/feed/rollback",
    "feed rollback",
    "Return to the previous version now; the present one is not taken again.",
    {"reason": REASON, "lists": _LISTS},
)
HOLD = _decision(
    "holdVersion",
    "/feed/hold",
    "feed hold",
    "Keep the version in force until this is switched off; not even urgent orders are taken.",
    {"reason": REASON, "off": Flag("Take new versions again"), "lists": _LISTS},
)
SYNC = _decision(
    "takeVersion",
    "/feed/sync",
    "sync",
    "Take the published version of the feed now.",
    {"now": Flag("Even if it is not this school's turn")},
)
FOLLOW = _decision(
    "followLists",
    "/lists/follow",
    "lists follow",
    "Follow public lists: they are fetched every night.",
    {
        "sources": _SOURCES,
        "recommended": Flag("Follow the set that the catalogue recommends"),
        "category": Text(64, about="The category of everything at an address"),
        "format": Text(32, about="The syntax of the lines at an address"),
        "subtrees": Flag("An entry for one host includes everything beneath it"),
    },
)
UNFOLLOW = _decision(
    "unfollowLists",
    "/lists/unfollow",
    "lists unfollow",
    "Stop following public lists; their names open at once.",
    {"sources": _SOURCES},
    required=("sources",),
)
UPDATE = _decision(
    "updateLists",
    "/lists/update",
    "lists update",
    "Fetch the followed lists now, and put them in force.",
    {
        "now": Flag("Also ask servers that asked for a pause"),
        "accept": Several(Text(64, least=1), 50, about="Lists whose size may change much"),
    },
)
EXCLUDE = _decision(
    "excludeEntry",
    "/lists/exclude",
    "lists exclude",
    "Leave an entry out of a followed list for 180 days.",
    {"name": Text(300, least=1), "list": Text(64, least=1), "reason": REASON},
    required=("name", "list", "reason"),
)
VERIFY_SAFE_SEARCH = _decision(
    "verifySafeSearch",
    "/safesearch/verify",
    "safesearch verify",
    "Ask the school's upstreams for the hosts of all safe modes.",
    {},
    answer={
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
