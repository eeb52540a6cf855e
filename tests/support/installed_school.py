# SPDX-License-Identifier: Apache-2.0
"""A school whose gateway is a machine with the package, as its devices and its console see it."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.message
import dns.rcode

from tests.support.gateway import Gateway, ask, eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.booted import Booted
    from tests.support.namespaces import Namespace

DASHBOARD, PAGE = 8443, 80
"""The ports that browsers know."""
BOX, OFFICE_BOX = "192.168.6.1", "192.168.9.1"
"""The addresses of the machine in the networks of pupils and of staff."""
LOCKED, FOR_STAFF, OPEN = "www.pornhub.com", "www.tiktok.com", "www.example.com"
ANSWERS = """\
school: Trường THCS Nguyễn Du
language: en
classes: [3A]
networks: [192.168.6.0/24, 192.168.9.0/24]
'seat 192.168.6.0/24': 3A
'seat 192.168.9.0/24': gv
upstreams: 198.51.100.53
lists: later
"""


@dataclass
class InstalledSchool:
    """A machine with filterd, and the devices around it."""

    box: Booted
    around: Gateway

    def asks(
        self, where: Namespace, name: str, server: str = BOX, within_s: float = 2
    ) -> dns.message.Message | None:
        return ask(where, server, name, within_s=within_s)

    def blocks(self, where: Namespace, name: str, server: str = BOX) -> bool:
        """Return whether a name is blocked; a failure is neither."""
        answer = self.asks(where, name, server, within_s=30)
        assert answer is not None, f"{name}: silence"
        assert answer.rcode() in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}, answer
        return answer.rcode() == dns.rcode.NXDOMAIN

    def page(self, port: int, path: str = "/") -> tuple[int, str]:
        """Return what a browser in the office gets."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        request = f"GET {path} HTTP/1.1\r\nHost: {OFFICE_BOX}\r\nConnection: close\r\n\r\n"
        with contextlib.ExitStack() as stack:
            opened = self.around.office.socket(
                socket.SOCK_STREAM, OFFICE_BOX, port=port, within_s=30
            )
            stack.callback(opened.close)
            if port == DASHBOARD:
                opened = context.wrap_socket(opened)
                stack.callback(opened.close)
            opened.sendall(request.encode())
            response = http.client.HTTPResponse(opened)
            response.begin()
            return response.status, response.read().decode()

    def pid(self, unit: str = "filterd") -> int:
        return int(self.box.run("systemctl", "show", "--value", "-pMainPID", unit).out)

    def journal(self) -> str:
        return self.box.run("journalctl", "--no-pager", "--output=cat", "-u", "filterd*").out

    def install(self, package: Path) -> None:
        """Install nothing but this package, as an administrator does."""
        self.box.give(package, "/root/filterd.deb")
        self.box.run("apt-get", "install", "--yes", "--quiet", "/root/filterd.deb", within_s=300)

    def set_up(self) -> None:
        """Set the school up by a file of answers: pupils of class 3A and staff."""
        self.box.write("/root/answers.yaml", ANSWERS)
        self.box.run("filterd", "setup", "--answers", "/root/answers.yaml", within_s=300)

    def wait_for_answers(self) -> None:
        """Wait until the pupils' network has answers."""
        eventually(lambda: self.asks(self.around.pupil, LOCKED) is not None)
