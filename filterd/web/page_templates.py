# SPDX-License-Identifier: Apache-2.0
"""Load the templates of pages, compiled by ``make setup`` or an installation.

To compile one takes 10 ms and more, and memory that stays. ``python -m filterd.web.page_templates``
writes their code beside Python's own; code of another text, or none, is compiled anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import FileSystemBytecodeCache

from filterd.reports import charts

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2.bccache import Bucket

FOLDER = Path(__file__).parent / "templates"
CODE = FOLDER / "__pycache__"


class _Templates(FileSystemLoader):
    """Templates whose code knows no folder: it is the same wherever it was compiled."""

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return the text of a template, its name and whether it is up to date."""
        source, _, is_current = super().get_source(environment, template)
        return source, template, is_current


class _TemplateCode(FileSystemBytecodeCache):
    """A file for each template, which any place of installation may have."""

    def __init__(self, folder: Path, *, writes: bool) -> None:
        super().__init__(str(folder), "%s.code")
        self._writes = writes

    def get_cache_key(self, name: str, filename: str | None = None) -> str:  # noqa: ARG002 -- jinja2's
        """Return the name alone."""
        return name

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write the code, unless pages are being served."""
        if self._writes:
            super().dump_bytecode(bucket)


def templates(code: Path = CODE, *, writes: bool = False) -> Environment:
    """Return the templates: all is escaped, and no name may be undefined.

    Those of charts are shared with reports.

    Args:
        code: the folder of their code.
        writes: whether code that is missing is kept there.
    """
    made = Environment(
        loader=_Templates((FOLDER, charts.TEMPLATES)),
        bytecode_cache=_TemplateCode(code, writes=writes),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["styled"] = _styled
    return made


def compile_templates(code: Path = CODE) -> None:
    """Write the code of all templates."""
    code.mkdir(exist_ok=True)
    found = templates(code, writes=True)
    for name in found.list_templates(extensions=["html"]):
        found.get_template(name)


def _styled(style: str) -> str:
    """Return the classes for a style of ``rows``, such as ``bold red``."""
    return " ".join(f"is-{word}" for word in style.split() if word.isalpha())


if __name__ == "__main__":
    compile_templates()
