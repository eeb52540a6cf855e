# SPDX-License-Identifier: Apache-2.0
"""What a policy was compiled from: a start need not compile again what has not changed.

The process that compiles leaves a record beside the policy file: the SHA-256 of
that file and of every YAML file in the three folders that it looks into, where
the lists are that the site names, and which files of which size and age the
program was loaded from. A policy is current while all of it is as it was. A
record that is missing, damaged or of another policy only costs a compilation,
and so does whatever changed while the policy was being compiled: the texts are
looked at first.

Standard library only, as in ``process``: the serving process asks this.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.errors import StoreError
from filterd.paths import install, open_plain, shipped, write_atomically
from filterd.sentences import refused, say

if TYPE_CHECKING:
    from collections.abc import Iterable

_LARGEST_OCTETS = 8 << 20
"""More than any YAML file that is taken, and than any policy."""

EXPECTATIONS = "expectations"
"""The folder in a site's where the expectations are."""

Texts = dict[str, str]
"""The SHA-256 of files, in hexadecimal, by their paths."""


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


def note_origin(policy: Path, texts: Texts, files: Iterable[str], data: Iterable[str]) -> None:
    """Record what a policy was made from, when it has been written.

    Args:
        policy: the policy file.
        texts: as they were before they were read.
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
            "texts": texts,
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
        with open_plain(_record(policy)) as file:
            origin: dict[str, Any] = json.loads(file.read(_LARGEST_OCTETS))
        return (
            _digest(policy) == origin["policy"]
            and texts_of(config, blocklists) == origin["texts"]
            and all(_is_at(path, real) for path, real in origin["files"].items())
            and all(_stamp(path) == stamp for path, stamp in origin["program"].items())
        )
    except (OSError, StoreError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


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
    with open_plain(path) as file:
        content = file.read(_LARGEST_OCTETS + 1)
    if len(content) > _LARGEST_OCTETS:
        raise StoreError(say("{path}: is too large", path=path))
    return hashlib.sha256(content).hexdigest()


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
