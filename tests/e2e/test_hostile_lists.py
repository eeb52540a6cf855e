# SPDX-License-Identifier: Apache-2.0
"""A night whose lists are hostile, or whose network is away: `filterd lists update` as it is run.

The command, its children and the server are real; a namespace has the server's address, which is a
public one there, and its own resolver.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from filterd.base.clock import SystemClock
from tests.support.daemon import free_port, write_site
from tests.support.hostile_archives import GOOD, archives, member, tar_gz, texts, zipped
from tests.support.namespaces import Namespace, namespaces
from tests.support.tls import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_namespaces")]

HOST, ADDRESS = "lists.example", "11.22.33.44"
GOOD_LISTS = {
    "/good.txt": GOOD,
    "/good.tar.gz": tar_gz(member(b"domains", GOOD.replace(b"good", b"tar"))),
    "/good.zip": zipped({"domains": GOOD.replace(b"good", b"zip")}),
}
CONDITIONS = "/conditions.txt.gz"
HARMLESS = ("/deep.zip", "/escape.tar.gz")
"""What is a list all the same: a name in an archive leads nowhere."""
MOST_RESIDENT_OCTETS = 400 << 20
"""Of the command and each of its children; one archive alone took 937 MB."""
PEAK = """\
import os, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10
open(sys.argv[1], "w").write(str(peak))
sys.exit(code)
"""
"""Runs a command in a small process: a peak counts from the fork, when a child is as large as its
parent, which here has run many tests."""
ENDS_WITHIN_S = 60.0
"""A night of twenty addresses without DNS: ten seconds, and a slow machine."""


class _Ended(NamedTuple):
    """How a command ended, and what it took."""

    code: int
    output: str
    errors: str
    seconds: float
    resident_octets: int


class _Night:
    """A site that follows addresses, in a namespace of its own."""

    def __init__(self, namespace: Namespace, folder: Path, authority: Authority) -> None:
        self._namespace, self._authority, self.folder = namespace, authority, folder

    def update(self, paths: Mapping[str, bytes], port: int) -> _Ended:
        """Follow a list at each path and run `lists update`."""
        follow = "".join(
            f"  - {{id: l{number}, url: 'https://{HOST}:{port}{path}', category: gambling,"
            f" format: {'adblock' if path == CONDITIONS else 'domains'}}}\n"
            for number, path in enumerate(paths)
        )
        config = write_site(self.folder / "site", port=free_port(), more=f"follow:\n{follow}")
        words = ("lists", "update", "--json", "--config", config, "--state", self.folder / "state")
        clock = SystemClock()
        began = clock.monotonic()
        with (
            (self.folder / "out").open("w+") as output,
            (self.folder / "errors").open("w+") as errors,
        ):
            process = self._namespace.process(
                *(sys.executable, "-S", "-c", PEAK, str(self.folder / "peak")),
                *(sys.executable, "-P", "-m", "filterd", *map(str, words)),
                stdout=output,
                stderr=errors,
                env={**os.environ, "SSL_CERT_FILE": str(self._authority.certificate)},
            )
            code = process.wait()
            output.seek(0)
            errors.seek(0)
            return _Ended(
                code,
                output.read(),
                errors.read(),
                clock.monotonic() - began,
                int((self.folder / "peak").read_text()),
            )

    @property
    def texts(self) -> list[bytes]:
        """The texts that were taken."""
        return [one.read_bytes() for one in (self.folder / "state").rglob("sources/*.txt")]


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    with namespaces("lists") as (made,):
        made.ip(f"address add {ADDRESS}/32 dev lo")
        etc = Path("/etc/netns") / made.name
        etc.mkdir(parents=True)
        (etc / "hosts").write_text(f"127.0.0.1 localhost\n{ADDRESS} {HOST}\n")
        (etc / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        yield made
        shutil.rmtree(etc)


@pytest.fixture
def night(namespace: Namespace, tmp_path: Path) -> _Night:
    return _Night(namespace, tmp_path, Authority(tmp_path))


@pytest.fixture
def silent(namespace: Namespace) -> Iterator[None]:
    """Have a resolver that takes all questions and answers none; no name is in a file."""
    (Path("/etc/netns") / namespace.name / "hosts").write_text("127.0.0.1 localhost\n")

    def bound() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 53))
        return made

    with namespace.run(bound):
        yield


def _serving(night: _Night, namespace: Namespace, pages: Mapping[str, bytes]) -> int:
    """Serve pages by HTTPS in the namespace until the test's process ends; return the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = pages[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = namespace.run(lambda: ThreadingHTTPServer((ADDRESS, 0), Handler))
    issued = night._authority.issue(HOST)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.chain, issued.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def test_hostile_lists_cost_themselves_alone(night: _Night, namespace: Namespace) -> None:
    """Of the last one each line is a condition of its own: the child would take 190 MB for it."""
    lines = (b"||a%d.example^$dnstype=A,denyallow=b%d.example\n" % (n, n) for n in range(300_000))
    conditions = {CONDITIONS: gzip.compress(b"".join(lines), 1)}
    pages = {**archives(), **texts(), **conditions, **GOOD_LISTS}
    port = _serving(night, namespace, pages)
    ended = night.update(pages, port)
    assert ended.code == 0, ended.errors
    remarks = " ".join(json.loads(ended.output)["remarks"])
    assert f"lists: {len(GOOD_LISTS) + len(HARMLESS)} new" in remarks
    assert "memory" in remarks
    taken = night.texts
    for text in (GOOD, GOOD.replace(b"good", b"tar"), GOOD.replace(b"good", b"zip")):
        assert text in taken
    assert ended.resident_octets < MOST_RESIDENT_OCTETS


@pytest.mark.usefixtures("silent")
def test_a_night_without_dns_ends_at_once_and_says_so(night: _Night) -> None:
    ended = night.update({f"/{number}.txt": b"" for number in range(20)}, 443)
    assert ended.code == 30, ended.errors
    assert "does this machine have DNS" in ended.errors
    assert ended.seconds < ENDS_WITHIN_S
