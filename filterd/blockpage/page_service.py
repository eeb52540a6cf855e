# SPDX-License-Identifier: Apache-2.0
"""Answer the requests of pupils' browsers.

By the Host, a request is one of two kinds. On an address of the box itself, ``/`` has a field
to type a name, ``/why?name=`` the page of that name, and ``/ask`` takes the form for a review.
Any other Host was led here by a sinkhole: whatever the path, it gets the page of that Host, so
that a name of the Internet can show and ask nothing but itself.

A closed page is no error and no redirect: 200, never kept by the browser. A device that looks
for a captive portal gets an error, so that it neither finds one nor believes that it is online.
"""

from __future__ import annotations

import hmac
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from filterd.base.addresses import is_address
from filterd.base.errors import ConfigError, FilterdError
from filterd.blockpage import pupil_markup
from filterd.blockpage.pupil_markup import HEADERS, PageSchool, ReviewForm
from filterd.blockpage.pupil_words import words_of
from filterd.http.http_service import Reply
from filterd.texts.i18n import Texts, language_of
from filterd.texts.rows import SchoolClock, Wording

if TYPE_CHECKING:
    from filterd.base.clock import Clock
    from filterd.blockpage.manager_answers import ManagerAnswers
    from filterd.http.http_service import HttpRequest
    from filterd.texts.i18n import Language

_MEDIA_TYPE = "text/html; charset=utf-8"
_NOTHING = Reply(HTTPStatus.SERVICE_UNAVAILABLE)


class PageService:
    """The pages.

    Args:
        answers: of the manager.
        tokens: of forms.
    """

    def __init__(self, answers: ManagerAnswers, tokens: ReviewTokens) -> None:
        self._answers, self._tokens = answers, tokens

    async def handle(self, request: HttpRequest) -> Reply:
        """Return the reply to a request; see ``http_service.Handler``."""
        texts, school = Texts(_language(request)), PageSchool()
        try:
            facts = await self._answers.school()
            school = PageSchool(facts["school"], facts["contact"])
            visit = _Visit(request, texts, school, ZoneInfo(facts["time_zone"]))
            return await self._reply(visit)
        except FilterdError:
            return _page(
                pupil_markup.message_page(
                    texts("The filter does not answer at the moment"),
                    texts("Try again in a minute. If it lasts, tell a teacher."),
                    school,
                    texts,
                ),
                HTTPStatus.SERVICE_UNAVAILABLE,
            )

    async def _reply(self, visit: _Visit) -> Reply:
        host = host_of(visit.request.headers.get("host", ""))
        if host and not is_address(host):
            try:
                facts = await self._answers.why(visit.request.client, host)
            except ConfigError:  # it is no name of the Internet: a name of the box
                return await self._at_home(visit)
            if facts is None or facts["reason"] != "home":
                return await self._of_host(visit, host, facts)
        return await self._at_home(visit)

    async def _of_host(self, visit: _Visit, host: str, facts: dict[str, Any] | None) -> Reply:
        """Return the page of a name that a sinkhole, or a stale answer, has led here."""
        if facts is None:
            return _not_here(visit)
        if facts["reason"] == "check":
            return _NOTHING
        if visit.is_form:
            return await self._take_review(visit, host)
        return self._why(visit, facts, again="/")

    async def _at_home(self, visit: _Visit) -> Reply:
        match visit.request.path:
            case "/ask" if visit.is_form:
                return await self._take_review(visit)
            case "/why":
                return await self._look_up(visit, host_of(visit.request.query.get("name", "")))
            case "/":
                return _page(pupil_markup.field_page(visit.school, visit.texts, "/"))
        return visit.message(
            HTTPStatus.NOT_FOUND,
            visit.texts("There is no such page"),
            visit.texts("Type the address that does not open."),
        )

    async def _look_up(self, visit: _Visit, name: str) -> Reply:
        try:
            facts = await self._answers.why(visit.request.client, name)
        except ConfigError:
            return visit.message(
                HTTPStatus.OK,
                visit.texts("This is not an address"),
                visit.texts("Type the address that does not open."),
            )
        if facts is None:
            return _not_here(visit)
        return self._why(visit, facts, again=f"/why?{urlencode({'name': name})}", is_home=True)

    def _why(
        self, visit: _Visit, facts: dict[str, Any], *, again: str, is_home: bool = False
    ) -> Reply:
        by = Wording(visit.texts, SchoolClock(visit.zone, facts["now"]))
        page = words_of(facts, by)
        review = None
        if page.may_ask:
            token = self._tokens.token(visit.request.client, facts["name"])
            review = ReviewForm(facts["name"], token)
        return _page(
            pupil_markup.why_page(
                page, visit.school, visit.texts, review=review, again=again, is_home=is_home
            )
        )

    async def _take_review(self, visit: _Visit, host: str = "") -> Reply:
        """Note a request for review; that of another host must be about itself."""
        texts, form, client = visit.texts, visit.request.form, visit.request.client
        name = form.get("name", "")
        is_own = self._tokens.is_valid(form.get("token", ""), client, name)
        if not is_own or not _is_of_this_page(visit.request) or (host and host != name):
            return visit.message(
                HTTPStatus.FORBIDDEN,
                texts("This was not sent"),
                texts("Open the page again and send it from there."),
            )
        try:
            await self._answers.ask_review(client, name, form.get("why", ""))
        except ConfigError as error:
            return visit.message(
                HTTPStatus.OK, texts("This was not sent"), f"{error.translated(texts.language)}."
            )
        return visit.message(
            HTTPStatus.OK,
            texts("Thank you, it has been sent"),
            texts("A teacher will look at {name}. Try it again in a few days.", name=name),
        )


