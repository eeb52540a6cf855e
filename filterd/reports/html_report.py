# SPDX-License-Identifier: Apache-2.0
"""Write a report as one HTML file, which prints on A4."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from filterd.operations.report_questions import to_fill_in
from filterd.reports import charts
from filterd.reports.charts import qr_code
from filterd.reports.report_document import cell_text
from filterd.texts.i18n import Texts, language_of

if TYPE_CHECKING:
    from filterd.reports.report_document import ReportDocument
    from filterd.reports.report_facts import ReportFacts

_STYLES = charts.TEMPLATES / "report.css", charts.STYLE


def write(document: ReportDocument, _: ReportFacts, __: bytes | None = None) -> bytes:
    """Return the file: no script, nothing from elsewhere, each text escaped."""
    texts = Texts(language_of(document.language))
    templates = Environment(
        loader=FileSystemLoader(charts.TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(
        texts=texts,
        cell=partial(cell_text, language=document.language),
        to_fill_in=partial(to_fill_in, texts=texts),
        stacked=charts.StackedBars,
        qr_code=qr_code,
        kind_of=lambda part: type(part).__name__,
    )
    style = Markup("".join(one.read_text(encoding="utf-8") for one in _STYLES))  # noqa: S704 -- files of filterd
    page = templates.get_template("report.html").render(document=document, style=style)
    return page.lstrip().encode(errors="replace")
