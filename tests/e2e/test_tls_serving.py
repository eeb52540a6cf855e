# SPDX-License-Identifier: Apache-2.0
"""DNS over TLS of a real daemon, asked by programs of others, held, cut and fed with garbage."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
from itertools import count
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import pytest

from filterd.policy.model import TIER_OF_GRADE
from tests.support.commands import call
from tests.support.daemon import SOURCES, copy_lists, free_port, serving, write_site
from tests.support.needs import command
from tests.support.processes import children
from tests.support.serving import TcpStub, TlsStub, any_certificate, make_certificate
from tests.support.upstream import FakeUpstream
from tests.support.waiting import until
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.daemon import Served

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("warm_children")]

CLOSED = "www.tiktok.com"
NAMES = (
    *(CLOSED, "www.pornhub.com", "www.roblox.com", "www.youtube.com", "www.google.com"),
    *("self-harm.blocked.filterd.example", "www.facebook.com", "chat.openai.com", "wpad"),
    *("use-application-dns.net", "1.0.0.127.in-addr.arpa", "www.example.com", "none.example.com"),
    *("porn.blocked.filterd.example", "ads.blocked.filterd.example", "resolver.arpa"),
)
TYPES = ("A", "AAAA", "HTTPS", "TXT")
DEVICES = 4


class School:
    """A site that keeps names and serves DNS over TLS."""

    def __init__(self, folder: Path, built: StateFolder, upstream: FakeUpstream) -> None:
        self.port, self.tls = free_port(), free_port()
        self.state = copy_lists(built, folder / "state")
        self.config, self._upstream = folder / "site", upstream.port
        self.write()
        make_certificate(self.state.web)

    def write(self, more: str = "") -> None:
        """Write the site with these keys besides."""
        own = f"listen_tls: ['127.0.0.1:{self.tls}']\nlog: {{level: names}}\n{more}"
        write_site(self.config, port=self.port, upstream=self._upstream, more=own)

    @contextlib.contextmanager
    def serve(self) -> Iterator[Served]:
        """Serve, and wait until TLS is there."""
        with serving(self.config, self.state.folder) as daemon:
            until(self.is_by_tls, "DNS over TLS")
            yield daemon

    def is_by_tls(self) -> bool:
        """Return whether a handshake is made."""
        with contextlib.suppress(OSError), self.stub():
            return True
        return False

    def stub(self, grade: str = "1") -> TlsStub:
        """Return a device that asks by TLS and takes any certificate, as Android does."""
        return TlsStub(SOURCES[grade], ("127.0.0.1", self.tls))

    def seen(self) -> set[tuple[str, str]]:
        """Return the names that the log has, by tier."""
        found = set[tuple[str, str]]()
        select = "SELECT tier, names.name FROM seen JOIN names ON names.id = seen.name"
        for path in self.state.log_days.glob("*.sqlite3"):
            with contextlib.closing(sqlite3.connect(path)) as store:
                for tier, name in store.execute(select):
                    found.add((tier, ".".join(reversed(name.split(".")))))
        return found


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as fake:
        fake.add("www.example.com. 3600 IN A 198.18.0.1")
        yield fake


@pytest.fixture
def school(tmp_path: Path, built: StateFolder, upstream: FakeUpstream) -> School:
    return School(tmp_path, built, upstream)


def equal_answers(plain: TcpStub, secured: TlsStub, question: bytes) -> bool:
    """Return whether both ways answer alike; a TTL may have grown a second older between them."""
    return any(plain.ask(question) == secured.ask(question) for _ in range(3))


def test_each_tier_gets_by_tls_what_it_gets_by_tcp_and_the_log_sees_both(school: School) -> None:
    with school.serve() as daemon:
        for grade, source in SOURCES.items():
            for qtype in TYPES:
                with (
                    TcpStub(source, ("127.0.0.1", school.port)) as plain,
                    school.stub(grade) as secured,
                ):
                    for name in NAMES:
                        question = a_query(name, qtype)
                        plain.ask(question)  # its upstream has answered now
                        assert equal_answers(plain, secured, question), (grade, qtype, name)
            with school.stub(grade) as secured:
                secured.ask(a_query(f"grade-{grade}.pornhub.com"))
        assert daemon.end() == 0
    by_tls = {(TIER_OF_GRADE[grade], f"grade-{grade}.pornhub.com") for grade in SOURCES}
    assert by_tls <= school.seen()


def test_kdig_asks_and_is_answered(school: School) -> None:
    with school.serve():
        for options in (("+tls",), ("+tls", "+keepopen", "+padding=128")):
            done = kdig(school, *options)
            assert "status: NXDOMAIN" in done.stdout, done.stdout + done.stderr
            assert "TLS session (TLS1.3)" in done.stdout


def kdig(school: School, *options: str) -> subprocess.CompletedProcess[str]:
    """Ask with kdig for a name that is closed to the first grade."""
    words = [command("kdig"), "@127.0.0.1", "-p", str(school.tls)]
    words += ["-b", SOURCES["1"], *options, CLOSED]
    return subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(
    ("version", "is_served"), [("tls1_2", True), ("tls1_3", True), ("tls1_1", False)]
)
def test_openssl_finds_the_protocol_and_no_old_version(
    school: School, version: str, *, is_served: bool
) -> None:
    with school.serve():
        words = [command("openssl"), "s_client", "-connect", f"127.0.0.1:{school.tls}"]
        words += ["-alpn", "dot", f"-{version}", "-cipher", "ALL:@SECLEVEL=0"]
        done = subprocess.run(
            words, input="", capture_output=True, text=True, timeout=30, check=False
        )
        assert ("ALPN protocol: dot" in done.stdout) is is_served, done.stdout + done.stderr


def test_dnsperf_loses_no_answer(school: School, tmp_path: Path) -> None:
    questions = tmp_path / "questions"
    questions.write_text("".join(f"{name} A\n" for name in (CLOSED, "www.example.com")))
    with school.serve():
        words = [command("dnsperf"), "-m", "dot", "-s", "127.0.0.1", "-p", str(school.tls)]
        words += ["-d", str(questions), "-c", "8", "-n", "40", "-q", "8", "-Q", "150"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert "Queries completed:    80 (100.00%)" in done.stdout, done.stdout + done.stderr


def test_a_reload_and_a_renewed_certificate_end_no_connection(
    school: School, upstream: FakeUpstream
) -> None:
    upstream.add("www.roblox.com. 300 IN A 198.18.0.2")
    with school.serve() as daemon, school.stub() as device:
        shown = device.tls.getpeercert(binary_form=True)
        question = a_query("www.roblox.com")
        before = device.ask(question)
        make_certificate(school.state.web)
        school.write("exceptions: [{allow: www.roblox.com, reason: lesson}]\n")
        assert call("reload", *daemon.options).code == 0
        polls = count()

        def is_renewed() -> bool:
            if next(polls) % 100 == 0:  # an idle connection would end by itself
                device.ask(question)
            return has_another(school, shown)

        until(is_renewed, "the new certificate")
        after = device.ask(question)
        assert dns.message.from_wire(before).rcode() == dns.rcode.NXDOMAIN
        assert dns.message.from_wire(after).rcode() != dns.rcode.NXDOMAIN
        assert daemon.end() == 0
    assert not any("Traceback" in line for line in daemon.log)


def has_another(school: School, shown: bytes | None) -> bool:
    """Return whether a new connection gets another certificate."""
    with contextlib.suppress(OSError), school.stub() as other:  # handshakes have a rate
        return other.tls.getpeercert(binary_form=True) != shown
    return False


def test_a_device_of_a_dead_worker_asks_again_and_is_answered(school: School) -> None:
    with school.serve() as daemon, school.stub() as device:
        device.ask(a_query(CLOSED))
        worker = max(children(daemon.process.pid))
        os.kill(worker, signal.SIGKILL)
        assert device.is_ended()
        with school.stub() as again:  # it waits in the kernel for the next worker
            answer = dns.message.from_wire(again.ask(a_query(CLOSED)))
        assert answer.rcode() == dns.rcode.NXDOMAIN


def test_garbage_halves_and_devices_that_never_read_keep_nobody_out(
    school: School, upstream: FakeUpstream
) -> None:
    upstream.add("large.example.com. 300 IN TXT " + " ".join(f'"{"x" * 250}"' for _ in range(200)))
    server = ("127.0.0.1", school.tls)
    with school.serve(), contextlib.ExitStack() as stack:
        hello = ssl.MemoryBIO()
        with contextlib.suppress(ssl.SSLWantReadError):
            any_certificate().wrap_bio(ssl.MemoryBIO(), hello).do_handshake()
        first = hello.read()
        pieces = (b"", b"GET / HTTP/1.1\r\n\r\n", first[:100], first, os.urandom(500), first * 3)
        for number in range(240):
            abuser = socket.create_connection(server, 20.0, (f"127.0.2.{number % 240 + 1}", 0))
            stack.enter_context(abuser).sendall(pieces[number % len(pieces)])
        for number in range(DEVICES):
            greedy = TlsStub(f"127.0.3.{number + 1}", server)
            stack.enter_context(greedy).send(*[a_query("large.example.com", "TXT")] * 90)
        for grade, source in SOURCES.items():
            with school.stub(grade) as honest:
                assert honest.ask(a_query(CLOSED))
            with TcpStub(source, ("127.0.0.1", school.port)) as plain:
                assert plain.ask(a_query(CLOSED))


def test_a_port_of_another_program_and_a_wrong_key_are_said_and_dns_goes_on(
    school: School, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", school.tls)) as held:
        with serving(school.config, school.state.folder) as daemon:
            shown = " ".join(call("status", *daemon.options).out.split())
            assert f"cannot listen on 127.0.0.1 port {school.tls}" in shown
            assert f"(process {os.getpid()}) has it" in shown
            with TcpStub(SOURCES["1"], ("127.0.0.1", school.port)) as plain:
                assert plain.ask(a_query(CLOSED))
            daemon.end()
        said = [line for line in daemon.log if "DNS over TLS" in line]
        assert len(said) == 1, daemon.log
        held.close()
    shutil.copy(make_certificate(tmp_path / "other") / "key.pem", school.state.web / "key.pem")
    with serving(school.config, school.state.folder) as daemon:
        daemon.wait_for("the key is not that of the certificate")
        assert "the key is not that of the certificate" in call("status", *daemon.options).out
        with pytest.raises(ConnectionRefusedError):
            school.stub()
