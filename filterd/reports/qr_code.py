# SPDX-License-Identifier: Apache-2.0
"""Draw a QR code as SVG with attributes only, which the page's CSP allows."""

from __future__ import annotations

from io import BytesIO

from markupsafe import Markup


def qr_code(text: str, label: str) -> Markup:
    """Return a text as a QR code, dark on light in every theme; ``label`` is its name."""
    import segno  # noqa: PLC0415 -- memory, where no code is drawn

    drawn = BytesIO()
    segno.make(text, error="m").save(
        drawn, kind="svg", xmldecl=False, svgns=False, border=4, omitsize=True, light="#fff"
    )
    svg = Markup(drawn.getvalue().decode().strip())  # noqa: S704 -- a path of numbers
    return Markup('<div class="qr" role="img" aria-label="{}">{}</div>').format(label, svg)
