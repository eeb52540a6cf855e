# SPDX-License-Identifier: Apache-2.0
"""Query and answer of the chain, and the contract of a link and of an observer.

Both are facts; an answer becomes a message only at the end.

A *handler* turns a query into an answer. A *link* is a handler that is given
the rest of the chain as an argument and may call it or not; it has no wiring of
its own, so a test passes it a lambda. A link that does not change the answer is no
``async def``: it returns the awaitable of the rest of the chain, and is not involved any
more when the answer comes.

Most answers are sent by the fast path, not by the chain. So each link declares what
it would leave unchanged (``leaves_alone``) and whose answers it must be given
(``must_see``); ``pipeline`` folds both, and the fast path asks the result.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from filterd.policy.verdict import Action
from filterd.upstream import UpstreamQuestion
from filterd.wire import Ede, ParsedQuery, Rcode

if TYPE_CHECKING:
    from filterd.base.errors import UpstreamError
    from filterd.policy.model import Client, ZoneRecord
    from filterd.policy.verdict import Verdict
    from filterd.querylog import Counts
    from filterd.resolve.site import Site
    from filterd.upstream import Resolution
    from filterd.wire import Question


class Peer(NamedTuple):
    """The source of a query: its address and interface, as the kernel reports them.

    ``interface`` is an index, 0 where it is not known: a link-local address
    means something only together with it.
    """

    address: str
    interface: int = 0


class Fetched(NamedTuple):
    """The outcome of upstreams that were asked before the chain was.

    ``began_at`` is the monotonic time of asking.
    """

    question: UpstreamQuestion
    outcome: Resolution | UpstreamError
    began_at: float


class Query:
    """One question on its way down the chain. Immutable: a link passes on another one.

    ``site`` is the policy and index at which it was admitted; where a newer one is
    active by the time an upstream has answered, the answer is judged again.
    ``asked_at`` is Unix time, as far as the machine knows it. ``rewritten_to`` is the
    name that answers in the place of the qname, where policy decides so. ``qname`` and
    ``qtype`` are those of the question, because all links read them. ``fetched``: the
    upstreams' resolution or error, if direct forwarding has already asked; the forward
    link uses it instead of asking again. ``began_at`` is the monotonic time at which
    upstreams were first asked, of a question for which others may be asked now;
    infinite for all the rest.

    No tuple and no frozen dataclass: each link reads several attributes, and
    slots are read in a fraction of the time. The type checker guards the rest.
    """

    __slots__ = (
        "_upstream_question",
        "asked_at",
        "began_at",
        "client",
        "fetched",
        "message",
        "peer",
        "qname",
        "qtype",
        "rewritten_to",
        "site",
    )

    def __init__(
        self,
        message: ParsedQuery,
        peer: Peer,
        client: Client,
        site: Site,
        asked_at: float = inf,
        rewritten_to: bytes | None = None,
        fetched: Fetched | None = None,
        began_at: float = inf,
    ) -> None:
        question = message.question
        self.message: Final = message
        self.qname: Final = question.qname
        self.qtype: Final = question.qtype
        self.peer: Final = peer
        self.client: Final = client
        self.site: Final = site
        self.asked_at: Final = asked_at
        self.rewritten_to: Final = rewritten_to
        self.fetched: Final = fetched
        self.began_at: Final = fetched.began_at if fetched is not None else began_at
        self._upstream_question: UpstreamQuestion | None = None

    @property
    def upstream_question(self) -> UpstreamQuestion:
        """The question for upstreams, with all that their answer depends on."""
        question = self._upstream_question
        if question is None:
            message, qname = self.message, self.qname
            route = self.site.route_of(qname, self.asked_at)
            question = UpstreamQuestion(qname, self.qtype, message.do, message.header.cd, route)
            self._upstream_question = question
        return question

    def rewritten(self, target: bytes) -> Query:
        """Return the same question, to be answered by another name."""
        return Query(
            self.message,
            self.peer,
            self.client,
            self.site,
            self.asked_at,
            target,
            began_at=self.began_at,
        )

    def about(self, question: Question) -> Query:
        """Return the query of the same client for another question."""
        message = self.message._replace(question=question)
        return Query(message, self.peer, self.client, self.site, self.asked_at)

    def readmitted(self, client: Client, site: Site) -> Query:
        """Return the same question of the client as another site knows it."""
        return Query(self.message, self.peer, client, site, self.asked_at, began_at=self.began_at)

    def since(self, began_at: float) -> Query:
        """Return the same question, for which upstreams were first asked at that time."""
        began_at = min(began_at, self.began_at)
        return Query(
            self.message, self.peer, self.client, self.site, self.asked_at, began_at=began_at
        )


class Source(StrEnum):
    """The origin of an answer."""

    BLOCKED = "blocked"
    LOCAL = "local"
    REWRITTEN = "rewritten"
    CACHED = "cached"
    STALE = "stale"
    FORWARDED = "forwarded"
    REFUSED = "refused"
    FAILED = "failed"

    __hash__ = str.__hash__
    """The default hash is written in Python, and every answer is counted by its source."""


class Answer(NamedTuple):
    """The result of the chain: facts, not yet a message.

    ``source`` determines which other fields are set: BLOCKED a blocking ``verdict``;
    LOCAL ``rcode`` and ``records``; REWRITTEN, where no record is left of the name, the
    ``edes``; CACHED and FORWARDED a ``resolution`` that is ``age_s`` seconds old; STALE
    one that has expired; STALE, REFUSED and FAILED the ``edes`` with the reason.
    ``overloaded``: it FAILED because too much is being asked, or no time was left to
    ask, which proves nothing about the name. ``by_target``: it is BLOCKED because of a
    target of the name, not the name itself. ``readmitted`` is the question as it was
    finally judged, where the site changed while it waited: the client may have another
    grade by then.
    """

    source: Source
    verdict: Verdict | None = None
    resolution: Resolution | None = None
    age_s: int = 0
    rcode: int = Rcode.NOERROR
    records: tuple[ZoneRecord, ...] = ()
    edes: tuple[Ede, ...] = ()
    overloaded: bool = False
    readmitted: Query | None = None
    by_target: bool = False

    def judged(self, verdict: Verdict) -> Answer:
        """Return the answer with this verdict."""
        return Answer(self[0], verdict, *self[2:])


PASS = "pass"  # noqa: S105 -- what was not kept from the client
_BLOCKED, _REWRITTEN = Source.BLOCKED, Source.REWRITTEN
_CACHED, _FORWARDED, _STALE = Source.CACHED, Source.FORWARDED, Source.STALE
_REWRITE = Action.REWRITE


def tally(counts: Counts, query: Query, answer: Answer) -> None:
    """Count one answer, for the grade by which it was finally judged."""
    client = (answer.readmitted or query).client
    grade, category, action, blocker = counted_as(client, answer)
    device, network = counts.device_of(client), client.network or ""
    counts.add(
        grade,
        category,
        action,
        network=network,
        blocker=blocker,
        devices=(device,),
        class_id=client.grade.class_id,
    )


def counted_as(client: Client, answer: Answer) -> tuple[str, str, str, str]:
    """Return grade, category, action and blocker under which an answer is counted."""
    verdict = answer.verdict
    match = verdict.match if verdict else None
    action = _action(answer.source, verdict)
    if match is None:
        return client.grade.grade, "", action, ""
    blocker = match.list_id or match.local_id if answer.source is _BLOCKED else ""
    return client.grade.grade, match.category, action, blocker


def _action(source: Source, verdict: Verdict | None) -> str:
    """Return the action for the log; it does not matter where the answer came from.

    By identity, and the most frequent first: hashing an enumeration costs more
    than all of it, and every answer is counted.
    """
    if source is _CACHED or source is _FORWARDED or source is _STALE:
        rewritten = verdict is not None and verdict.action is _REWRITE
        return _REWRITTEN.value if rewritten else PASS
    return "blocked" if source is _BLOCKED else source.value


Handler = Callable[[Query], Awaitable[Answer]]


def leaves_all_alone(_: UpstreamQuestion, __: Resolution, /) -> bool:
    """Return True: the ``leaves_alone`` of a link that changes no upstream's answer."""
    return True


class Link(Protocol):
    """One step of the chain."""

    @abstractmethod
    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        """Answer ``query``, or return the answer of ``proceed(query)``, changed or not."""

    @abstractmethod
    def leaves_alone(self, question: UpstreamQuestion, resolution: Resolution, /) -> bool:
        """Return whether the link would pass on an upstream's answer unchanged.

        Asked once, when the answer comes. The result is kept with it, so it must hold
        for every client, every site and all time; where it depends on them, it is False
        and the chain serves the answer.
        """

    def must_see(self, _: Client, /) -> bool:
        """Return whether all answers to a client must pass through the link.

        For a link that changes nothing and records something. Asked when the fast path
        learns a client; it then answers none of its questions.
        """
        return False


class AnswerObserver(Protocol):
    """A receiver of the chain's answers that is no link; see ``Resolver.observers``."""

    def must_see(self, client: Client, /) -> bool:
        """Return whether it needs all answers to a client, as ``Link.must_see`` does."""

    def saw(self, query: Query, answer: Answer) -> None:
        """Take an answer; must not change it."""


async def answered(answer: Answer) -> Answer:
    """Return an awaitable of an answer, in a link that is no ``async def``."""
    return answer
