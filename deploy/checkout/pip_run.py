# SPDX-License-Identifier: Apache-2.0
"""Run pip, show its progress, and say in one sentence why it failed.

pip is the one that Python brings (ensurepip), unpacked for the time of a set-up. It installs into
an environment that has none.
"""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

from deploy.checkout.children import StepError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from deploy.checkout.children import Children

_OPTIONS = (
    "--disable-pip-version-check", "--no-color", "--progress-bar=off", "--no-compile",
    "--no-warn-script-location", "--root-user-action=ignore", "--constraint=constraints.txt",
)  # fmt: skip
_COLLECTS = re.compile(r"^Collecting ([A-Za-z0-9][\w.-]*)")
_INSTALLS = re.compile(r"^Installing collected packages: (.+)")
_NONE = re.compile(r"No matching distribution found for ([A-Za-z0-9][\w.-]*)")
_ABSENT = re.compile(r"The user requested \(constraint\) ([\w.-]+)==")
"""What pip says where a constraint names the only version, and that one is not there."""
_BROKEN = re.compile(r"connection broken by '(.+?)': /|Could not fetch URL .*?: (.+) - skipping")
_HOST = re.compile(r"host='([^']+)'")
_WHY = (
    (re.compile(r"CERTIFICATE_VERIFY_FAILED|certificate verify failed"),
     "its certificate is not trusted; PIP_CERT=FILE names the authorities"),
    (re.compile(r"ProxyError|Cannot connect to proxy"), "the proxy refused"),
    (re.compile(r"[Tt]imed? ?out"), "no answer in time"),
    (re.compile(r"\[Errno -?\d+\] ([A-Z][\w ]+)"), ""),
)  # fmt: skip


def unpack_pip(archive: Path, folder: Path) -> Path:
    """Unpack pip's wheel without its metadata, by which pip would find itself installed.

    Returns:
        The script that runs it.
    """
    with zipfile.ZipFile(archive) as wheel:
        wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith("pip/")])
    return folder / "pip" / "__pip-runner__.py"


class Pip:
    """pip, as it installs from the index or from a folder of wheels."""

    def __init__(
        self, children: Children, script: Path, wheels: Path | None, python: str, machine: str
    ) -> None:
        self._children, self._script, self._wheels = children, script, wheels
        self._about = f"Python {python} on {machine}"

    def install(
        self,
        python: Path,
        requirements: Sequence[str],
        on_progress: Callable[[str], None],
        expected: int = 0,
    ) -> int:
        """Install requirements into the environment of a Python; return how many came.

        Args:
            python: that Python.
            requirements: as in ``pyproject.toml``.
            on_progress: is called with how far it is.
            expected: about how many there are; 0 where that is not known.

        Raises:
            StepError: pip failed.
        """
        counting = Counting(expected)
        words: list[str | Path] = [
            python,
            self._script,
            "install",
            *_OPTIONS,
            *self._source(),
            *requirements,
        ]
        code, lines = self._children.run(
            words, on_line=lambda line: on_progress(counting.read(line))
        )
        if code != 0:
            raise StepError(why_it_failed(lines, self._about, self._wheels))
        return counting.installed

    def fill(self, python: str, requirements: Sequence[str], folder: Path) -> None:
        """Fetch the wheels of requirements, and of all that they need, into a folder.

        Raises:
            StepError: pip failed.
        """
        words: list[str | Path] = [
            python,
            self._script,
            "wheel",
            "--wheel-dir",
            folder,
            "--no-color",
        ]
        words += ["--disable-pip-version-check", "--progress-bar=off"]
        words += ["--constraint=constraints.txt", *requirements]
        code, lines = self._children.run(words)
        if code != 0:
            raise StepError(why_it_failed(lines, self._about, None))

    def _source(self) -> tuple[str, ...]:
        if self._wheels is None:
            return ()
        return ("--no-index", f"--find-links={self._wheels}")


class Counting:
    """How far pip is, by its lines."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.installed = 0
        self._collected = set[str]()

    def read(self, line: str) -> str:
        """Read a line; return how far pip is."""
        if found := _COLLECTS.match(line):
            self._collected.add(found[1].lower())
        elif found := _INSTALLS.match(line):
            self.installed = len(found[1].split(", "))
            return f"{self.installed} of {self.installed}, installing"
        elif _BROKEN.search(line):
            return f"{len(self._collected)} fetched; no connection, trying again"
        count = len(self._collected)
        return f"{count} of {max(count, self.expected)}" if self.expected else f"{count}"


def why_it_failed(lines: Iterable[str], about: str, wheels: Path | None) -> str:
    """Return one sentence of what pip wrote.

    Args:
        lines: what it wrote.
        about: the Python and the processor.
        wheels: the folder that it installs from; None for the index.
    """
    said = list(lines)
    text = "\n".join(said)
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
    broken = _BROKEN.search(text)
    if broken and wheels is None:
        host = _HOST.search(text)
        return unreachable(host[1] if host else "the package index", _reason(broken[0]), about)
    if "No space left on device" in text:
        return "the disk is full: make room, then run make again"
    conflict = next((line.strip() for line in said if " depends on " in line), "")
    if found := _NONE.search(text) or (None if conflict else _ABSENT.search(text)):
        if wheels is not None:
            return (
                f"{wheels.name}/ has no {found[1]} for {about}: run `make wheels` with this "
                f"Python on a machine with the Internet, or remove {wheels.name}/"
            )
        return f"the package index has no {found[1]} that constraints.txt asks for, for {about}"
    if "ResolutionImpossible" in text or "conflicting dependencies" in text:
        return f"constraints.txt does not fit {about}: {conflict or errors[0]}"
    last = errors or [line for line in said if line.strip()][-1:] or ["it wrote nothing"]
    return f"pip failed: {last[-1].strip()}"


def _reason(text: str) -> str:
    for pattern, reason in _WHY:
        if found := pattern.search(text):
            return reason or found[1].strip()
    return "no connection"


def unreachable(host: str, why: str, about: str) -> str:
    """Return the sentence of a machine without the Internet."""
    return (
        f"{host} cannot be reached ({why}), and there is no wheels/: connect this machine to the "
        f"Internet, or run `make wheels` on another one with {about} and copy its wheels/ here"
    )
