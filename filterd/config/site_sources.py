# SPDX-License-Identifier: Apache-2.0
"""Read the YAML files of a site: those in its folder, or the last good ones.

The last good ones are the files as they were when the site last was good.

New lists must not wait until a typing error in ``site.yaml`` is mended, an urgent order
least of all, and what the school has set must not be forgotten over it. So a policy has
the texts beside it that it was compiled from (``build_record``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.config import build_record
from filterd.documents import load, parse

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.config.build_record import Site
    from filterd.documents import Document

SITE_FILE = "site.yaml"


class SiteFiles:
    """The files of one site.

    Args:
        folder: the site's.
        kept: their texts, if they are not those in the folder.
    """

    def __init__(self, folder: Path, kept: Site | None = None) -> None:
        self.folder, self._kept = folder, kept

    def has(self, path: str) -> bool:
        """Return whether the site has its own file at a path in its folder."""
        return (self.folder / path).exists() if self._kept is None else path in self._kept

    def load(self, path: str) -> Document:
        """Read one.

        Raises:
            ConfigError: it cannot be read, or is no YAML.
        """
        place = self.folder / path
        if self._kept is None or path not in self._kept:
            return load(place)
        return parse(build_record.octets(self._kept[path]), str(place))

    def expectations(self) -> list[str]:
        """Return the paths of the site's expectations, sorted."""
        beneath = f"{build_record.EXPECTATIONS}/"
        if self._kept is None:
            found = (self.folder / beneath).glob("*.yaml")
            return sorted(beneath + path.name for path in found)
        return sorted(path for path in self._kept if path.startswith(beneath))
