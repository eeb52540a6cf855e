#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do what README says on new machines: its apt line, ``make run``, ``make test``.

``.ci/newcomer.py MACHINE ...`` makes a minimal root of Debian with README's packages and nothing
else, and an ordinary user in it, who has no rights, lays the commit at HEAD where few people
would, and runs both commands. It prints what they print, and last a line for each machine.
It runs as root, on the standard library alone. pip's configuration, certificates and wheels
are handed in; the network is this machine's, until ``make test`` of a machine without IPv6.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.dont_write_bytecode = True

from tests.support.mmdebstrap import NoRootError, make_root  # noqa: E402 -- needs the path

if TYPE_CHECKING:
    from collections.abc import Iterator

BUILD = ROOT / "build"
USER, USER_ID = "hoang", 1000
ODD = "trường học/ổ đĩa của thầy Hoàng/" + "d" * 32 + "/" + "m" * 34
"""A folder with spaces and Vietnamese letters; a clone in it has a path of 110 characters."""
TEMPORARY = "/tmp/" + "t" * 85

NO_IPV6 = """\
ip link set lo up
for one in all default lo; do echo 1 >/proc/sys/net/ipv6/conf/$one/disable_ipv6; done
exec "$@"
"""
ENTER = """\
set -e
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount --rbind /dev "$2/root/dev"
mount -t sysfs sysfs "$2/root/sys"
mount -t proc proc "$2/root/proc"
mount -t tmpfs -o mode=755 tmpfs "$2/root/run"
if [ -n "$3" ]; then mkdir -p "$2/root$3"; mount --bind -o ro "$3" "$2/root$3"; fi
cd "$2/root"
pivot_root . mnt
umount -l /mnt
shift 3
exec "$@"
"""
"""Not chroot, from which the kernel makes no namespaces for users."""


@dataclass(frozen=True)
class Machine:
    """A new machine and where its user lays filterd."""

    suite: str
    user: str = USER
    folder: str = "filterd"
    way: str = "clone"
    """``clone``, ``tarball``, or ``symlink``: a clone that is reached by a link."""
    gcc: bool = True
    ipv6: bool = True
    jobs: int = 4

    @property
    def tests(self) -> str:
        """What ``make test`` runs there: without gcc the files that name native code."""
        if self.gcc:
            return ""
        words = r"NATIVE|FILTERD_PURE|native|filterd\.[a-z.]*\._[a-z]"
        return f" TESTS=\"$(echo $(grep -rlE '{words}' tests --include='test_*.py'))\""

    @property
    def home(self) -> str:
        """The user's home."""
        return "/root" if self.user == "root" else f"/home/{self.user}"

    @property
    def checkout(self) -> str:
        """The path by which the user reaches filterd."""
        return f"{self.home}/{'a link' if self.way == 'symlink' else self.folder}"


MACHINES = {
    "bookworm": Machine("bookworm", folder=ODD),
    "trixie": Machine("trixie", way="symlink", ipv6=False),
    "trixie-without-gcc": Machine("trixie", way="tarball", gcc=False),
    "bookworm-root": Machine("bookworm", user="root"),
    "trixie-root": Machine("trixie", user="root", folder=ODD, way="tarball"),
    "trixie-one": Machine("trixie", jobs=1),
}
"""``.ci/run`` takes the first three."""


def packages(readme: str) -> list[str]:
    """Return the packages of README's apt line."""
    found = re.search(r"sudo apt install ([a-z0-9 -]+)", " ".join(readme.split()))
    if found is None:
        raise SystemExit("newcomer: README.md has no `sudo apt install` line")
    return found[1].split()


def handed_in() -> dict[str, str]:
    """Return what pip and its certificates are told by the environment of this machine."""
    wanted = re.compile(r"(?i)pip_|ssl_cert|requests_ca|\w*_proxy$")
    return {name: value for name, value in os.environ.items() if wanted.match(name)}


