# SPDX-License-Identifier: Apache-2.0
"""Build the extensions, each with its build ID.

What an extension depends on is computed; the digest of that is its build ID.

``pyproject.toml`` names the class; ``filterd.base.native`` reads the build ID again.
"""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

from setuptools.command.build_ext import build_ext

if TYPE_CHECKING:
    from setuptools import Extension

    from filterd.base.native import digest_of, sources_of
else:  # by its path: in a fresh checkout the package that is built cannot be imported yet
    _spec = spec_from_file_location("native_sources", Path(__file__).parent / "base" / "native.py")
    _native = module_from_spec(_spec)
    _spec.loader.exec_module(_native)
    digest_of, sources_of = _native.digest_of, _native.sources_of


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
