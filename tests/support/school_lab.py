# SPDX-License-Identifier: Apache-2.0
"""A school with two classes, a computer room and staff, each on a link of the gateway.

::

    six, nine, room, office -- lan0 .. lan3 [ gateway ] wan0 -- provider

The provider has the upstream, which knows two names, and the page by which devices detect a
portal. dnsmasq hands out the gateway as DNS and router, and nftables keeps pupils from other
resolvers, if it is installed.
"""

from __future__ import annotations

import contextlib
import http.server
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from filterd.appliance.doctor.bypass_probes import CHECK_HOST
from filterd.appliance.stub_query import SIGNED
from filterd.base.protection_level import FILLED_CATEGORIES
from filterd.base.state_folder import StateFolder
from tests.support.commands import ROOT, environment
from tests.support.daemon import Served, build_lists
from tests.support.link_servers import dnsmasq
from tests.support.namespaces import Namespace, connect, namespaces
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator

LINKS = {"six": "192.168.6", "nine": "192.168.9", "room": "192.168.20", "office": "192.168.30"}
"""By client: the first three octets of its link."""
PROVIDER, UPSTREAM = "198.18.51.2", "198.18.51.53"

_SITE = """\
school: {{name: Trường mẫu}}
language: en
upstreams: ['{upstream}:{port}']
classes: {{6A: {{grade: 6}}, 9A: {{grade: 9}}}}
networks:
  six: {{cidrs: [192.168.6.0/24], class: 6A}}
  nine: {{cidrs: [192.168.9.0/24], class: 9A}}
  room: {{cidrs: [192.168.20.0/24], room: true, grade: 6}}
  office: {{cidrs: [192.168.30.0/24], grade: staff}}
lists:
"""
_LIST = "  - {{id: own-{0}, category: {0}, file: own-{0}.txt}}\n"
"""Of each category for which a starter list is too little."""
_RULES = """\
table inet school {
  chain pre {
    type nat hook prerouting priority dstnat
    meta l4proto { tcp, udp } th dport 53 redirect to :53
  }
  chain through {
    type filter hook forward priority 0
    tcp dport 853 reject
  }
}"""
_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")


