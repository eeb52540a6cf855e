# SPDX-License-Identifier: Apache-2.0
"""Certificates that TLS accepts, and the reasons for refusals."""

from __future__ import annotations

import asyncio
import errno
import ssl
import threading

import pytest

from filterd.policy.model import Tls, UpstreamServer
from filterd.texts.i18n import translated
from filterd.upstream import tls_trust
from filterd.upstream.tls_trust import TRUST_FOR_S, Trust, check_name, explain, name_of
from tests.support.clock import FakeClock

SERVER = UpstreamServer("192.0.2.1", 853, Tls.STRICT, "dns.example")


def context(tls: Tls) -> ssl.SSLContext:
    return asyncio.run(Trust(FakeClock()).context(tls))


def test_strict_wants_a_certificate_of_the_right_name_from_an_authority() -> None:
    strict = context(Tls.STRICT)
    assert (strict.verify_mode, strict.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_opportunistic_takes_any_and_needs_no_authorities() -> None:
    taking = context(Tls.OPPORTUNISTIC)
    assert (taking.verify_mode, taking.check_hostname) == (ssl.CERT_NONE, False)
    assert taking.get_ca_certs() == []


@pytest.mark.parametrize("tls", [Tls.STRICT, Tls.OPPORTUNISTIC])
def test_nothing_older_than_tls_1_2_is_spoken(tls: Tls) -> None:
    assert context(tls).minimum_version == ssl.TLSVersion.TLSv1_2


def test_the_machine_s_authorities_are_read_once_a_day() -> None:
    async def main() -> None:
        clock = FakeClock()
        trust = Trust(clock)
        first = await trust.context(Tls.STRICT)
        clock.advance(TRUST_FOR_S - 1)
        assert await trust.context(Tls.STRICT) is first
        clock.advance(1)
        assert await trust.context(Tls.STRICT) is first, "nobody waits for the disk"
        await _read(trust)
        assert await trust.context(Tls.STRICT) is not first

    asyncio.run(main())


async def _read(trust: Trust) -> None:
    assert trust._reading is not None
    await trust._reading


def test_a_disk_that_hangs_stops_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()

    async def main() -> None:
        clock = FakeClock()
        trust = Trust(clock)
        first, read = await trust.context(Tls.STRICT), tls_trust._strict
        monkeypatch.setattr(tls_trust, "_strict", lambda: (answers.wait(), read())[1])
        clock.advance(TRUST_FOR_S)
        for _ in range(3):
            assert await trust.context(Tls.STRICT) is first
        answers.set()
        await _read(trust)
        assert await trust.context(Tls.STRICT) is not first

    asyncio.run(main())


def _none_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no authority be readable, as on a disk that has failed."""
    monkeypatch.setenv("SSL_CERT_FILE", "/absent")
    monkeypatch.setenv("SSL_CERT_DIR", "/absent")


def test_authorities_that_cannot_be_read_again_are_still_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        clock = FakeClock()
        trust = Trust(clock)
        first = await trust.context(Tls.STRICT)
        monkeypatch.setattr(tls_trust, "_count", lambda one: 100 if one is first else 0)
        _none_left(monkeypatch)
        clock.advance(TRUST_FOR_S)
        await trust.context(Tls.STRICT)
        await _read(trust)
        assert await trust.context(Tls.STRICT) is first

    asyncio.run(main())


def test_what_was_read_before_the_fork_is_trusted_where_nothing_can_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tls_trust, "_read_before", {})
    tls_trust.read_authorities()
    before = tls_trust._read_before["strict"]
    monkeypatch.setattr(tls_trust, "_count", lambda one: 100 if one is before else 0)
    _none_left(monkeypatch)
    assert context(Tls.STRICT) is before


def test_where_the_authorities_cannot_be_read_no_server_is_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/absent")
    monkeypatch.setenv("SSL_CERT_DIR", "/absent")
    strict = context(Tls.STRICT)
    assert (strict.verify_mode, strict.get_ca_certs()) == (ssl.CERT_REQUIRED, [])


def _certificate_error(code: int, message: str = "") -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]")
    error.verify_code, error.verify_message = code, message
    return error


def _tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] words of OpenSSL (_ssl.c:1006)")
    error.reason = reason
    return error


REASONS = {
    "not valid yet": _certificate_error(9),
    "expired": _certificate_error(10),
    "signed by no authority that this machine trusts": _certificate_error(18),
    "not for 'dns.example'": _certificate_error(62),
    "certificate revoked": _certificate_error(23, "certificate revoked"),
    "(wrong version number)": _tls_error("WRONG_VERSION_NUMBER"),
    "(a fault without a name)": ssl.SSLError(1, "a fault without a name"),
    "no TLS connection in time": TimeoutError(),
    "refuses connections": ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
    "closes connections": ConnectionResetError(),
    "No route to host; ": OSError(errno.EHOSTUNREACH, "No route to host"),
    "ValueError": ValueError(),
}


@pytest.mark.parametrize(("reason", "error"), REASONS.items(), ids=REASONS.keys())
def test_the_reason_is_one_line(reason: str, error: Exception) -> None:
    line = explain(error, SERVER)
    assert reason in line
    assert "\n" not in line


def test_a_reason_is_a_sentence_whose_name_is_filled_in() -> None:
    assert "'dns.example'" in translated(explain(_certificate_error(62), SERVER), "vi")
    with pytest.raises(ValueError, match="no certificate") as error:
        check_name(context(Tls.STRICT), "a..b")
    line = explain(error.value, SERVER)
    assert translated(line, "vi") != str(line) == str(error.value)


def test_every_reason_of_ours_names_a_remedy() -> None:
    assert all(";" in reason for reason in tls_trust._REASONS.values())


def test_without_a_name_the_certificate_must_say_the_address() -> None:
    assert name_of(SERVER) == "dns.example"
    assert name_of(UpstreamServer("fe80::1%eth0", 853, Tls.STRICT)) == "fe80::1"


@pytest.mark.parametrize("name", ["", ".", "a..b", "\0", "a\0b", "x" * 300])
def test_a_name_that_no_certificate_can_have_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="no certificate can be issued for"):
        check_name(context(Tls.STRICT), name)


@pytest.mark.parametrize("name", ["dns.example", "192.0.2.1", "2001:db8::1"])
def test_a_name_or_an_address_is_none(name: str) -> None:
    check_name(context(Tls.STRICT), name)
