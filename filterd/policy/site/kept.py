# SPDX-License-Identifier: Apache-2.0
"""The site as it last was good: what its files say while somebody has broken one of them.

New lists must not wait until a typing error in ``site.yaml`` is mended, an urgent order
least of all; and what the school has set must not be forgotten over it. The record beside
a policy has the files that it was compiled from (``origin``).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from filterd.errors import StoreError
from filterd.policy.site import origin
from filterd.policy.site.loading import SITE_FILE, load_site
from filterd.sentences import refused, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.policy.site.loading import SiteSources


@contextmanager
def kept_site(policy: Path, config: Path) -> Iterator[SiteSources | None]:
    """Read the site's files as they were when a policy was compiled; None where none are kept.

    The school's own lists are those that stand in its folder now.

    Args:
        policy: the policy file.
        config: the folder of ``site.yaml``.

    Raises:
        ConfigErrors: this filterd finds them wrong.
        StoreError: the disk refused.
    """
    site = origin.site_of(policy)
    if not site:
        yield None
        return
    with TemporaryDirectory(prefix="filterd-site-") as name:
        folder = Path(name)
        try:
            (folder / origin.EXPECTATIONS).mkdir()
            for path, text in site.items():
                (folder / _plain(path)).write_bytes(origin.octets(text))
        except OSError as error:
            raise StoreError(
                say("{path}: cannot be written: {why}", path=folder, why=refused(error))
            ) from error
        sources = load_site(folder)
        document = replace(sources.document, path=str(config / SITE_FILE))
        yield replace(sources, document=document, lists_folder=config)


def _plain(path: str) -> str:
    """Return a path of a record without any way out of the folder."""
    name = Path(path).name
    return f"{origin.EXPECTATIONS}/{name}" if path != name else name
