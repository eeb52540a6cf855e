# SPDX-License-Identifier: Apache-2.0
"""The faces run as their units let them: the socket is given, and there is no network.

systemd's ``PrivateNetwork=`` is a network namespace with loopback only; ``unshare --net`` makes
one here.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from filterd.appliance.setup.web_certificate import CHAIN, KEY, make
from filterd.base.clock import SystemClock
from tests.support.commands import ROOT, environment
from tests.support.daemon import WITHIN_S, build_lists, free_port, serving, write_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.daemon import Served

pytestmark = [
    pytest.mark.usefixtures("warm_children"),
    pytest.mark.usefixtures("needs_namespaces"),
]
BOX = "127.0.0.1"
_PASSED = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.set_inheritable(3, True)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.executable, [sys.executable, "-m", "filterd", *sys.argv[2:]])
"""


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    config = write_site(tmp_path_factory.mktemp("site"), port=free_port())
    state = build_lists(config, tmp_path_factory.mktemp("state"))
    with serving(config, state.folder) as served:
        yield served


@contextlib.contextmanager
def _face(school: Served, unit: str, **variables: str) -> Iterator[int]:
    """Run the command of a unit on a port that is given to it; yield the port."""
    text = (ROOT / "deploy" / "units" / f"{unit}.service").read_text(encoding="utf-8")
    assert "PrivateNetwork=yes" in text
    (command,) = re.findall(r"^ExecStart=\S+ (\w+) ", text, re.MULTILINE)
    with socket.create_server((BOX, 0)) as listening:
        number = listening.fileno()
        words = (str(number), command, *school.options)
        process = subprocess.Popen(
            ["unshare", "--net", sys.executable, "-c", _PASSED, *words],
            cwd=ROOT,
            env=environment(**variables),
            pass_fds=[number],
        )
        try:
            yield listening.getsockname()[1]
        finally:
            process.kill()
            process.wait()


def test_the_dashboard_answers_with_the_key_that_it_was_handed(
    school: Served, tmp_path: Path
) -> None:
    make(tmp_path / CHAIN, tmp_path / KEY, ["filterd"], [BOX], SystemClock().wall())
    context = ssl.create_default_context(cafile=tmp_path / CHAIN)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    with _face(school, "filterd-web", CREDENTIALS_DIRECTORY=str(tmp_path)) as port:
        asked = http.client.HTTPSConnection(BOX, port, context=context, timeout=WITHIN_S)
        asked.request("GET", "/login")
        assert asked.getresponse().status == 200
        asked.close()


def test_the_page_for_pupils_answers(school: Served) -> None:
    with _face(school, "filterd-blockpage") as port:
        asked = http.client.HTTPConnection(BOX, port, timeout=WITHIN_S)
        asked.request("GET", "/")
        answer = asked.getresponse()
        assert (answer.status, b"111" in answer.read()) == (200, True)
        asked.close()