@contextlib.contextmanager
def installed(machine: Machine, readme: list[str]) -> Iterator[list[str]]:
    """Make a machine; yield the words before a command of its root."""
    asked = [one for one in readme if machine.gcc or one != "gcc"]
    kept = BUILD / "roots" / f"newcomer-{machine.suite}{'' if machine.gcc else '-without-gcc'}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    if not kept.exists():
        make_root(kept, machine.suite, ("ca-certificates", "tzdata", *asked))
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix="newcomer-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("upper", "work", "root"):
            (folder / part).mkdir()
        _furnish(machine, kept, folder / "upper")
        enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        wheels = os.environ.get("PIP_FIND_LINKS", "")
        wheels = wheels if Path(wheels).is_absolute() and Path(wheels).is_dir() else ""
        yield [*enter, "sh", "-c", ENTER, "newcomer", str(kept), name, wheels]


def _furnish(machine: Machine, kept: Path, upper: Path) -> None:
    """Write the user, the network's names, certificates, pip's configuration, and filterd."""
    owner = 0 if machine.user == "root" else USER_ID
    for name, line in (
        ("passwd", f"{USER}:x:{USER_ID}:{USER_ID}::/home/{USER}:/bin/bash\n"),
        ("group", f"{USER}:x:{USER_ID}:\n"),
        ("subuid", f"{USER}:100000:65536\n"),  # as adduser gives them
        ("subgid", f"{USER}:100000:65536\n"),
    ):
        there = kept / "etc" / name
        _write(upper / "etc" / name, (there.read_text() if there.exists() else "") + line)
    for path in ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf"):
        if Path(path).exists():
            _write(upper / path[1:], Path(path).read_text())
    certificates = Path("/etc/ssl/certs/ca-certificates.crt")
    if certificates.exists():
        _write(upper / str(certificates)[1:], certificates.read_text())
    checkout = upper / machine.home[1:] / machine.folder
    checkout.parent.mkdir(parents=True)
    if machine.way == "tarball":
        checkout.mkdir()
        archive = subprocess.run(
            ["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True
        )
        subprocess.run(["tar", "-x", "-C", checkout], input=archive.stdout, check=True)
    else:
        subprocess.run(["git", "clone", "--quiet", "--no-local", ROOT, checkout], check=True)
    if machine.way == "symlink":
        (checkout.parent / "a link").symlink_to(machine.folder)
    (upper / TEMPORARY[1:]).mkdir(parents=True)
    (upper / "tmp").chmod(0o1777)
    for path in (upper / TEMPORARY[1:], upper / machine.home[1:]):
        subprocess.run(["chown", "-R", "-h", f"{owner}:{owner}", path], check=True)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def as_user(machine: Machine, command: str) -> list[str]:
    """Return the words that run a shell command in the checkout as the machine's user."""
    variables = {
        "HOME": machine.home, "USER": machine.user, "LANG": "C", "TERM": "dumb", "COLUMNS": "60",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
        "TMPDIR": TEMPORARY, "CI": "true", **handed_in(),
    }  # fmt: skip
    apart = ["--inh-caps=-all", f"--reuid={USER_ID}", f"--regid={USER_ID}", "--clear-groups"]
    rights = [] if machine.user == "root" else ["setpriv", *apart]
    assigned = [f"{name}={value}" for name, value in variables.items()]
    return [
        *(*rights, "env", "-i", *assigned),
        *("bash", "-c", 'cd "$1" && eval "$2"', "newcomer", machine.checkout, command),
    ]


def try_machine(name: str, machine: Machine, command: str, tests: str) -> tuple[bool, list[str]]:
    """Do what README says; return whether all went well, and lines that say so."""
    readme = packages((ROOT / "README.md").read_text(encoding="utf-8"))
    said, went_well = list[str](), True
    with installed(machine, readme) as enter:
        steps = [("make run", "python3 .ci/newcomer.py --first-answer")] * 2
        steps += [("make test", f"make test JOBS={machine.jobs}{tests or machine.tests}")]
        if not machine.ipv6:
            steps[-1:] = [("set-up of the tests", "make setup-tests"), steps[-1]]
        for what, step in [(command, command)] if command else steps:
            print(f"== {name}: {what}", flush=True)
            apart = ["unshare", "--net", "sh", "-c", NO_IPV6, "newcomer"]
            words = apart if not machine.ipv6 and what == "make test" else []
            started = monotonic()
            code, closing = _shown([*words, *enter, *as_user(machine, step)])
            went_well = went_well and code == 0
            how = "passed" if code == 0 else f"FAILED ({code})"
            said.append(f"== {name}, {what}: {how} in {monotonic() - started:.0f} s. {closing}")
    return went_well, said


def _shown(words: list[str]) -> tuple[int, str]:
    """Run a command, print what it prints; return its exit code and its closing line."""
    closing = ""
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", stdin=subprocess.DEVNULL) as running:  # fmt: skip
        assert running.stdout is not None
        for line in running.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            if re.search(r"\b(passed|failed|newcomer:).* in [0-9.]+ ?s\b", line):
                closing = line.strip()
    return running.returncode, closing


def first_answer(within_s: float = 300) -> int:
    """Run ``make run`` up to the first filtered answer and the page behind its link; end it."""
    started = monotonic()
    with subprocess.Popen(
        ["make", "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as running:
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(running.pid, signal.SIGKILL))
        signal.alarm(int(within_s))
        answered_s = link = None
        assert running.stdout is not None
        for line in running.stdout:
            print(f"{monotonic() - started:5.1f} s  {line}", end="", flush=True)
            if (
                port := re.search(r"dig -b 127.0.1.1 @127.0.0.1 -p (\d+)", line)
            ) and not answered_s:
                _expect_closed(int(port[1]))
                answered_s = monotonic() - started
            if found := re.search(r"https://127\.0\.0\.1:\d+/\S+", line):
                link = found[0]
                break
        if link is None or answered_s is None:
            print(f"newcomer: make run ended without an answer and a link in {within_s} s")
            return 1
        status = _status(link)
        os.killpg(running.pid, signal.SIGINT)
        left = running.stdout.read()
        code = running.wait()
    print(left, end="")
    if "Traceback" in left or status not in (200, 303):
        print(f"newcomer: the page behind the link: {status}; the end: {left!r}")
        return 1
    size = subprocess.run(["du", "-sm", ".venv"], capture_output=True, text=True, check=True)
    print(
        f"newcomer: passed; first filtered answer in {answered_s:.1f} s; the page behind the link: "
        f"{status}; .venv has {size.stdout.split()[0]} MB; Ctrl-C ended it with {code}"
    )
    return 0


def _expect_closed(port: int) -> None:
    """Ask for a closed name as grade 1.

    Raises:
        SystemExit: it is not closed.
    """
    question = bytes.fromhex("a1b201000001000000000000037777770674696b746f6b03636f6d0000010001")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(10)
        asking.bind(("127.0.1.1", 0))
        asking.sendto(question, ("127.0.0.1", port))
        answer = asking.recv(4096)
    if answer[:2] != question[:2] or answer[3] & 15 != 3:
        raise SystemExit(f"newcomer: www.tiktok.com is open to grade 1: {answer.hex()}")


def _status(link: str) -> int:
    """Return the HTTP status of a page whose certificate no machine knows yet."""
    from http.client import HTTPSConnection  # noqa: PLC0415 -- only here

    host, _, path = link.removeprefix("https://").partition("/")
    context = ssl._create_unverified_context()  # noqa: SLF001 -- made a second ago
    connection = HTTPSConnection(host, context=context, timeout=30)
    connection.request("GET", f"/{path}")
    return connection.getresponse().status


def main() -> int:
    """Read the command line, and try the machines one after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("machines", nargs="*", metavar="MACHINE", help=", ".join(MACHINES))
    parser.add_argument("--command", default="", help="run this in the checkout instead")
    parser.add_argument("--tests", default="", help="the tests that make test runs")
    parser.add_argument("--first-answer", action="store_true", help="run make run, here")
    asked = parser.parse_args()
    if asked.first_answer:
        return first_answer()
    if unknown := set(asked.machines) - set(MACHINES):
        parser.error(f"no such machine: {', '.join(sorted(unknown))}")
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        parser.error("it runs as root, and needs mmdebstrap: apt install mmdebstrap")
    said, all_well = list[str](), True
    for name in asked.machines:
        try:
            tests = f" TESTS='{asked.tests}'" if asked.tests else ""
            went_well, lines = try_machine(name, MACHINES[name], asked.command, tests)
        except NoRootError as error:
            went_well, lines = False, [f"== {name}: no root of Debian: {error}"]
        said += lines
        all_well = all_well and went_well
    print(*said, sep="\n", flush=True)
    return int(not all_well)


if __name__ == "__main__":
    sys.exit(main())
