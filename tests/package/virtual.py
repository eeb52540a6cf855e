# SPDX-License-Identifier: Apache-2.0
"""A virtual machine with a kernel of its own: Debian 13 on a disk, emulated by QEMU.

It needs no KVM, and boots in some 15 s. It is a device of the switch of ``gateway``, with the
address 192.168.6.2, and reaches the provider through the gateway. To kill it is a power cut:
what its kernel has not yet written is lost. Commands come by a serial port, and need no network.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import socket
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from filterd.base.clock import SystemClock
from tests.support.commands import Outcome
from tests.support.debian_root import KEPT, debian_root, folder_as_disk
from tests.support.needs import commands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.gateway import Gateway

ADDRESS = "192.168.6.2"
BOOTS_WITHIN_S = 240.0
"""Beside other tests, on two cores."""
_CLOCK = SystemClock()
_SUITE = "trixie"
_DISK_OCTETS = 3 << 30
_KERNEL_WORDS = "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0"
_AGENT = """\
import base64, json, os, subprocess, tty
port = os.open("/dev/ttyS1", os.O_RDWR | os.O_NOCTTY)
tty.setraw(port)
lines = os.fdopen(port, "r+b", buffering=0)
said = b""
while True:
    said += lines.read(1)
    if said.endswith(b"\\n"):
        given = json.loads(base64.b64decode(said))
        said = b""
        done = subprocess.run(given["words"], input=given["given"], capture_output=True, text=True,
                              errors="replace", cwd="/", env={**os.environ, **given["variables"]})
        reply = json.dumps([done.returncode, done.stdout[-60000:], done.stderr[-60000:]])
        rest = base64.b64encode(reply.encode()) + b"\\n"
        while rest:
            rest = rest[lines.write(rest):]
