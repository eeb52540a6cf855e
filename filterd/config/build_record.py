# SPDX-License-Identifier: Apache-2.0
"""Record the sources of a policy, so that a start compiles only what has changed.

The compiling process writes a record beside the policy file: the SHA-256 of that
file and of every YAML file in the three folders that it reads, the paths of the
site's lists, and size and age of the program's files. A policy is current while all of
them are unchanged. A record that is missing, damaged or of another policy only costs a
compilation, and so does a change during a compilation, because the texts are read first.

It also keeps the site's own YAML files: while one of them is wrong, new lists take
effect with the last good site (``site_reader.SiteFiles``).

Standard library only, as in ``process``, because the serving process uses this.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import FilterdError, StoreError
from filterd.base.paths import install, open_plain, shipped
from filterd.base.state_file import FileFormat
from filterd.base.value_class import frozen
from filterd.policy import policy_file
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.lists.rules import ListSource
    from filterd.policy.model import Policy


_LARGEST_OCTETS = 8 << 20
"""More than any YAML file that is taken, and than any policy."""
_LARGEST_RECORD_OCTETS = 4 * _LARGEST_OCTETS
"""More than the record of any site."""

SITE_FILE = "site.yaml"
EXPECTATIONS = "expectations"
"""The folder in a site's where the expectations are."""

Texts = dict[str, str]
"""The SHA-256 of files, in hexadecimal, by their paths."""

Site = dict[str, str]
"""The text of each YAML file in a site's folder, by its path there; see ``octets``."""


@frozen
class _Origin:
    """The sources of a policy.

    Attributes:
        policy: the SHA-256 of its file.
        texts: of all YAML files.
        site: those of the site.
        files: where the lists are, by the paths that the site names.
        program: size and age of the files that were loaded.
    """

    policy: str
    texts: Texts
    site: Site
    files: dict[str, str]
    program: dict[str, tuple[int, ...]]


_FORMAT = FileFormat(
    _Origin, magic=b"filterd policy-origin ", most_octets=_LARGEST_RECORD_OCTETS, legacy=json.loads
)


class Looked(NamedTuple):
    """The sources of a policy that is to be compiled.

    They are the digests of all texts, and the site's texts.
    """

    texts: Texts
    site: Site


def look(config: Path, blocklists: Path, site: Site | None = None) -> Looked | None:
    """Read the sources of a policy to be compiled; None where one cannot be read.

    Args:
        config: the folder of ``site.yaml``.
        blocklists: the catalogue's folder.
        site: the site's files as they were another time, if it is compiled from those.
    """
    folder = config.absolute()
    try:
        if site is None:
            site = {path.relative_to(folder).as_posix(): _text(path) for path in _yaml_of(folder)}
        texts = _digests(_others(blocklists))
    except (OSError, StoreError):
        return None
    for path, text in site.items():
        texts[str(folder / path)] = hashlib.sha256(octets(text)).hexdigest()
    return Looked(texts, site)


def texts_of(config: Path, blocklists: Path) -> Texts:
    """Read every YAML file that a site's policy may depend on.

    Args:
        config: the folder of ``site.yaml``.
        blocklists: the catalogue's folder.

    Raises:
        OSError: one cannot be read.
        StoreError: the policies that ship are missing.
    """
    return _digests([*_yaml_of(config.absolute()), *_others(blocklists)])


def _yaml_of(site: Path) -> Iterator[Path]:
    for folder in (site, site / EXPECTATIONS):
        yield from sorted(folder.glob("*.yaml"))


def _others(blocklists: Path) -> Iterator[Path]:
    """Give the YAML files that are not the site's."""
    yield from _yaml_of(shipped("policies"))
    yield from sorted(blocklists.absolute().glob("*.yaml"))


def _digests(paths: Iterable[Path]) -> Texts:
    return {str(path): _digest(path) for path in paths}


def note_origin(policy: Path, looked: Looked, files: Iterable[str], data: Iterable[str]) -> None:
    """Record the sources of a policy, when it has been written.

    Args:
        policy: the policy file.
        looked: what ``look`` saw before anything was read.
        files: the lists, which must be there but are not read.
        data: other files that the program has read.

    Raises:
        StoreError: the disk refused; the policy will be compiled again.
    """
    loaded = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    program = {path for path in (*loaded, *data) if path}
    try:
        origin = _Origin(
            _digest(policy),
            looked.texts,
            looked.site,
            {path: str(Path(path).resolve()) for path in files},
            {path: stamp for path in sorted(program) if (stamp := _stamp(path))},
        )
    except OSError as error:
        raise StoreError(
            say("{policy}: cannot be read: {why}", policy=policy, why=refused(error))
        ) from error
    _FORMAT.save(_record(policy), origin)


