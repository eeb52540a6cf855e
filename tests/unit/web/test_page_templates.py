# SPDX-License-Identifier: Apache-2.0
"""Templates are compiled once, and their code is that of their text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from jinja2 import Environment

from filterd.web import page_templates
from filterd.web.page_templates import compile_templates, templates

if TYPE_CHECKING:
    from pathlib import Path


def _shown(code: Path) -> str:
    return templates(code).get_template("a.html").render(style="bold red 3")


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(page_templates, "FOLDER", tmp_path)
    (tmp_path / "a.html").write_text("{{ style|styled }} <b>{{ '<' }}")
    compile_templates(tmp_path / "code")
    return tmp_path / "code"


def test_what_is_compiled_is_not_compiled_again(
    code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Environment, "compile")
    assert _shown(code) == "is-bold is-red <b>&lt;"


def test_a_template_that_was_edited_is_compiled_and_nothing_is_kept(code: Path) -> None:
    (code.parent / "a.html").write_text("new {{ style|safe }}")
    before = (code / "a.html.code").read_bytes()
    assert _shown(code) == "new bold red 3"
    assert (code / "a.html.code").read_bytes() == before


def test_code_of_another_python_or_none_is_no_obstacle(code: Path) -> None:
    (code / "a.html.code").write_bytes(b"")
    assert _shown(code).startswith("is-bold")
    (code / "a.html.code").unlink()
    assert _shown(code).startswith("is-bold")
    assert not (code / "a.html.code").exists()
