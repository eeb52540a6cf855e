# SPDX-License-Identifier: Apache-2.0
"""What only a kernel of its own shows: limits of memory, of neighbours and sockets in force.

Without KVM the machine is emulated, which takes minutes beside other tests: ``make test-packages``
runs it.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import dns.rcode
import pytest

from tests.package.virtual import ADDRESS, files_as_disk, new_disk, prepare, virtual
from tests.support.commands import ROOT
from tests.support.gateway import ask, eventually, gateway
from tests.support.packages import package

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.long,
    pytest.mark.apart,
    pytest.mark.usefixtures("needs_root"),
]

LOCKED = "www.pornhub.com"
SERVING = ("filterd", "filterd-feed", "filterd-monitor")


def test_limits_are_in_force_and_a_power_cut_ends_nothing(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    shutil.copy(package(), files / "filterd.deb")
    with gateway(tmp_path, upstream_port=53) as around:
        prepare(around)

        def is_blocked() -> bool:
            answer = ask(around.pupil, ADDRESS, LOCKED, within_s=5)
            return answer is not None and answer.rcode() == dns.rcode.NXDOMAIN

        disk = new_disk(tmp_path / "disk.qcow2")
        with virtual(around, disk, files_as_disk(files, tmp_path / "files.ext4")) as box:
            box.run("apt-get", "install", "--yes", "--quiet", "/media/filterd.deb", within_s=900)
            eventually(is_blocked)
            for line in (ROOT / "deploy/package/sysctl.conf").read_text("utf-8").splitlines():
                if line and not line.startswith("#"):
                    key, value = map(str.strip, line.split("="))
                    assert box.run("sysctl", "--values", key).out.strip() == value, key
            for unit in SERVING:
                path = f"/sys/fs/cgroup/system.slice/{unit}.service/memory.max"
                assert int(box.run("cat", path).out), unit
            box.cut_power()
            box.start()
            eventually(is_blocked)