def is_current(policy: Path, config: Path, *, blocklists: Path) -> bool:
    """Return whether compiling the site would give the same policy file again.

    Args:
        policy: the policy file.
        config: the folder of ``site.yaml``.
        blocklists: the folder of the catalogue.
    """
    try:
        origin = _FORMAT.load(_record(policy))
        return (
            _digest(policy) == origin.policy
            and texts_of(config, blocklists) == origin.texts
            and all(_is_at(path, real) for path, real in origin.files.items())
            and all(_stamp(path) == stamp for path, stamp in origin.program.items())
        )
    except (OSError, StoreError, ValueError):  # a path may be none
        return False


def is_of_site(policy: Path, config: Path, *, blocklists: Path) -> bool:
    """Return whether any release has compiled a policy of the site as it is now.

    What ships with a release does not count, and else what ``is_current`` looks at.
    """
    folders = {folder := config.absolute(), folder / EXPECTATIONS}
    if blocklists.absolute() != shipped("blocklists").absolute():
        folders.add(blocklists.absolute())
    try:
        origin, texts = _FORMAT.load(_record(policy)), texts_of(config, blocklists)
        return (
            _digest(policy) == origin.policy
            and _in(folders, texts) == _in(folders, origin.texts)
            and all(_is_at(path, real) for path, real in origin.files.items())
        )
    except (OSError, StoreError, ValueError):
        return False


def _in(folders: set[Path], texts: Texts) -> Texts:
    return {path: digest for path, digest in texts.items() if Path(path).parent in folders}


def site_of(policy: Path) -> Site | None:
    """Return the site's files that this very policy was compiled from.

    None if that is not known.

    Args:
        policy: the policy file.
    """
    try:
        origin = _FORMAT.load(_record(policy))
        return origin.site if _digest(policy) == origin.policy else None
    except (OSError, StoreError):
        return None


def note_changed(policy: Path) -> None:
    """Record that a policy, which was changed since, still has the same sources.

    Raises:
        OSError, StoreError: the disk refused; the policy will be compiled again.
    """
    record = _record(policy)
    _FORMAT.save(record, replace(_FORMAT.load(record), policy=_digest(policy)))


def hand_over(candidate: Path, policy: Path) -> None:
    """Let the record go where its policy has gone.

    Raises:
        OSError: the disk refused; the policy will be compiled again.
    """
    install(_record(candidate), _record(policy))


def move(policy: Path, target: Path) -> None:
    """Move a policy with its record, where both are there.

    Nothing else comes of it, whatever the disk refuses: a policy is only ever taken by the
    record that is of it. A policy alone is worth nothing.
    """
    with suppress(OSError):
        install(policy, target)
        hand_over(policy, target)


def _record(policy: Path) -> Path:
    return policy.with_name(f"{policy.name}.origin")


def _digest(path: Path) -> str:
    return hashlib.sha256(_content(path)).hexdigest()


def _content(path: Path) -> bytes:
    with open_plain(path) as file:
        content = file.read(_LARGEST_OCTETS + 1)
    if len(content) > _LARGEST_OCTETS:
        raise StoreError(say("{path}: is too large", path=path))
    return content


def _text(path: Path) -> str:
    """Return the text of a file of any octets; ``octets`` returns them."""
    return _content(path).decode("utf-8", "surrogateescape")


def octets(text: str) -> bytes:
    """Return the octets of a file that a record has as text."""
    return text.encode("utf-8", "surrogateescape")


def _is_at(path: str, real: str) -> bool:
    found = Path(path).resolve()
    return str(found) == real and found.is_file()


def _stamp(path: str) -> tuple[int, ...] | None:
    """Return size and age of a file of the program, nothing where it has none."""
    try:
        status = os.stat(path)  # noqa: PTH116 -- hundreds of them at each start
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def write_policy(
    target: Path, policy: Policy, looked: Looked | None, lists: Iterable[ListSource]
) -> None:
    """Write a policy, and its build record if there can be one.

    Args:
        target: the policy file.
        policy: the policy to write.
        looked: the result of ``look`` before anything was read.
        lists: the lists that it was compiled with.

    Raises:
        StoreError: the disk refused.
    """
    import publicsuffixlist  # noqa: PLC0415 -- what serves looks at records, and writes none

    policy_file.save(target, policy)
    if looked is not None:
        files = [one.path for one in lists]
        with contextlib.suppress(FilterdError):  # then it is compiled once more
            note_origin(target, looked, files=files, data=[publicsuffixlist.PSLFILE])
