# SPDX-License-Identifier: Apache-2.0
"""A text of ``site.yaml`` that waits for the file's owner, and its outcome.

On a gateway the daemon may not write ``/etc/filterd``. It leaves a proposal in the state
folder; a unit of root takes it up (``appliance.setup.site_edit``) and leaves an outcome.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

from filterd.base.errors import ConfigError
from filterd.base.paths import reading, write_atomically
from filterd.base.state_file import FileFormat
from filterd.base.value_class import frozen
from filterd.config.build_record import SITE_FILE
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST_TEXT = 1 << 20
_MODE = 0o644


@frozen
class SiteProposal:
    """A text of ``site.yaml``.

    Attributes:
        base: the SHA-256 of the text that it was made from, in hexadecimal.
        text: the new text.
        author: the person who wants it, for the journal.
    """

    base: str
    text: str
    author: str


@frozen
class ProposalOutcome:
    """What came of a proposal.

    Attributes:
        digest: of its text.
        problem: the error as JSON (``errors.to_plain``); empty: it is in force.
        restart_for: keys that only a restart puts in force.
    """

    digest: str
    problem: str = ""
    restart_for: tuple[str, ...] = ()


_REMEDY = say("edit the site again")
PROPOSAL = FileFormat(
    SiteProposal,
    magic=b"filterd site proposal ",
    title=say("proposal of a site"),
    remedy=_REMEDY,
    most_octets=4 * LARGEST_TEXT,
)
OUTCOME = FileFormat(
    ProposalOutcome,
    magic=b"filterd site outcome ",
    title=say("outcome of a proposal"),
    remedy=_REMEDY,
    most_octets=LARGEST_TEXT,
)


def digest_of(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def too_large() -> ConfigError:
    """Return the error of a site beyond ``LARGEST_TEXT``."""
    return ConfigError(
        say("the file is too large to be edited here"),
        path=SITE_FILE,
        hint=say("change it by hand"),
    )


def changed_meanwhile(path: Path) -> ConfigError:
    """Return the error of a file that has another text than the one edited."""
    return ConfigError(
        say("the file was changed in the meantime"),
        path=str(path),
        hint=say("look at the new state and edit again"),
    )


@contextlib.contextmanager
def replaced(config: Path, base: str, text: str) -> Iterator[None]:
    """Have another text in ``site.yaml``; an error puts the former one back.

    Args:
        config: the folder of the file.
        base: the digest that the file must still have: an edit by hand is not overwritten.
        text: the new text.

    Raises:
        ConfigError: another text stands there, or a link in the place of the file.
        StoreError: the disk refused; the file is as it was.
    """
    path = config / SITE_FILE
    if path.is_symlink():
        raise ConfigError(
            say("the file is a link, which is not replaced"),
            path=str(path),
            hint=say("change it by hand"),
        )
    with reading(path):
        former = path.read_bytes()
    if hashlib.sha256(former).hexdigest() != base:
        raise changed_meanwhile(path)
    write_atomically(path, text.encode(), mode=_MODE)
    try:
        yield
    except BaseException:
        write_atomically(path, former, mode=_MODE)
        raise
