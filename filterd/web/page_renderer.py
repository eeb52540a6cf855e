# SPDX-License-Identifier: Apache-2.0
"""Draw pages from their templates: all escaped, none undefined, each translated."""

from __future__ import annotations

import hashlib
import re
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from starlette.responses import HTMLResponse, Response

from filterd.reports import charts
from filterd.texts.i18n import translated
from filterd.web import operations, pages
from filterd.web.page_templates import templates
from filterd.web.problem import status_of
from filterd.web.visitor import LANGUAGE_COOKIE, keep_cookie

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from filterd.base.errors import FilterdError
    from filterd.web.page import Page
    from filterd.web.visitor import Visitor

_A_YEAR_S = 365 * 86_400
_RELOAD_S = 5
_OWN_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,2000}")


class PageRenderer:
    """Draws pages; ``static`` has the addresses of style sheet and scripts."""

    def __init__(self, static: StaticFiles) -> None:
        self._templates = templates()
        self._templates.globals.update(
            static=static.address, operations=operations.BY_NAME, changed_query=changed_query
        )

    def draw(
        self,
        template: str,
        visitor: Visitor,
        request: Request,
        shown: Mapping[str, Any],
        *,
        page: Page | None = None,
        status: HTTPStatus = HTTPStatus.OK,
        here: str = "",
    ) -> Response:
        """Return an answer with a page.

        Args:
            template: its file.
            visitor: the person, by language and roles.
            request: the request; a language that it chooses is kept in a cookie.
            shown: variables of the template, beside those of the frame.
            page: the page of the menu; None for those beside it.
            status: of the answer.
            here: its address with the query; that of the request where it is empty.
        """
        text = self._templates.get_template(template).render(
            {
                **shown,
                "texts": visitor.texts,
                "translated": lambda sentence: translated(sentence, visitor.language),
                "visitor": visitor,
                "wording": visitor.wording,
                "page": page,
                "menu": pages.menu_of(visitor),
                "here": here or _address_of(request),
            }
        )
        response = HTMLResponse(text, status)
        chosen = request.query_params.get("lang", "")
        if chosen in ("vi", "en"):
            keep_cookie(response, LANGUAGE_COOKIE, chosen, _A_YEAR_S)
        return response

    def trouble(self, visitor: Visitor, request: Request, error: FilterdError) -> Response:
        """Return a page with an error; while filterd does not answer it reloads itself."""
        status = status_of(error)
        is_away = status is HTTPStatus.SERVICE_UNAVAILABLE
        shown = {"message": error.translated(visitor.language), "is_away": is_away}
        response = self.draw("trouble.html", visitor, request, shown, status=status)
        if is_away:
            response.headers["retry-after"] = str(_RELOAD_S)
            if request.method in ("GET", "HEAD"):
                response.headers["refresh"] = str(_RELOAD_S)
        return response


def own_path(path: str) -> str:
    """Return an address of the dashboard itself; its first page for any other text."""
    return path if _OWN_PATH.fullmatch(path) else "/"


def changed_query(here: str, **changes: Any) -> str:
    """Return an address with other values in its query; None takes one out."""
    path, _, query = here.partition("?")
    values = dict(parse_qsl(query, keep_blank_values=True)) | changes
    kept = {name: value for name, value in values.items() if value is not None}
    return f"{path}?{urlencode(kept)}" if kept else path


def _address_of(request: Request) -> str:
    path, query = request.scope["raw_path"].decode("ascii"), request.url.query
    address = f"{path}?{query}" if query else path
    return changed_query(address, lang=None) if "lang" in request.query_params else address


STATIC_PATH = "/static/{name}"
_STATIC_FOLDER = Path(__file__).parent / "static"
_STATIC_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_KEPT_FOR_GOOD = {"cache-control": "public, max-age=31536000, immutable"}


class StaticFiles:
    """The style sheet, scripts and icon in memory, by name: they are few and small.

    Their address has their digest, so that a browser keeps them for good and takes new ones at
    once.
    """

    def __init__(self) -> None:
        files = (*_STATIC_FOLDER.iterdir(), charts.STYLE)
        self._files = {file.name: file.read_bytes() for file in files}

    def address(self, name: str) -> str:
        """Return the address of a file, for pages."""
        digest = hashlib.sha256(self._files[name]).hexdigest()
        return f"{STATIC_PATH.format(name=name)}?{digest[:16]}"

    def serve(self, request: Request) -> Response:
        """Answer with a file; 404 where there is none of that name."""
        name = request.path_params["name"]
        content = self._files.get(name)
        if content is None:
            return Response(status_code=404)
        return Response(
            content, headers=_KEPT_FOR_GOOD, media_type=_STATIC_TYPES[Path(name).suffix]
        )
