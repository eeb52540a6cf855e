# SPDX-License-Identifier: Apache-2.0
"""The page of an inspection: look at the record, and download the signed file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.i18n import say
from filterd.web.operations.inspection_operations import MAKE, SIGNED
from filterd.web.operations.report_operations import LANGUAGES
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor

_FORMATS = {
    SIGNED: say("the signed file"),
    "docx": say("Word (docx)"),
    "html": say("a page to print (html)"),
}


async def _load(visitor: Visitor, _: Mapping[str, str]) -> dict[str, Any]:
    return {
        "make": MAKE,
        "formats": [(one, visitor.texts(text)) for one, text in _FORMATS.items()],
        "languages": list(LANGUAGES.items()),
    }


PAGE = Page(
    path="/inspection",
    title=say("Inspection record"),
    template="inspection.html",
    load=_load,
    roles=MAKE.roles,
)
