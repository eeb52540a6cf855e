# SPDX-License-Identifier: Apache-2.0
"""Make the virtual environment of a release, without running the target's processor.

Wheels are unpacked as pip does it; of their scripts only ``filterd`` is kept. Bytecode is made
by the target's version of Python on this machine: it does not depend on the processor. Its
hashes are unchecked, so that neither times nor a changed clock make it stale.
"""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from deploy.package import native_modules, target_python, wheels
from deploy.package.steps import CACHE, BuildError, add, digest, made, run, set_times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.package.target import Target

_LEFT_OUT = (".pyx", ".pxd", ".pxi", ".pyi", ".po", ".c", ".h", ".sh", ".gitignore")
"""Endings of files that only a build or a checker of types reads."""
_SCRIPT = """#!{release}/bin/python
import sys
from filterd.cli.entry import main
sys.exit(main())
"""


def environment(target: Target, folder: Path, release: str) -> None:
    """Make the environment of filterd.

    Args:
        target: the system that it is for.
        folder: where to make it.
        release: the path that it will have when it runs.
    """
    add(dependencies(target), folder)
    add(_unpacked(target, "filterd", [wheels.own(target)]), folder)
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(f"/usr/bin/python{target.python}")
    (folder / "bin" / "filterd").write_text(_SCRIPT.format(release=release), encoding="utf-8")
    (folder / "bin" / "filterd").chmod(0o755)
    (folder / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {target.python}\n",
        encoding="utf-8",
    )


def site_packages(folder: Path, target: Target) -> Path:
    """Return the folder of packages in an environment."""
    return folder / "lib" / f"python{target.python}" / "site-packages"


def runnable(target: Target) -> tuple[list[str | Path], dict[str, str]]:
    """Return the words and variables that run filterd of a target on this machine's processor."""
    native = target.native
    sites = (
        _unpacked(native, "filterd", [wheels.own(native)]),
        dependencies(native),
    )
    path = ":".join(str(site_packages(one, native)) for one in sites)
    env = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "FILTERD_REQUIRE_NATIVE": "1"}
    return [*target_python.interpreter(native), "-m", "filterd"], env


def dependencies(target: Target) -> Path:
    """Return an environment of all that filterd needs, without filterd."""
    return _unpacked(target, "dependencies", wheels.dependencies(target))


def _unpacked(target: Target, name: str, archives: list[Path]) -> Path:
    """Return wheels, unpacked and compiled to bytecode."""
    kept = CACHE / "environments" / f"{name}-{target}-{digest(Path(__file__), *archives)}"
    with made(kept) as fresh:
        if fresh:
            unpack(target, archives, fresh)
            site = site_packages(fresh, target)
            python = target_python.interpreter(target.native)
            run(
                *python, "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash",
                "-s", fresh, "-p", "/opt/filterd/current", site,
            )  # fmt: skip
            if (site / "filterd").exists():
                path = f"{site}:{site_packages(dependencies(target), target)}"
                run(
                    *python,
                    "-m",
                    "filterd.web.page_templates",
                    env={"PYTHONPATH": path},
                    folder=fresh,
                )
            set_times(fresh)
    return kept


def unpack(target: Target, archives: list[Path], prefix: Path) -> None:
    """Unpack wheels into an environment, and strip their libraries.

    Raises:
        BuildError: a wheel names a file outside of it.
    """
    site = site_packages(prefix, target)
    for archive in archives:
        with zipfile.ZipFile(archive) as wheel:
            for info, path in _members(wheel, site, prefix):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(wheel.read(info))
                path.chmod(0o755 if path.suffix == ".so" else 0o644)
    if libraries := sorted(prefix.rglob("*.so")):
        strip = native_modules.compiler(target, "strip")
        run(strip, "--strip-unneeded", *libraries)  # 14 of uvloop's 16 MB


def _members(
    wheel: zipfile.ZipFile, site: Path, prefix: Path
) -> Iterator[tuple[zipfile.ZipInfo, Path]]:
    """Yield what a wheel has, and where it belongs."""
    for info in sorted(wheel.infolist(), key=lambda one: one.filename):
        path = PurePosixPath(info.filename)
        first, *rest = path.parts
        if info.is_dir() or path.name.endswith(_LEFT_OUT) or "tests" in path.parts:
            continue
        if ".." in path.parts or path.is_absolute():
            raise BuildError(
                f"{wheel.filename}: {info.filename} would be outside of the environment"
            )
        if not first.endswith(".data"):
            yield info, site / path
        elif rest[0] in {"purelib", "platlib"}:
            yield info, site.joinpath(*rest[1:])
        elif rest[0] == "data" and rest[1:3] != ["share", "man"]:
            yield info, prefix.joinpath(*rest[1:])