class _Visit:
    """One request, with what its page needs."""

    def __init__(
        self, request: HttpRequest, texts: Texts, school: PageSchool, zone: ZoneInfo
    ) -> None:
        self.request, self.texts, self.school, self.zone = request, texts, school, zone

    @property
    def is_form(self) -> bool:
        """Whether it sends the form for a review."""
        return self.request.method == "POST" and self.request.path == "/ask"

    def message(self, status: HTTPStatus, title: str, sentence: str) -> Reply:
        """Return a page with one sentence, and the field on an address of the box."""
        host = host_of(self.request.headers.get("host", ""))
        is_home = not host or is_address(host)
        return _page(
            pupil_markup.message_page(title, sentence, self.school, self.texts, is_home=is_home),
            status,
        )


def _not_here(visit: _Visit) -> Reply:
    return visit.message(
        HTTPStatus.FORBIDDEN,
        visit.texts("This page is for devices of the school"),
        visit.texts("This device is not in a network of the school."),
    )


def _page(content: bytes, status: HTTPStatus = HTTPStatus.OK) -> Reply:
    return Reply(status, content, _MEDIA_TYPE, HEADERS)


def _is_of_this_page(request: HttpRequest) -> bool:
    """Return whether a form came from a page of the same host, as far as shown."""
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    site = request.headers.get("sec-fetch-site", "same-origin")
    return origin in (None, f"http://{host}") and site == "same-origin"


def _language(request: HttpRequest) -> Language:
    """Return the language that is asked for; Vietnamese for none of the two."""
    asked = request.query.get("lang") or request.form.get("lang")
    if asked in ("vi", "en"):
        return language_of(asked)
    for part in request.headers.get("accept-language", "")[:200].split(","):
        tag = part.strip().partition(";")[0].lower().partition("-")[0]
        if tag in ("vi", "en"):
            return language_of(tag)
    return "vi"


_LONGEST_ADDRESS = 2_000
"""Characters that are looked at: an address may be pasted with all that follows the host."""


def host_of(text: str) -> str:
    """Return the host of an address as people paste one, in lower case; "" for none."""
    text = text.strip()[:_LONGEST_ADDRESS]
    after = text.partition("://")[2] or text
    try:
        return (urlsplit(f"//{after}").hostname or "").removesuffix(".")
    except ValueError:
        return ""


TOKEN_VALID_S = 3600.0


class ReviewTokens:
    """Bind the form of a review to the page that showed it, by address and name.

    There are no cookies and no accounts here, so any page of the Internet could make a browser
    send the form. It cannot read this page, and so has no token. One is valid for an hour or two.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock, self._key = clock, secrets.token_bytes(32)

    def token(self, address: str, name: str) -> str:
        """Return the token of now."""
        return self._of(self._hour(), address, name)

    def is_valid(self, token: str, address: str, name: str) -> bool:
        """Return whether a token is of this hour or the one before."""
        hour = self._hour()
        valid = (self._of(one, address, name) for one in (hour, hour - 1))
        return any(hmac.compare_digest(token.encode(), one.encode()) for one in valid)

    def _hour(self) -> int:
        return int(self._clock.monotonic() // TOKEN_VALID_S)

    def _of(self, hour: int, address: str, name: str) -> str:
        text = f"{hour}\n{address}\n{name}".encode()
        return hmac.new(self._key, text, "sha256").hexdigest()[:32]
