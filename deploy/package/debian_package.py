# SPDX-License-Identifier: Apache-2.0
"""Make the Debian package of filterd for a target.

dpkg owns an environment in ``/usr/lib/filterd/release``; its script runs from
``/opt/filterd/releases/VERSION``, where ``postinst`` puts it.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.package.documents import MAINTAINER, write_documents
from deploy.package.environment import environment, site_packages
from deploy.package.steps import ROOT, run, set_times
from filterd.version import __version__

if TYPE_CHECKING:
    from deploy.package.target import Target

HERE = Path(__file__).parent
RELEASE = Path("usr/lib/filterd/release")
_SCRIPTS = ("preinst", "postinst", "prerm", "postrm", "config", "templates")
_SETTINGS = {
    "sysctl.conf": "usr/lib/sysctl.d/60-filterd.conf",
    "sysusers.conf": "usr/lib/sysusers.d/filterd.conf",
    "tmpfiles.conf": "usr/lib/tmpfiles.d/filterd.conf",
    "journald.conf": "usr/lib/systemd/journald.conf.d/60-filterd.conf",
    "lintian-overrides": "usr/share/lintian/overrides/filterd",
}


def debian_package(target: Target, folder: Path, *, fast: bool = False) -> Path:
    """Make the package in a folder and return its path; what was there stays until it is whole.

    Args:
        target: the system that it is for.
        folder: where the finished package goes.
        fast: compress in a second and not in twenty, 24 MB and not 17; for tests.

    Raises:
        BuildError: a step failed.
    """
    version = f"{__version__}+{target.suffix}"
    package = folder / f"filterd_{version}_{target.architecture}.deb"
    package.parent.mkdir(parents=True, exist_ok=True)
    print(f"making {package.name}: some minutes the first time", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".package.") as part:
        tree = Path(part) / "tree"
        _fill(tree, target, version)
        _control(tree, target, version)
        set_times(tree)
        # One thread: with more, the bytes would depend on the number of processors.
        words = ["-Zzstd", "-z3"] if fast else ["-Zxz"]
        run("dpkg-deb", "--root-owner-group", *words, "--threads-max=1", "--build", tree, part)
        next(Path(part).glob("*.deb")).replace(package)
    return package


def _fill(tree: Path, target: Target, version: str) -> None:
    release = tree / RELEASE
    environment(target, release, f"/opt/filterd/releases/{__version__}")
    units = [path for path in sorted((ROOT / "deploy" / "units").iterdir()) if path.suffix != ".md"]
    for folder in (release / "share/filterd/units", tree / "usr/lib/systemd/system"):
        for unit in units:
            _copy(unit, folder / unit.name)
    for name, path in _SETTINGS.items():
        if (HERE / name).exists():
            _copy(HERE / name, tree / path)
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/filterd").symlink_to("/opt/filterd/current/bin/filterd")
    write_documents(tree, site_packages(release, target), target, version)


def _copy(source: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, copy)
    if source.stat().st_mode & 0o100:
        copy.chmod(0o755)


def _control(tree: Path, target: Target, version: str) -> None:
    """Write what dpkg reads: fields, digests and maintainer scripts."""
    files = [path for path in sorted(tree.rglob("*")) if path.is_file() and not path.is_symlink()]
    control = tree / "DEBIAN"
    control.mkdir()
    major, minor = target.python.split(".")
    fields = {
        "Package": "filterd",
        "Version": version,
        "Architecture": target.architecture,
        "Maintainer": MAINTAINER,
        "Installed-Size": str(sum(-(-path.stat().st_size // 1024) for path in files)),
        # Pre-: dpkg alone would unpack it, see what is missing, and leave the machine like that.
        # Another version of Python is refused by preinst, with the remedy.
        "Pre-Depends": "python3, libc6 (>= 2.28), "
        "debconf (>= 0.5) | debconf-2.0, iproute2, libgcc-s1, libstdc++6, systemd, tzdata",
        "Depends": f"python3 (>= {target.python}), python3 (<< {major}.{int(minor) + 1})",
        "Section": "net",
        "Priority": "optional",
        "Description": "DNS filter for the gateway of a school\n"
        " Answers every lookup of a school by age tier, from category lists that a\n"
        " central authority publishes, signs and updates nightly. It keeps filtering\n"
        " with the Internet, the feed, the disk or the clock broken.",
    }
    text = "".join(f"{name}: {value}\n" for name, value in fields.items())
    (control / "control").write_text(text, encoding="utf-8")
    sums = ((hashlib.md5(path.read_bytes(), usedforsecurity=False), path) for path in files)
    digests = (f"{one.hexdigest()}  {path.relative_to(tree)}\n" for one, path in sums)
    (control / "md5sums").write_text("".join(digests), encoding="utf-8")
    for name in _SCRIPTS:
        if (HERE / name).exists():
            _copy(HERE / name, control / name)
            (control / name).chmod(0o644 if name == "templates" else 0o755)
    script = control / "preinst"
    script.write_text(script.read_text("utf-8").replace("@PYTHON@", target.python), "utf-8")
