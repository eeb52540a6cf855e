# SPDX-License-Identifier: Apache-2.0
"""Few files are served, by their names, and kept by browsers until they change."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.web import static_files
from filterd.web.static_files import StaticFiles

if TYPE_CHECKING:
    from tests.support.web_requests import FakeManager

FILES = Path(static_files.__file__).parent / "static"


def test_an_address_has_the_digest_of_its_file(manager: FakeManager) -> None:
    address = StaticFiles().address("style.css")
    assert re.fullmatch(r"/static/style\.css\?[0-9a-f]{16}", address)
    reply = manager.get(address)
    assert reply.text == (FILES / "style.css").read_text(encoding="utf-8")
    assert reply.headers["content-type"].startswith("text/css")
    assert "immutable" in reply.headers["cache-control"]
    assert address in manager.get("/").text


@pytest.mark.parametrize("name", ["base.html", "STYLE.CSS", "none"])
def test_there_is_nothing_else(manager: FakeManager, name: str) -> None:
    assert manager.get(f"/static/{name}").status == 404


def test_own_scripts_are_short_and_write_no_html() -> None:
    scripts = [one.read_text(encoding="utf-8") for one in FILES.glob("*.js")]
    assert sum(len(one.splitlines()) for one in scripts) <= 150
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "eval(", ".style", "document.write"):
        assert not any(word in one for one in scripts)


def test_no_template_has_a_script_or_a_style_of_its_own() -> None:
    for one in (FILES.parent / "templates").glob("*.html"):
        text = one.read_text(encoding="utf-8")
        inline = re.search(r"<style|style=|<script(?! src=)|\son\w+=|javascript:|\|\s*safe", text)
        assert inline is None, (one.name, inline)
