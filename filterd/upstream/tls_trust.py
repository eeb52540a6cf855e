# SPDX-License-Identifier: Apache-2.0
"""TLS trust: certificate checks and their errors (RFC 8310 §5, §6.3, §8.1)."""

from __future__ import annotations

import asyncio
import os
import ssl
from typing import TYPE_CHECKING

from filterd.policy.model import Tls
from filterd.texts.i18n import Sentence, quoted, say

if TYPE_CHECKING:
    from filterd.base.clock import Clock
    from filterd.policy.model import UpstreamServer

TRUST_FOR_S = 86_400
"""Authorities change while filterd runs for months: the machine's are read again each day."""

_PROTOCOLS = ["dot"]

_EXPIRED = say("its certificate has expired; use another server, or check this machine's clock")
_NOT_YET = say("its certificate is not valid yet; check this machine's clock")
_UNKNOWN = say(
    "its certificate is signed by no authority that this machine trusts; use another server,"
    " or add its authority to the machine's certificates"
)
_OTHER_NAME = say(
    "its certificate is not for '{name}'; correct `name` in site.yaml, or use another server"
)
_REASONS = {
    9: _NOT_YET,
    10: _EXPIRED,
    18: _UNKNOWN,
    19: _UNKNOWN,
    20: _UNKNOWN,
    21: _UNKNOWN,
    62: _OTHER_NAME,
    64: _OTHER_NAME,
}
"""By OpenSSL's numbers (``X509_V_ERR_...`` in x509_vfy.h); others have a text of their own."""


_read_before: dict[str, ssl.SSLContext] = {}
"""What was read before this process was forked."""


def read_authorities() -> None:
    """Read the machine's authorities, for this process and its forks.

    They have them then, also where the disk fails.
    """
    _read_before["strict"] = _strict()


class Trust:
    """SSL contexts for new connections.

    No session is resumed: the certificate of a resumed one is not judged again,
    and an occasional handshake is cheap.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._strict: ssl.SSLContext | None = None
        self._strict_until = 0.0
        self._reading: asyncio.Task[None] | None = None
        self._opportunistic: ssl.SSLContext | None = None

    async def context(self, tls: Tls) -> ssl.SSLContext:
        """Return the context for ``STRICT`` or ``OPPORTUNISTIC``."""
        if tls == Tls.OPPORTUNISTIC:
            self._opportunistic = self._opportunistic or _opportunistic()
            return self._opportunistic
        self._strict = self._strict or _read_before.get("strict")
        if self._reading is None and self._clock.monotonic() >= self._strict_until:
            self._reading = asyncio.get_running_loop().create_task(self._read_anew())
        if self._strict is None:
            assert self._reading is not None, "nothing was read, so it is due"
            await asyncio.shield(self._reading)
        assert self._strict is not None, "it was read"
        return self._strict

    async def _read_anew(self) -> None:
        """Read the authorities anew; who has earlier ones does not wait for it."""
        try:  # a disk may hang
            # In a thread: it reads and parses hundreds of certificates.
            fresh, before = await asyncio.to_thread(_strict), self._strict
            # A disk that fails now gives an empty set, and no error.
            self._strict = before if before and _count(fresh) < _count(before) // 2 else fresh
            self._strict_until = self._clock.monotonic() + TRUST_FOR_S
        finally:
            self._reading = None


def _count(context: ssl.SSLContext) -> int:
    return context.cert_store_stats()["x509_ca"]


def _strict() -> ssl.SSLContext:
    """Return a context that trusts the machine's authorities and checks the name."""
    context = ssl.create_default_context()
    _harden(context)
    return context


def _opportunistic() -> ssl.SSLContext:
    """Return a context that accepts any server: it stops passive listeners only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _harden(context)
    return context


def _harden(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(_PROTOCOLS)


def name_of(server: UpstreamServer) -> str:
    """Return the name in the certificate: a name, or an address without its scope."""
    return server.tls_name or server.address.partition("%")[0]


def check_name(context: ssl.SSLContext, name: str) -> None:
    """Check that a certificate can have that name, before connecting.

    Raises:
        ValueError: it cannot.
    """
    try:
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name)
    except (ValueError, TypeError) as error:
        raise ValueError(
            say("no certificate can be issued for {name}; correct it in site.yaml", name=repr(name))
        ) from error


def explain(error: Exception, server: UpstreamServer) -> Sentence:
    """Return in one line what is wrong with a server and the remedy."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = _REASONS.get(error.verify_code)
        return reason.filled({"name": name_of(server)}) if reason else quoted(error.verify_message)
    if isinstance(error, ssl.SSLError):
        what = str(getattr(error, "reason", error)).replace("_", " ").lower()
        return say(
            "it has no TLS version or cipher in common with filterd ({what}); is the port right?",
            what=what,
        )
    if isinstance(error, OSError):
        return _why_not_reached(error)
    said = error.args[0] if error.args else ""
    return said if isinstance(said, Sentence) else quoted(str(said) or type(error).__name__)


def _why_not_reached(error: OSError) -> Sentence:
    if isinstance(error, TimeoutError):
        return say("no TLS connection in time; is the server up, and is the port right?")
    if isinstance(error, ConnectionRefusedError):
        return say("it refuses connections; does it speak TLS, and is the port right?")
    if isinstance(error, ConnectionError):
        return say(
            "it closes connections during the TLS handshake; does it speak TLS on this port?"
        )
    what = os.strerror(error.errno) if error.errno else str(error) or type(error).__name__
    return say("{what}; is there a route to it from here?", what=quoted(what))
