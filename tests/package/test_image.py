# SPDX-License-Identifier: Apache-2.0
"""``deploy/image/``: the recipe of a card, as far as it goes without a Raspberry Pi.

The layer's script runs in a root of Debian, the script of the first boot on a loop device.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support.commands import ROOT
from tests.support.debian_root import debian_root
from tests.support.needs import command, commands
from tests.support.packages import package

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = ROOT / "deploy" / "image"

_FIRST_BOOT = """\
set -e
device=$(losetup --find --show --partscan "$1")
trap 'umount "$2/state" || true; losetup -d "$device"' EXIT
PATH="$3$PATH" sh "$2/usr/lib/filterd/image/state-partition" "$device" "${device}p3" "$2"
find "$2/state" -mindepth 1 -maxdepth 4 -printf '%P %U %m\\n'
"""


def test_the_layer_names_itself_its_packages_and_its_script() -> None:
    text = (IMAGE / "filterd.yaml").read_text(encoding="utf-8")
    fields = dict(re.findall(r"^# (X-Env-Layer-\w+): (.+)$", text, re.MULTILINE))
    assert {"X-Env-Layer-Name", "X-Env-Layer-Category", "X-Env-Layer-Version"} <= set(fields)
    layer = yaml.safe_load(text)["mmdebstrap"]
    assert {"python3", "iproute2", "cloud-init"} <= set(layer["packages"])
    (hook,) = layer["customize-hooks"]
    assert "/prepare" in hook
    config = yaml.safe_load((IMAGE / "pi4.yaml").read_text(encoding="utf-8"))
    assert config["layer"]["app"] == fields["X-Env-Layer-Name"]


def test_the_first_boot_leaves_the_root_small_and_allows_no_login_by_password() -> None:
    text = (IMAGE / "user-data").read_text(encoding="utf-8")
    assert text.startswith("#cloud-config\n")
    data = yaml.safe_load(text)
    assert (data["growpart"], data["resize_rootfs"]) == ({"mode": "off"}, False)
    assert data["ssh_pwauth"] is False
    assert all(user["lock_passwd"] for user in data["users"])


def test_the_first_boot_is_done_again_until_the_state_partition_is_whole() -> None:
    """``bootcmd`` runs at each boot; ``runcmd`` is marked as done when it begins."""
    data = yaml.safe_load((IMAGE / "user-data").read_text(encoding="utf-8"))
    assert data["bootcmd"][0][0] == "/usr/lib/filterd/image/state-partition"
    (ending,) = data["runcmd"]
    assert ending.startswith("grep -q LABEL=filterd-state /etc/fstab && touch ")


def test_cloud_init_understands_the_first_boot() -> None:
    subprocess.run([command("cloud-init"), "schema", "-c", str(IMAGE / "user-data")], check=True)


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the root of an image, as the layer's script leaves it."""
    commands("mmdebstrap", "unshare", "sfdisk", "losetup", "mkfs.ext4")
    folder = tmp_path_factory.mktemp("card")
    root = folder / "root"
    subprocess.run(["cp", "-a", debian_root("trixie"), root], check=True)  # devices, too
    (root / "etc" / "fstab").write_text("PARTUUID=1-02 / ext4 defaults,noatime 0 1\n", "ascii")
    step = 'mount -t proc proc "$2/proc" && exec sh "$1" "$2" "$3"'  # as mmdebstrap's hooks have it
    words = [IMAGE / "prepare", root, package("trixie")]
    subprocess.run(["unshare", "--mount", "sh", "-c", step, "prepare", *words], check=True)
    yield root
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.usefixtures("needs_root", "needs_loop_devices")
@pytest.mark.long
def test_an_image_has_no_key_and_writes_no_journal_to_the_card(card: Path) -> None:
    assert list(card.glob("etc/filterd-web/*.pem")) == []
    assert not (card / "var/lib/filterd/device.pem").exists()
    assert (card / "etc/machine-id").read_bytes() == b""
    assert (card / "opt/filterd/current/bin/filterd").exists()
    assert "volatile" in (card / "etc/systemd/journald.conf.d/90-image.conf").read_text("ascii")


@pytest.mark.usefixtures("needs_root", "needs_loop_devices")
@pytest.mark.long
def test_the_first_boot_makes_the_state_partition_also_after_a_power_cut(
    card: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "card.img"
    with disk.open("wb") as file:
        file.truncate(600 << 20)
    table = ",64M,c\n,128M,L\n"
    subprocess.run(["sfdisk", "--quiet", str(disk)], input=table, text=True, check=True)
    cut = tmp_path / "cut"  # the power goes at the copy of the third folder
    cut.mkdir()
    (cut / "cp").write_text(
        f"#!/bin/sh\necho >>'{cut}/n'\n[ $(wc -l <'{cut}/n') != 3 ] || {{ kill -9 $PPID; exit; }}\n"
        'exec /bin/cp "$@"\n'
    )
    (cut / "cp").chmod(0o755)

    def first_boot(path: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["unshare", "--mount", "bash", "-c", _FIRST_BOOT, "boot", disk, card, path],
            capture_output=True,
            text=True,
            check=False,
        )

    before = (card / "etc/fstab").read_text("ascii")
    assert first_boot(f"{cut}:").returncode != 0
    assert (card / "etc/fstab").read_text("ascii") == before, "the old state is in force"
    done = first_boot("")
    assert done.returncode == 0, done.stderr
    kept = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    owner = (card / "var/lib/filterd").stat().st_uid
    assert kept["var/lib/filterd"] == f"{owner} 750"
    assert "etc/filterd/site.yaml" in kept
    assert not any(name.endswith(".part") for name in kept)
    table_of_mounts = (card / "etc/fstab").read_text("ascii")
    assert "PARTUUID=1-02 / ext4 defaults,ro,noatime 0 1" in table_of_mounts
    assert "/state/var/lib/filterd /var/lib/filterd none bind" in table_of_mounts
    assert first_boot("").returncode == 0
    assert (card / "etc/fstab").read_text("ascii") == table_of_mounts
