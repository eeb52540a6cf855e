# SPDX-License-Identifier: Apache-2.0
"""Write the poster that leads pupils to their page. Pure.

It is one A4 page of HTML in both languages. It has a QR code of the page's address, drawn in
the file itself.
"""

from __future__ import annotations

from html import escape
from io import BytesIO

import segno

from filterd.i18n import Texts, say

_STYLE = """
@page{size:A4;margin:18mm}
body{font-family:system-ui,"Noto Sans","Segoe UI",sans-serif;text-align:center;color:#000;\
background:#fff;max-width:170mm;margin:0 auto;line-height:1.4}
h1{font-size:30pt;margin:4mm 0}
p{font-size:16pt;margin:3mm 0}
svg{width:85mm;height:85mm}
.address{font-size:24pt;font-weight:700;overflow-wrap:anywhere}
section+section{border-top:1px solid #000;margin-top:8mm;padding-top:2mm}
"""
_TITLE = say("Does a page not open?")
_STEP = say("Scan the code or open this address, type the page, and read why.")
_HELP = say("Are you not well, or afraid? Call 111: free, by day and by night.")
_CONTACT = say("At school: {contact}")


def poster(school: str, contact: str, address: str) -> str:
    """Return the poster.

    Args:
        school: its name.
        contact: as ``school: {contact: ...}`` of site.yaml; may be empty.
        address: of the page, ``http://192.168.1.1/``.
    """
    drawn = BytesIO()
    code = segno.make(address, error="m")
    code.save(drawn, kind="svg", xmldecl=False, svgns=False, border=4, omitsize=True)
    parts = []
    for texts in (Texts("vi"), Texts("en")):
        heading = "h1" if texts.language == "vi" else "h2"
        lines = [texts(_STEP), texts(_HELP)]
        lines += [texts(_CONTACT, contact=contact)] if contact else []
        told = "".join(f"<p>{escape(line)}</p>" for line in lines)
        parts.append(
            f'<section lang="{texts.language}"><{heading}>{escape(texts(_TITLE))}</{heading}>'
            f"{told}</section>"
        )
    vietnamese, english = parts
    return (
        f'<!doctype html>\n<html lang="vi"><head><meta charset="utf-8"><title>{escape(school)}'
        f"</title><style>{_STYLE}</style></head><body><p>{escape(school)}</p>{vietnamese}"
        f'{drawn.getvalue().decode()}<p class="address">{escape(address)}</p>{english}'
        "</body></html>\n"
    )
