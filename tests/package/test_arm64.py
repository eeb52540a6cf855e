# SPDX-License-Identifier: Apache-2.0
"""The release for arm64, run by qemu-user with Debian's libraries for arm64.

A namespace has a ``binfmt_misc`` of its own, so that also what starts ``sys.executable`` runs.
``FILTERD_ARM64_UNITS`` names unit tests that run there too; ``make test-arm64`` names packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from deploy.package import environment, target_python, wheels
from deploy.package.steps import run
from deploy.package.target import ALL, of_machine
from tests.support.commands import ROOT
from tests.support.needs import command, lack

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_namespaces")]

TARGET = next(one for one in ALL if str(one) == "trixie-arm64")
UNITS = os.environ.get(
    "FILTERD_ARM64_UNITS", "wire/test_header.py fastpath/test_rate_limit.py"
).split()
_TOOLS = ("pytest", "hypothesis", "dnspython", "babel", "setuptools")
_HEAD = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
_NAMESPACE = f"""\
set -e
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
printf '%s' ':arm64:M::{_HEAD}:{_MASK}:/usr/bin/qemu-aarch64:F' >/proc/sys/fs/binfmt_misc/register
exec "$@"
"""


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of the package's environment, with what its unit tests need."""
    if of_machine().architecture != "amd64":
        lack("a processor that is not arm64", "the unit tests themselves show it there")
    command("qemu-aarch64")
    folder = tmp_path_factory.mktemp("arm64") / "environment"
    environment.environment(TARGET, folder, str(folder))
    home = target_python.root(TARGET) / "usr/bin"
    (folder / "bin/python").unlink()
    (folder / "bin/python").symlink_to(home / f"python{TARGET.python}")
    settings = folder / "pyvenv.cfg"
    settings.write_text(settings.read_text().replace("/usr/bin", str(home)))
    site = environment.site_packages(folder, TARGET)
    pinned = ("--constraint", ROOT / "constraints.txt", "--no-compile", "--target", site)
    run(*wheels.pip("install", TARGET), *pinned, *_TOOLS)
    for name in ("tests", "blocklists", "policies", "deploy"):
        shutil.copytree(ROOT / name, folder / name)
    for path in ROOT.glob("*.*"):
        if path.is_file():
            shutil.copy(path, folder)
    return folder / "bin" / "python"


def _run(python: Path, *words: str, within_s: float = 600) -> subprocess.CompletedProcess[str]:
    apart = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _NAMESPACE, "sh"]
    return subprocess.run(
        [*apart, python, *words],
        env={**os.environ, "QEMU_LD_PREFIX": str(target_python.root(TARGET))},
        cwd=python.parent.parent,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )


def test_all_native_modules_are_live(python: Path) -> None:
    words = (
        "import platform, re2, uvloop, cryptography.x509, filterd.base.native as native\n"
        "import filterd.fastpath._core, filterd.upstream._pool, filterd.resolve._cache\n"
        "import filterd.lists.index, filterd.wire.codec\n"
        "print(platform.machine(), native.missing())"
    )
    done = _run(python, "-c", words)
    assert done.stdout == "aarch64 []\n", done.stderr


def test_commands_run_that_compile_and_decide(python: Path) -> None:
    assert _run(python, "-m", "filterd", "--version").stdout.startswith("filterd ")
    site = ("--config", "policies", "--state", "state")
    for words in (("policy", "validate", "--config", "policies"), ("lists", "build", *site)):
        done = _run(python, "-m", "filterd", *words)
        assert done.returncode == 0, done.stderr
    done = _run(python, "-m", "filterd", "check", "www.pornhub.com", "--grade", "1", *site)
    assert done.returncode == 1, done.stderr  # blocked


@pytest.mark.parametrize("part", UNITS)
def test_unit_tests_pass(python: Path, part: str) -> None:
    words = ("-m", "pytest", "-q", "-m", "not long and not control", f"tests/unit/{part}")
    done = _run(python, *words, within_s=3600)
    assert done.returncode == 0, done.stdout[-3000:]