class _Page(http.server.BaseHTTPRequestHandler):
    """The answer of a page that has no content, or of a portal."""

    status = 204

    def do_GET(self) -> None:
        """Answer with the status of this moment."""
        self.send_response(_Page.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@dataclass
class SchoolLab:
    """The namespaces and the upstream; ``addresses`` are those that it has for names."""

    gateway: Namespace
    clients: dict[str, Namespace]
    folder: Path
    upstream: FakeUpstream
    addresses: dict[str, str] = field(default_factory=dict)
    invented: str = ""

    @property
    def has_firewall(self) -> bool:
        """Whether nftables is installed."""
        return shutil.which("nft", path="/usr/sbin:/usr/bin") is not None

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """Answer as an honest resolver that validates; ``invented`` is for all other names."""
        answer, name = dns.message.make_response(query), query.question[0].name
        answer.flags |= dns.flags.AD | dns.flags.RA
        address = self.addresses.get(name.to_text(omit_final_dot=True), self.invented)
        if address:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", address))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer

    def firewall(self, rules: str = _RULES) -> None:
        """Replace all rules of the gateway."""
        if self.has_firewall:
            load = self.gateway.command("nft", "-f", "-")
            text = f"flush ruleset\n{rules}"
            subprocess.run(load, input=text, text=True, check=True, capture_output=True)

    def portal(self, status: int) -> None:
        """Let the page that detects portals have this status."""
        _Page.status = status

    @contextlib.contextmanager
    def handing_out(self, resolver: str = "0.0.0.0") -> Iterator[None]:
        """Let the gateway hand out addresses, itself as router, and a resolver."""
        options = [
            f"--dhcp-range={link}.100,{link}.199,255.255.255.0,1h" for link in LINKS.values()
        ]
        more = ("--dhcp-option=3,0.0.0.0", f"--dhcp-option=6,{resolver}", "--dhcp-authoritative")
        others = (f"--interface=lan{number}" for number in range(1, len(LINKS)))
        with dnsmasq(self.gateway, self.folder, "lan0", *options, *others, *more):
            yield

    @contextlib.contextmanager
    def serving(self) -> Iterator[Served]:
        """Run filterd on the gateway."""
        config, state = self.folder / "site", StateFolder(self.folder / "state")
        words = (sys.executable, "-m", "filterd", "serve")
        places = ("--config", str(config), "--state", str(state.folder))
        process = self.gateway.process(*words, *places, cwd=ROOT, env=environment(), stderr=-1)
        assert process.stderr is not None
        served = Served(process, config, state)
        reader = threading.Thread(target=served.listen, args=(process.stderr,))
        reader.start()
        try:
            served.wait_for("filterd listens on")
            yield served
            served.end(signal.SIGTERM)
        finally:
            process.kill()
            process.wait()
            reader.join()
            process.stderr.close()

    def command(self, *words: str) -> list[str]:
        """Return a command of filterd on the gateway."""
        filterd = (sys.executable, "-m", "filterd", *words)
        places = ("--config", str(self.folder / "site"), "--state", str(self.folder / "state"))
        return self.gateway.command(*filterd, *places)


@contextlib.contextmanager
def school_lab(folder: Path) -> Iterator[SchoolLab]:
    """Lay the cables, write the site and compile its lists."""
    with contextlib.ExitStack() as stack:
        gateway, provider, *clients = stack.enter_context(namespaces("gateway", "provider", *LINKS))
        for number, (client, link) in enumerate(zip(clients, LINKS.values(), strict=True)):
            connect((gateway, f"lan{number}"), (client, "eth0"))
            gateway.ip(f"address add {link}.1/24 dev lan{number}")
            client.ip(f"address add {link}.20/24 dev eth0")
            client.ip(f"route add default via {link}.1")
        gateway.ip("address add fd00:6::1/64 dev lan0")
        clients[0].ip("address add fd00:6::20/64 dev eth0")
        connect((gateway, "wan0"), (provider, "eth0"))
        gateway.ip("address add 198.18.51.1/24 dev wan0")
        gateway.ip(f"route add default via {PROVIDER}")
        gateway.run(lambda: _FORWARD.write_text("1", encoding="ascii"))
        for address in (PROVIDER, UPSTREAM):
            provider.ip(f"address add {address}/24 dev eth0")
        provider.ip("route add 192.168.0.0/16 via 198.18.51.1")
        upstream = FakeUpstream(address=UPSTREAM)
        provider.run(upstream.__enter__)
        stack.callback(upstream.__exit__)
        page = provider.run(lambda: http.server.ThreadingHTTPServer((PROVIDER, 80), _Page))
        threading.Thread(target=page.serve_forever, args=(0.01,), daemon=True).start()
        stack.callback(page.server_close)
        stack.callback(page.shutdown)
        lab = SchoolLab(gateway, dict(zip(LINKS, clients, strict=True)), folder, upstream)
        lab.addresses = {SIGNED: "198.18.0.80", CHECK_HOST: PROVIDER}
        upstream.respond = lab.answer
        lab.firewall()
        lab.portal(204)
        _write(folder / "site", upstream.port)
        build_lists(folder / "site", folder / "state")
        subprocess.run(lab.command("cert", "make"), cwd=ROOT, env=environment(), check=True)
        yield lab


def _write(folder: Path, port: int) -> None:
    folder.mkdir()
    lists = "".join(map(_LIST.format, sorted(FILLED_CATEGORIES)))
    site = _SITE.format(upstream=UPSTREAM, port=port)
    (folder / "site.yaml").write_text(site + lists, encoding="utf-8")
    for category in FILLED_CATEGORIES:
        (folder / f"own-{category}.txt").write_text(f"{category}.example.net\n", encoding="ascii")
