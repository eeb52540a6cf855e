# SPDX-License-Identifier: Apache-2.0
"""Compile a site's lists: those of a ``blocklists/`` folder and the site's own.

``filterd lists build`` and the guard of the feed use it.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import IO, TYPE_CHECKING

from filterd.base.errors import FilterdError, ListError
from filterd.config import build_record
from filterd.config.compile import own_lists
from filterd.config.site_reader import load_site
from filterd.lists.catalogs.catalog import ListsBeside, lists_beside, load_catalog
from filterd.lists.compiler import compile_lists

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from filterd.lists.catalogs.catalog import Catalog
    from filterd.lists.compiler import Progress
    from filterd.lists.index_files import Blocklists
    from filterd.lists.report import CompileReport
    from filterd.lists.rules import ListSource

_logger = logging.getLogger("filterd.lists")
_NONE_BESIDE = ListsBeside()


def build_lists(
    config: Path | None,
    blocklists: Blocklists,
    target: Path | IO[bytes],
    *,
    now: float,
    problems: Path | None = None,
    progress: Progress | None = None,
) -> CompileReport:
    """Compile lists and replace the index at ``target``.

    Args:
        config: the folder of ``site.yaml``; None leaves the site's own lists out.
        blocklists: the folder of all others.
        target: the index, or where to write it.
        now: Unix time, to be noted in it.
        problems: a file for what was not taken; see ``compile_lists``.
        progress: called with how far the work is and how far it goes.

    Raises:
        ConfigErrors: the site's files or the folder's are wrong.
        ListError: a list cannot be read.
        StoreError: the disk refused.
    """
    catalog = load_catalog(blocklists.folder)
    own = () if config is None else own_lists(load_site(config), catalog)
    return compile_blocklists(
        catalog,
        own,
        target,
        now=now,
        feed=blocklists.version,
        beside=lists_beside(blocklists, catalog),
        problems=problems,
        progress=progress,
    )


def rebuild_lists(
    config: Path,
    policy: Path,
    blocklists: Blocklists,
    target: Path | IO[bytes],
    *,
    now: float,
    problems: Path | None = None,
) -> CompileReport:
    """Do the same while the site's files are wrong.

    Its own lists are then those of the policy in force. They are left out if that is not
    known either, or if one of them cannot be read.

    Args are those of ``build_lists``, and ``policy``, the policy in force.

    Raises:
        ConfigErrors: the folder's files are wrong.
        ListError: a list cannot be read.
        StoreError: the disk refused.
    """
    catalog = load_catalog(blocklists.folder)
    build = partial(
        compile_blocklists,
        catalog,
        target=target,
        now=now,
        feed=blocklists.version,
        beside=lists_beside(blocklists, catalog),
        problems=problems,
    )
    try:
        return build(_own_lists(config, policy, catalog))
    except ListError as error:
        _logger.error("%s; compiling without the lists of the site", error)
        return build(())


def _own_lists(config: Path, policy: Path, catalog: Catalog) -> tuple[ListSource, ...]:
    with suppress(FilterdError):
        return own_lists(load_site(config), catalog)
    with suppress(FilterdError):
        if kept := build_record.site_of(policy):
            return own_lists(load_site(config, kept), catalog)
    return ()


def compile_blocklists(
    catalog: Catalog,
    own: Sequence[ListSource],
    target: Path | IO[bytes],
    *,
    now: float,
    feed: str | None,
    beside: ListsBeside = _NONE_BESIDE,
    problems: Path | None = None,
    progress: Progress | None = None,
) -> CompileReport:
    """Do the same with files that have been read.

    ``catalog`` is what the ``blocklists/`` folder holds, ``own`` the site's own lists, ``feed``
    the version of the feed that the folder is of, ``beside`` public lists that stand beside
    it; the others are as in ``build_lists``.

    Raises:
        ListError: a list cannot be read.
        StoreError: the disk refused.
    """
    return compile_lists(
        [*catalog.compiled, *beside.lists, *own],
        pins=(*catalog.pins, *beside.hosts),
        protections=catalog.protections,
        target=target,
        now=now,
        versions={"feed": feed, "beside": beside.version},
        problems=problems,
        progress=progress,
    )
