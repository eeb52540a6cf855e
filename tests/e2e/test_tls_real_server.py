# SPDX-License-Identifier: Apache-2.0
"""A foreign server over TLS: a real Unbound, whose answers no test has composed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import dns.zone

from filterd.policy.model import Tls, UpstreamServer
from filterd.upstream import upstream_question
from tests.support.daemon import free_port
from tests.support.serving import Serving, a_site
from tests.support.unbound import unbound
from tests.support.wire import a_query

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from filterd.lists.index import Index
    from tests.support.tls import Authority

BELL = 200
ZONE = dns.zone.from_text("@ 60 IN SOA ns root 1 1 1 1 1\n@ NS ns\nwww A 198.18.0.1", "lab.vn")


def test_a_real_server_is_asked_by_tls_if_it_proves_its_name(
    tmp_path: Path, index: Index, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    shown, port = authority.issue(), free_port()
    by_tls = (
        f"    interface: 127.0.0.1@{port}\n    tls-port: {port}\n"
        f'    tls-service-key: "{shown.key}"\n    tls-service-pem: "{shown.chain}"\n'
    )
    server = UpstreamServer("127.0.0.1", port, Tls.STRICT, "dns.example")
    impostor = UpstreamServer("127.0.0.1", port, Tls.STRICT, "other.example")
    with unbound(tmp_path / "unbound", zones={"lab.vn.": ZONE}, more=by_tls) as running:
        monkeypatch.setattr(upstream_question, "PLAIN_PORT", running.port)
        with Serving(a_site(index, [server])) as serving, serving.stub() as stub:
            for number in range(BELL):
                stub.send(a_query(f"n{number}.lab.vn", message_id=number))
            answers = [dns.message.from_wire(stub.receive()) for _ in range(BELL)]
            assert {answer.rcode() for answer in answers} == {dns.rcode.NXDOMAIN}
            assert serving.ask("www.lab.vn").answer[0][0].to_text() == "198.18.0.1"
            serving.sites.current = a_site(index, [impostor])
            assert serving.ask("www.lab.vn").rcode() == dns.rcode.SERVFAIL
