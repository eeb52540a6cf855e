# SPDX-License-Identifier: Apache-2.0
"""Load the certificate of the box for DNS over TLS, again once it is renewed.

Connections keep the context that they began with, so that a renewal ends none. A certificate that
cannot be used leaves the one before in force. One that has ended is served all the same: devices
that ask for privacy where they can take any, and those that check it say so themselves.
"""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.certificate_facts import facts_in
from filterd.base.errors import FilterdError
from filterd.texts.i18n import UNSAID, Sentence, refused, say

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.clock import Clock

CHAIN, KEY = "certificate.pem", "key.pem"

_logger = logging.getLogger("filterd.daemon")


class _Version(NamedTuple):
    """What changes when a file is replaced."""

    inode: int
    octets: int
    modified_ns: int


class TlsCertificate:
    """The context for new connections, None while there is no certificate.

    Args:
        folder: of the chain and its key.
        clock: the machine's.
        is_logged: whether its problems are written into the journal.
    """

    def __init__(self, folder: Path, clock: Clock, *, is_logged: bool = True) -> None:
        self._folder, self._clock, self._is_logged = folder, clock, is_logged
        self._taken: tuple[_Version | None, ...] = ()
        self._refused: tuple[_Version | None, ...] = ()
        self.context: ssl.SSLContext | None = None
        self.problem: Sentence = UNSAID
        """What an administrator has to do about it."""

    def look(self) -> None:
        """Take a certificate that is new; log a problem once, when it changes.

        The two files are replaced one after the other: a pair that cannot be used is a problem
        when it is seen again.
        """
        seen = _version(self._folder / CHAIN), _version(self._folder / KEY)
        problem = UNSAID
        if seen != self._taken:
            problem = self._take() if seen[0] else _MISSING
            if not problem:
                self._taken = seen
            elif seen[0] and seen != self._refused:
                self._refused = seen
                return
        problem = problem or self._end()
        if problem not in (self.problem, UNSAID, _MISSING) and self._is_logged:
            _logger.warning("%s", say("DNS over TLS: {problem}", problem=problem))
        self.problem = problem

    def _take(self) -> Sentence:
        """Put the files in force; return why they cannot be."""
        try:
            self.context = context_of(self._folder / CHAIN, self._folder / KEY)
        except PermissionError:
            return say("the key cannot be read; run: sudo filterd cert make")
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                return say(
                    "the key is not that of the certificate;"
                    " run: sudo filterd cert install CERT KEY"
                )
            return _UNREADABLE
        except OSError as error:
            return say(
                "the certificate cannot be read ({why}); run: sudo filterd cert make",
                why=refused(error),
            )
        return UNSAID

    def _end(self) -> Sentence:
        """Return that the certificate has ended, if it has."""
        try:
            facts = facts_in(self._folder)
        except FilterdError:  # the dashboard's matter
            return UNSAID
        if facts is None or self._clock.wall() < facts.ends_at:
            return UNSAID
        return say(
            "the certificate has ended; devices that check it do not ask;"
            " run: sudo filterd cert make"
        )


_MISSING = say("there is no certificate; run: sudo filterd cert make")
_UNREADABLE = say("this is no certificate with its key; run: sudo filterd cert make")


def context_of(chain: Path, key: Path) -> ssl.SSLContext:
    """Return the context of a server of DNS over TLS.

    Raises:
        OSError: the files cannot be read, or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["dot"])  # a client without ALPN is served, too (RFC 7858)
    context.num_tickets = 1
    context.load_cert_chain(chain, key)
    return context


def _version(path: Path) -> _Version | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Version(found.st_ino, found.st_size, found.st_mtime_ns)
