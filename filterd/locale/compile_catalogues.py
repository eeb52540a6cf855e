# SPDX-License-Identifier: Apache-2.0
"""Compile the catalogues: ``vi.po`` into ``vi.mo``.

A translator edits ``vi.po``; ``vi.mo`` is what the program reads.

``make setup`` calls this module, and the build of a wheel; nothing at run time does, and
nothing at run time needs Babel.
"""

from __future__ import annotations

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from setuptools.command.build_py import build_py

FOLDER = Path(__file__).parent


def compile_catalogues(folder: Path = FOLDER) -> None:
    """Write a ``.mo`` beside each ``.po``; a reader sees the old one or the new one."""
    for written in sorted(folder.glob("*.po")):
        with written.open("rb") as file:
            catalogue = read_po(file, locale=written.stem, abort_invalid=True)
        fresh = written.with_suffix(".mo.new")
        with fresh.open("wb") as file:
            write_mo(file, catalogue)
        fresh.replace(written.with_suffix(".mo"))


class BuildWithCatalogues(build_py):  # type: ignore[misc]  # setuptools ships no types
    """Compile the catalogues before the package is copied: they are part of it."""

    def run(self) -> None:
        """Compile, then build as usual."""
        compile_catalogues()
        super().run()


if __name__ == "__main__":
    compile_catalogues()
