# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from filterd.cli.context import Context
from filterd.cli.report_text import show_document
from filterd.i18n import Texts
from filterd.reports.inspection_composer import compose_inspection
from filterd.state_folder import StateFolder
from tests.unit.reports.test_inspection_composer import RECORD


def shown(width: int = 80) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, markup=False)
    here = Context(Path(), StateFolder(Path()), Texts("en"), console, console)
    school = {"code": "1", "name": "Trường [bold]mẫu"}
    show_document(here, compose_inspection(replace(RECORD, school=school), Texts("en")))
    return out.getvalue()


def test_all_parts_are_shown_within_the_terminal() -> None:
    lines = shown().splitlines()
    assert max(len(one) for one in lines if not one.startswith("filterd-inspection")) <= 80
    told = "\n".join(lines)
    for part in ("Trường [bold]mẫu", "31,000", "Every lookup of staff", "filterd-inspection 1"):
        assert part in told
