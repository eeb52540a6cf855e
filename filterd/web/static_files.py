# SPDX-License-Identifier: Apache-2.0
"""Serve the style sheet, scripts and icon from memory: few and small.

Their address has their digest, so that a browser keeps them for good and takes new ones at once.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response

from filterd.reports import charts

if TYPE_CHECKING:
    from starlette.requests import Request

PATH = "/static/{name}"
_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_GOOD = {"cache-control": "public, max-age=31536000, immutable"}


class StaticFiles:
    """The files by their names."""

    def __init__(self) -> None:
        files = (*_FOLDER.iterdir(), charts.STYLE)
        self._files = {one.name: one.read_bytes() for one in files}

    def address(self, name: str) -> str:
        """Return the address of a file, for pages."""
        digest = hashlib.sha256(self._files[name]).hexdigest()
        return f"{PATH.format(name=name)}?{digest[:16]}"

    def serve(self, request: Request) -> Response:
        """Answer with a file; 404 where there is none of that name."""
        name = request.path_params["name"]
        content = self._files.get(name)
        if content is None:
            return Response(status_code=404)
        return Response(content, headers=_FOR_GOOD, media_type=_TYPES[Path(name).suffix])
