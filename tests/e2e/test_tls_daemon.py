# SPDX-License-Identifier: Apache-2.0
"""An upstream over TLS, as an administrator sets it, with a real daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.message
import dns.query
import dns.rcode

from filterd.base.state_folder import StateFolder
from tests.support.daemon import SOURCES, WITHIN_S, free_port, serving, write_site
from tests.support.policies import an_index
from tests.support.serving import LISTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.tls import Authority, TlsDoor


def _school(folder: Path, port: int, door: TlsDoor) -> tuple[Path, Path]:
    """Write a site whose upstream must prove its name, and a state folder with lists."""
    config, state = write_site(folder / "site", port=port, upstream=door.port), folder / "state"
    path = config / "site.yaml"
    server = f"{{server: '127.0.0.1:{door.port}', tls: strict, name: dns.example}}"
    text = path.read_text(encoding="utf-8").replace(f"'127.0.0.1:{door.port}'", server)
    path.write_text(text, encoding="utf-8")
    state.mkdir()
    an_index(folder, LISTS)
    (folder / "index").rename(StateFolder(state).index)
    return config, state


def test_the_daemon_asks_an_authenticated_server_and_explains_a_refused_impostor(
    tmp_path: Path, door: TlsDoor, authority: Authority
) -> None:
    port = free_port()

    def ask(name: str) -> dns.message.Message:
        query = dns.message.make_query(name, "A")
        return dns.query.udp(query, "127.0.0.1", WITHIN_S, port, source=SOURCES["1"])

    with serving(*_school(tmp_path, port, door)) as served:
        assert ask("www.example.com").answer[0][0].to_text() == "198.18.0.1"
        door.show(authority.issue("other.example"))
        door.end_connections()
        assert ask("mail.example.com").rcode() == dns.rcode.SERVFAIL
        assert "correct `name` in site.yaml" in served.wait_for("not for 'dns.example'")
        assert ask("porn.example").rcode() == dns.rcode.NXDOMAIN
        assert served.end() == 0
    assert door.upstream.transports == {"tls": 1}
    assert not any("ERROR" in line or "Traceback" in line for line in served.log)
