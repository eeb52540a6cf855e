# SPDX-License-Identifier: Apache-2.0
"""``deploy/Containerfile``: its steps in a root of Debian, then the service with its few rights.

There is no engine here, so the steps run by chroot, and namespaces stand for the engine: a
read-only root, one capability, a user of no rights. What only an engine decides (volumes that take
over the owner, the health check's timer) is not seen.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import ROOT
from tests.support.debian_root import debian_root
from tests.support.needs import commands
from tests.support.packages import package
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")

_RUN = """\
set -e
mount --bind "$1" "$1"
for one in etc/filterd var/lib/filterd run/filterd; do mount --bind "$1/$one" "$1/$one"; done
mount -o remount,bind,ro "$1"
mount -t proc proc "$1/proc"
mount -t devtmpfs none "$1/dev" 2>/dev/null || mount --bind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/tmp"
ip link set lo up
exec chroot "$1" setpriv --reuid filterd --regid filterd --clear-groups --no-new-privs \
    --bounding-set=-all,+net_bind_service --inh-caps=-all,+net_bind_service \
    --ambient-caps=-all,+net_bind_service "${@:2}"
"""

_STEP = 'mount -t proc proc "$1/proc" && exec chroot "$1" /bin/sh -c "$2"'


def _instructions() -> list[tuple[str, str]]:
    """Return keyword and argument of each instruction, lines joined, comments left out."""
    lines = "\n".join(line for line in TEXT.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    found = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(keyword, rest.strip()) for keyword, _, rest in found]


def _words(keyword: str) -> list[str]:
    (argument,) = [rest for one, rest in _instructions() if one == keyword]
    words: list[str] = json.loads(argument)
    return words


def test_it_has_no_rights_but_the_port_and_a_check_of_its_health() -> None:
    known = {"ARG", "FROM", "RUN", "COPY", "VOLUME", "EXPOSE", "USER", "ENTRYPOINT", "CMD"}
    keywords = [keyword for keyword, _ in _instructions()]
    assert set(keywords) <= known | {"HEALTHCHECK", "STOPSIGNAL"}
    assert ("USER", "filterd") in _instructions()
    assert keywords.index("USER") < keywords.index("ENTRYPOINT")
    assert "doctor" in dict(_instructions())["HEALTHCHECK"]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a root after the steps of the recipe."""
    commands("mmdebstrap", "unshare", "setpriv")
    folder = tmp_path_factory.mktemp("container")
    root = folder / "root"
    subprocess.run(["cp", "-a", debian_root("trixie"), root], check=True)  # devices, too
    shutil.copy(package("trixie"), root / "tmp")
    for keyword, step in _instructions():
        if keyword == "RUN":  # all that the package needs is in the root
            command = step.replace("apt-get update && ", "")
            done = subprocess.run(
                ["unshare", "--mount", "sh", "-c", _STEP, "step", root, command],
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
    yield root
    shutil.rmtree(folder, ignore_errors=True)


def _inside(image: Path, *words: str) -> list[str]:
    return ["unshare", "--mount", "--net", "bash", "-c", _RUN, "container", str(image), *words]


@pytest.mark.usefixtures("needs_root")
@pytest.mark.long
def test_it_serves_with_a_read_only_root_one_capability_and_a_user_of_its_own(image: Path) -> None:
    serving = subprocess.Popen(_inside(image, *_words("ENTRYPOINT"), *_words("CMD")))
    check = json.loads(dict(_instructions())["HEALTHCHECK"].partition(" CMD ")[2])

    def inside(*words: str) -> subprocess.CompletedProcess[str]:
        entered = ["nsenter", "--target", str(serving.pid), "--mount", "--net", "--root"]
        user = ["setpriv", "--reuid", "filterd", "--regid", "filterd", "--clear-groups"]
        return subprocess.run(
            [*entered, *user, *words], capture_output=True, text=True, check=False
        )

    try:
        until(lambda: inside(*check).returncode == 0, "a check that finds it well")
        assert inside("touch", "/opt/filterd/x").returncode != 0
        assert inside("touch", "/var/lib/filterd/x").returncode == 0
    finally:
        serving.terminate()
        assert serving.wait(60) == 0
    assert subprocess.run(_inside(image, *check), check=False).returncode == 1, "it is not running"
