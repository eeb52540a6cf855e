# SPDX-License-Identifier: Apache-2.0
"""The catalogue is compiled by one function, which the build of a wheel calls too."""

from __future__ import annotations

import gettext
from typing import TYPE_CHECKING

import pytest
from babel.messages.pofile import PoFileError
from setuptools import Distribution
from setuptools.command.build_py import build_py

from filterd.locale import compile_catalogues as compiling

if TYPE_CHECKING:
    from pathlib import Path

HEADER = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    '"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
)
DAYS = 'msgid "{n} day"\nmsgid_plural "{n} days"\nmsgstr[0] "{n} ngày"\n'


def test_a_catalogue_is_compiled(tmp_path: Path) -> None:
    (tmp_path / "vi.po").write_text(HEADER + DAYS, encoding="utf-8")
    compiling.compile_catalogues(tmp_path)
    with (tmp_path / "vi.mo").open("rb") as file:
        assert gettext.GNUTranslations(file).ngettext("{n} day", "{n} days", 2) == "{n} ngày"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["vi.mo", "vi.po"]


def test_what_a_translator_has_marked_fuzzy_is_left_out(tmp_path: Path) -> None:
    text = HEADER + "#, fuzzy\n" + DAYS
    (tmp_path / "vi.po").write_text(text, encoding="utf-8")
    compiling.compile_catalogues(tmp_path)
    with (tmp_path / "vi.mo").open("rb") as file:
        assert gettext.GNUTranslations(file).ngettext("{n} day", "{n} days", 2) == "{n} days"


def test_a_broken_catalogue_ends_the_build(tmp_path: Path) -> None:
    (tmp_path / "vi.po").write_text(HEADER + "<<<<<<< HEAD\n" + DAYS, encoding="utf-8")
    with pytest.raises(PoFileError):
        compiling.compile_catalogues(tmp_path)
    assert not (tmp_path / "vi.mo").exists()


def test_the_build_compiles_before_it_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(compiling, "compile_catalogues", lambda: done.append("compiled"))
    monkeypatch.setattr(build_py, "run", lambda _: done.append("copied"))
    compiling.BuildWithCatalogues(Distribution()).run()
    assert done == ["compiled", "copied"]