"""
_AGENT_UNIT = """\
[Unit]
DefaultDependencies=no
After=local-fs.target
[Service]
ExecStart=/usr/bin/python3 /usr/local/sbin/agent
Restart=always
[Install]
WantedBy=multi-user.target
"""
_NETWORK = f"""\
[Match]
Name=eth0
[Network]
Address={ADDRESS}/24
Gateway=192.168.6.1
"""
_FILES = {
    "usr/local/sbin/agent": _AGENT,
    "etc/systemd/system/agent.service": _AGENT_UNIT,
    "etc/systemd/network/eth0.network": _NETWORK,
    "etc/fstab": "/dev/vda / ext4 defaults 0 1\n",
    "etc/hostname": "gateway\n",
}
_VARIABLES = {"LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}


@dataclass
class Virtual:
    """A machine with this disk, and with a folder of files at ``/media`` if one is given."""

    around: Gateway
    disk: Path
    files: Path | None = None
    memory_mb: int = 1024
    _qemu: subprocess.Popen[bytes] | None = None
    _port: socket.socket | None = field(default=None, repr=False)

    @property
    def console(self) -> str:
        path = self.disk.with_suffix(".console")
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def start(self) -> None:
        """Boot, and wait until commands are taken."""
        root, serial = debian_root(_SUITE, kernel=True), self.disk.with_suffix(".sock")
        serial.unlink(missing_ok=True)
        kernel, first = (next((root / "boot").glob(f"{one}*-*")) for one in ("vmlinuz", "initrd"))
        words = [
            *("setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-nodefaults"),
            *("-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", str(self.memory_mb)),
            *("-kernel", str(kernel), "-initrd", str(first), "-append", _KERNEL_WORDS),
            *("-drive", f"file={self.disk},if=virtio,format=qcow2", "-vga", "none"),
            *("-nic", "tap,ifname=virtual,script=no,downscript=no,model=virtio-net-pci"),
            *("-display", "none", "-no-reboot", "-device", "virtio-rng-pci"),
            *("-serial", f"file:{self.disk.with_suffix('.console')}"),
            *("-serial", f"unix:{serial},server=on,wait=off"),
        ]
        if self.files is not None:
            words += ["-drive", f"file={self.files},if=virtio,format=raw,readonly=on"]
        self._qemu = self.around.switch.process(*words, stdin=subprocess.DEVNULL)  # type: ignore[assignment]
        self._within(serial.exists, 30)
        self._port = socket.socket(socket.AF_UNIX)
        self._port.connect(str(serial))
        # What is sent before the agent reads is lost.
        self._within(self._answers, BOOTS_WITHIN_S)
        if self.files is not None:
            self.run("mount", "-o", "ro", "/dev/vdb", "/media")

    def _within(self, is_so: Any, limit_s: float) -> None:
        end = _CLOCK.monotonic() + limit_s
        assert self._qemu is not None
        while not is_so():
            assert self._qemu.poll() is None, f"it ended: {self.console[-2000:]}"
            assert _CLOCK.monotonic() < end, f"it does not boot: {self.console[-2000:]}"
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._qemu.wait(0.2)

    def _answers(self) -> bool:
        try:
            return self.run("true", within_s=3).code == 0
        except TimeoutError:
            return False

    def run(
        self, *words: str, given: str = "", check: bool = True, within_s: float = 300
    ) -> Outcome:
        """Run a command in it as root; ``given`` is its standard input.

        Raises:
            AssertionError: it failed, and ``check`` is set.
            TimeoutError: there is no reply.
        """
        self.begin(*words, given=given)
        assert self._port is not None
        self._port.settimeout(within_s)
        said = bytearray()
        while not said.endswith(b"\n"):
            part = self._port.recv(65536)
            assert part, f"it ended: {self.console[-2000:]}"
            said += part
        outcome = Outcome(*json.loads(base64.b64decode(said.splitlines()[-1])))
        assert not check or outcome.code == 0, f"{words}: {outcome.out}{outcome.err}"
        return outcome

    def begin(self, *words: str, given: str = "") -> None:
        """Send a command, and do not wait: a power cut comes before its end."""
        assert self._port is not None
        request = json.dumps({"words": words, "given": given, "variables": _VARIABLES})
        self._port.sendall(base64.b64encode(request.encode()) + b"\n")

    def write(self, target: str, text: str) -> None:
        """Write a small file in it."""
        self.run("tee", target, given=text)

    def switch_off(self) -> None:
        """Let its systemd stop everything; its disk stays."""
        assert self._qemu is not None
        self.begin("systemctl", "poweroff")
        self._qemu.wait(BOOTS_WITHIN_S)
        self.cut_power()

    def cut_power(self) -> None:
        """End it in the middle of everything; its disk stays."""
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait()
        if self._port is not None:
            self._port.close()
        self._qemu = self._port = None


@contextlib.contextmanager
def virtual(around: Gateway, disk: Path, files: Path | None = None) -> Iterator[Virtual]:
    """Boot a machine with this disk on the switch, and switch it off at the end."""
    machine = Virtual(around, disk, files)
    try:
        machine.start()
        yield machine
    finally:
        machine.cut_power()


def prepare(around: Gateway) -> None:
    """Give the machine its socket at the switch, and a way to the provider."""
    commands("qemu-system-x86_64", "qemu-img", "mkfs.ext4", "setpriv")
    for words in ("tuntap add virtual mode tap", "link set virtual master br0 up"):
        around.switch.ip(words) if words.startswith("link") else around.switch.process(
            "ip", *words.split()
        ).wait()
    subprocess.run(
        around.gateway.command("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"), check=True
    )


def new_disk(path: Path, below: Path | None = None) -> Path:
    """Return a disk with Debian alone, or with what a disk that stays as it is has.

    Args:
        path: of the new one.
        below: the disk that it continues.
    """
    source, form = (_debian(), "raw") if below is None else (below, "qcow2")
    words = ("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(source), "-F", form, str(path))
    subprocess.run(words, check=True, capture_output=True)
    return path


def files_as_disk(folder: Path, path: Path) -> Path:
    """Return a disk with the files of a folder, for ``Virtual.files``."""
    octets = sum(one.stat().st_size for one in folder.rglob("*"))
    return folder_as_disk(folder, path, octets + (16 << 20))


def _debian() -> Path:
    root, image = debian_root(_SUITE, kernel=True), KEPT / "virtual.ext4"
    with (KEPT / "virtual.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not image.exists():
            for name, text in _FILES.items():
                (root / name).write_text(text, encoding="ascii")
            units = ("agent.service", "systemd-networkd.service")
            enabling = ["chroot", str(root), "systemctl", "enable", "--quiet", *units]
            subprocess.run(enabling, check=True, capture_output=True)
            unfinished = image.with_suffix(".part")
            folder_as_disk(root, unfinished, _DISK_OCTETS)
            unfinished.rename(image)
    return image
