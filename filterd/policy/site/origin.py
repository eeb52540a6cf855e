# SPDX-License-Identifier: Apache-2.0
"""What a policy was compiled from: a start need not compile again what has not changed.

The process that compiles leaves a record beside the policy file: the SHA-256 of
that file and of every YAML file in the three folders that it looks into, where
the lists are that the site names, and which files of which size and age the
program was loaded from. A policy is current while all of it is as it was. A
record that is missing, damaged or of another policy only costs a compilation,
and so does whatever changed while the policy was being compiled: the texts are
looked at first.

It also keeps the site's own YAML files themselves: while somebody has broken one of
them, new lists come in force with the site as it last was good (``kept``).

Standard library only, as in ``process``: the serving process asks this.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.errors import StoreError
from filterd.paths import install, open_plain, shipped, write_atomically
from filterd.sentences import refused, say

if TYPE_CHECKING:
    from collections.abc import Iterable

_LARGEST_OCTETS = 8 << 20
"""More than any YAML file that is taken, and than any policy."""
_LARGEST_RECORD_OCTETS = 4 * _LARGEST_OCTETS
"""More than the record of any site."""

EXPECTATIONS = "expectations"
"""The folder in a site's where the expectations are."""

Texts = dict[str, str]
"""The SHA-256 of files, in hexadecimal, by their paths."""


class Looked(NamedTuple):
    """What a policy is about to be compiled from.

    Attributes:
        texts: digests of all YAML files.
        site: the text of those in the site's folder, by their paths in it.
    """

    texts: Texts
    site: dict[str, str]

    def with_site(self, config: Path, site: dict[str, str]) -> Looked:
        """Return the same with the site's files as they were another time."""
        texts = {path: digest for path, digest in self.texts.items() if not _is_in(path, config)}
        for path, text in site.items():
            texts[str(config.absolute() / path)] = hashlib.sha256(octets(text)).hexdigest()
        return Looked(texts, site)


def look(config: Path, blocklists: Path) -> Looked | None:
    """Look at what a policy is about to be compiled from; None where some of it cannot be read.

    Args:
        config: the folder of ``site.yaml``.
        blocklists: the catalogue's folder.
    """
    folder = config.absolute()
    try:
        paths = (*sorted(folder.glob("*.yaml")), *sorted((folder / EXPECTATIONS).glob("*.yaml")))
        site = {path.relative_to(folder).as_posix(): _text(path) for path in paths}
        return Looked(texts_of(config, blocklists), site)
    except (OSError, StoreError):
        return None


def texts_of(config: Path, blocklists: Path) -> Texts:
    """Look at every YAML file that a site's policy may depend on.

    Args:
        config: the folder of ``site.yaml``.
        blocklists: the catalogue's folder.

    Raises:
        OSError: one cannot be read.
        StoreError: the policies that ship are missing.
    """
    sites = (config.absolute(), shipped("policies"))
    folders = (*sites, *(site / EXPECTATIONS for site in sites), blocklists.absolute())
    paths = (path for folder in folders for path in sorted(folder.glob("*.yaml")))
    return {str(path): _digest(path) for path in paths}


def note_origin(policy: Path, looked: Looked, files: Iterable[str], data: Iterable[str]) -> None:
    """Record what a policy was made from, when it has been written.

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
        origin = {
            "policy": _digest(policy),
            "texts": looked.texts,
            "site": looked.site,
            "files": {path: str(Path(path).resolve()) for path in files},
            "program": {path: stamp for path in sorted(program) if (stamp := _stamp(path))},
        }
    except OSError as error:
        raise StoreError(
            say("{policy}: cannot be read: {why}", policy=policy, why=refused(error))
        ) from error
    write_atomically(_record(policy), json.dumps(origin).encode())


def is_current(policy: Path, config: Path, *, blocklists: Path) -> bool:
    """Tell whether compiling the site would give this very policy file again.

    Args:
        policy: the policy file.
        config: the folder of ``site.yaml``.
        blocklists: the catalogue's folder.
    """
    try:
        origin = _read(policy)
        return texts_of(config, blocklists) == origin["texts"] and _is_sound(policy, origin)
    except _DAMAGED:
        return False


def is_of_same_site(policy: Path, other: Path, config: Path, *, blocklists: Path) -> bool:
    """Tell whether a policy is of the site as another one is, and of these blocklists as they are.

    Args:
        policy: the policy file.
        other: that of the other.
        config: the folder of ``site.yaml``, whatever stands there now.
        blocklists: the catalogue's folder.
    """
    try:
        origin = _read(policy)
        now, then = (
            {path: digest for path, digest in texts.items() if not _is_in(path, config)}
            for texts in (texts_of(config, blocklists), origin["texts"])
        )
        return now == then and origin["site"] == _read(other)["site"] and _is_sound(policy, origin)
    except _DAMAGED:
        return False


def site_of(policy: Path) -> dict[str, str] | None:
    """Return the site's YAML files that a policy was compiled from; None where that is not known.

    Returns:
        Their texts by their paths in the site's folder.
    """
    try:
        site: dict[str, str] = _read(policy)["site"]
        return {str(path): str(text) for path, text in site.items()}
    except _DAMAGED:
        return None


_DAMAGED = (OSError, StoreError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading a record may raise that is not there, or not as it was written."""


def _read(policy: Path) -> dict[str, Any]:
    with open_plain(_record(policy)) as file:
        origin: dict[str, Any] = json.loads(file.read(_LARGEST_RECORD_OCTETS))
    return origin


def _is_sound(policy: Path, origin: dict[str, Any]) -> bool:
    """Tell whether a policy file, the lists and the program are as a record says."""
    return (
        _digest(policy) == origin["policy"]
        and all(_is_at(path, real) for path, real in origin["files"].items())
        and all(_stamp(path) == stamp for path, stamp in origin["program"].items())
    )


def note_changed(policy: Path) -> None:
    """Record that a policy with its record, changed since, still comes from the same.

    Raises:
        OSError: it cannot be read.
        StoreError: the disk refused; the policy will be compiled again.
    """
    record = _record(policy)
    origin: dict[str, Any] = json.loads(record.read_bytes())
    write_atomically(record, json.dumps({**origin, "policy": _digest(policy)}).encode())


def hand_over(candidate: Path, policy: Path) -> None:
    """Let the record go where its policy has gone.

    Raises:
        OSError: the disk refused; the policy will be compiled again.
    """
    install(_record(candidate), _record(policy))


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
    """Return the text of a file, whatever its octets are; ``octets`` gives them back."""
    return _content(path).decode("utf-8", "surrogateescape")


def octets(text: str) -> bytes:
    """Return the octets of a file that a record has as text."""
    return text.encode("utf-8", "surrogateescape")


def _is_in(path: str, folder: Path) -> bool:
    return Path(path).is_relative_to(folder.absolute())


def _is_at(path: str, real: str) -> bool:
    found = Path(path).resolve()
    return str(found) == real and found.is_file()


def _stamp(path: str) -> list[int] | None:
    """Return size and age of a file of the program, nothing where it has none."""
    try:
        status = os.stat(path)  # noqa: PTH116 -- hundreds of them at each start
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]
