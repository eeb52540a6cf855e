# SPDX-License-Identifier: Apache-2.0
"""Requests of pupils to look at a closed name again: queue and figures. Pure.

A request is a row of name and class, not of a pupil: it has no device, no address and no text
of the pupil's own. Of one name and class there is one open row, which counts. Rows end by
themselves.
"""

from __future__ import annotations

from dataclasses import field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import ChangeError
from filterd.base.state_file import ADDED, FileFormat
from filterd.base.value_class import frozen
from filterd.overrides.descriptions import Describer
from filterd.texts import words
from filterd.texts.i18n import say
from filterd.texts.rows import Column, Listing, Row, Wording

if TYPE_CHECKING:
    from collections.abc import Iterable


MOST, MOST_OF_SEAT, KEEP_DAYS = 200, 40, 30
"""Rows in all, and of one class, so that no class takes the others' room; their days."""

APPROVED, REFUSED, ENDED = "approved", "refused", "ended"
_MOST_CLOSED, _KEEP_CLOSED_DAYS = 2_000, 400


@frozen
class PupilRequest:
    """An open request.

    Attributes:
        id: for commands.
        name: that is closed, as text.
        seat: the class, or the grade where the class is not known.
        tier: of these.
        why: a key of ``words.REVIEW_REASON``.
        day: of the school, on which it was made first (ISO 8601).
        n: how often it was made.
    """

    id: int
    name: str
    seat: str
    tier: str
    why: str
    day: str
    n: int = 1


@frozen
class ClosedRequest:
    """A request that is closed, for figures of reports: no name and no class.

    ``day`` is that of its end, ``days`` how many after its first day; ``outcome``:
    ``APPROVED``, ``REFUSED``, or ``ENDED`` by itself.
    """

    day: str
    days: int
    outcome: str


class RequestFigures(NamedTuple):
    """Requests that were made, approved and refused in a period.

    ``days``: how many each of the decided ones took.
    """

    made: int
    approved: int
    refused: int
    days: tuple[int, ...]


@frozen
class ReviewQueue:
    """The open requests, the oldest first. ``last_id`` is that of the newest ever."""

    requests: tuple[PupilRequest, ...] = ()
    last_id: int = 0
    closed: tuple[ClosedRequest, ...] = field(default=(), metadata={ADDED: True})

    def with_one(self, request: PupilRequest) -> ReviewQueue:
        """Return the queue with one request more, or with one that counts one more.

        Raises:
            ChangeError: there are too many.
        """
        key = request.name, request.seat
        for at, one in enumerate(self.requests):
            if (one.name, one.seat) == key:
                counted = replace(one, n=one.n + 1)
                return replace(
                    self, requests=(*self.requests[:at], counted, *self.requests[at + 1 :])
                )
        of_seat = sum(one.seat == request.seat for one in self.requests)
        if len(self.requests) >= MOST or of_seat >= MOST_OF_SEAT:
            raise ChangeError(say("there are too many open requests; try again next week"))
        number = self.last_id + 1
        requests = (*self.requests, replace(request, id=number))
        return replace(self, requests=requests, last_id=number)

    def without(self, number: int, outcome: str, today: str) -> ReviewQueue:
        """Return the queue with a request closed, on a day of the school."""
        return self._closed(
            (request for request in self.requests if request.id == number), outcome, today
        )

    def on(self, today: str) -> ReviewQueue:
        """Return the queue without what has ended by a day of the school."""
        oldest = (date.fromisoformat(today) - timedelta(days=KEEP_DAYS)).isoformat()
        return self._closed(
            (request for request in self.requests if request.day < oldest), ENDED, today
        )

    def _closed(self, gone: Iterable[PupilRequest], outcome: str, today: str) -> ReviewQueue:
        ended, end = tuple(gone), date.fromisoformat(today)
        if not ended:
            return self
        oldest = (end - timedelta(days=_KEEP_CLOSED_DAYS)).isoformat()
        took = ((end - date.fromisoformat(one.day)).days for one in ended)
        closed = (
            *(one for one in self.closed if one.day >= oldest),
            *(ClosedRequest(today, max(0, days), outcome) for days in took),
        )
        kept = tuple(request for request in self.requests if request not in ended)
        return replace(self, requests=kept, closed=closed[-_MOST_CLOSED:])

    def figures(self, first: str, last: str) -> RequestFigures:
        """Return the figures of a period; days are included, ISO 8601."""
        begun = [request.day for request in self.requests]
        begun += (
            (date.fromisoformat(one.day) - timedelta(days=one.days)).isoformat()
            for one in self.closed
        )
        decided = [one for one in self.closed if first <= one.day <= last and one.outcome != ENDED]
        return RequestFigures(
            sum(first <= day <= last for day in begun),
            sum(one.outcome == APPROVED for one in decided),
            sum(one.outcome == REFUSED for one in decided),
            tuple(one.days for one in decided),
        )

    def request(self, number: int) -> PupilRequest:
        """Return a request.

        Raises:
            ChangeError: it is not open.
        """
        for one in self.requests:
            if one.id == number:
                return one
        raise ChangeError(
            say("there is no open request {number}", number=number),
            hint=say("`filterd requests list` shows them"),
        )


FORMAT = FileFormat(
    ReviewQueue, magic=b"filterd-review-requests ", title=say("file of review requests")
)


def _seat(row: Row, by: Wording) -> str:
    return Describer(*by).grade(row["seat"])


def _day(day: str, _: Wording) -> str:
    return f"{date.fromisoformat(day):%d/%m/%Y}"


REQUESTS = Listing(
    say("Requests for review"),
    say("No class has asked for a review."),
    (
        Column(say("No."), "id", is_number=True),
        Column(say("Name"), "name"),
        Column(say("For"), worded=_seat),
        Column(say("Reason"), "why", words.REVIEW_REASON),
        Column(say("Asked since"), "day", _day),
        Column(say("Times"), "n", is_number=True),
    ),
)
