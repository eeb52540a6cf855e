# SPDX-License-Identifier: Apache-2.0
"""Read a secret: one line of a file that only its owner may read.

The files are in ``secrets/`` beside ``site.yaml``. A secret is in no error, no log and no
state; errors name its file.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from filterd.base.errors import DeliveryError
from filterd.texts.i18n import UNSAID, Sentence, refused, say

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = "secrets"
_MOST_OCTETS = 4096
_is_secret = re.compile(rb"[!-~]([ -~]*[!-~])?").fullmatch


def read_secret(config: Path, name: str) -> str:
    """Return a secret.

    Args:
        config: the folder of ``site.yaml``.
        name: of the file.

    Raises:
        DeliveryError: it cannot be read, others may read it, or it is no line of ASCII.
    """
    path = config / SECRETS / name
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            fault = _fault(os.fstat(file.fileno()))
            content = b"" if fault else file.read(_MOST_OCTETS + 1)
    except PermissionError as error:
        raise DeliveryError(
            say("{path}: only its owner and root may read it", path=path)
        ) from error
    except OSError as error:
        raise DeliveryError(
            say("{path}: cannot be read: {why}", path=path, why=refused(error))
        ) from error
    content = content.removesuffix(b"\n")
    if not fault and (_is_secret(content) is None or len(content) > _MOST_OCTETS):
        fault = say("a secret is one line of visible ASCII")
    if fault:
        raise DeliveryError(say("{path}: {fault}", path=path, fault=fault))
    return content.decode("ascii")


def _fault(found: os.stat_result) -> Sentence:
    """Return why a file must not be used as a secret; UNSAID if it may be."""
    if not stat.S_ISREG(found.st_mode):
        return say("not a plain file")
    if found.st_mode & 0o077:
        return say("others may read it: chmod 600")
    if os.geteuid() not in (0, found.st_uid):
        return say("it is not of this user: chown filterd-monitor")
    return UNSAID
