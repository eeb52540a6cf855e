# SPDX-License-Identifier: Apache-2.0
"""Build the extensions: what each depends on is computed, and its digest is its build ID.

``pyproject.toml`` names the class; ``filterd.native`` reads the build ID again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from setuptools.command.build_ext import build_ext

from filterd.native import digest_of, sources_of

if TYPE_CHECKING:
    from setuptools import Extension


class BuildNative(build_ext):  # type: ignore[misc]  # setuptools ships no types
    """Build extensions that know their sources."""

    def build_extension(self, ext: Extension) -> None:
        """Build one extension, if any of its sources is newer."""
        prepare(ext)
        super().build_extension(ext)


def prepare(ext: Extension) -> None:
    """Give an extension its dependencies and its build ID."""
    source = Path(ext.sources[0])
    ext.depends = [str(path) for path in sources_of(source)]
    ext.extra_link_args = [f"-Wl,--build-id=0x{digest_of(source).hex()}"]
