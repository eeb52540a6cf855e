# SPDX-License-Identifier: Apache-2.0
"""Write the texts of the package: copyright, changes, manual pages and completions."""

from __future__ import annotations

import gzip
import re
import textwrap
from email.utils import formatdate
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.package import wheels
from deploy.package.environment import runnable
from deploy.package.steps import CACHE, ROOT, add, digest, made, run, set_times
from filterd.version import RELEASED_AT

if TYPE_CHECKING:
    from deploy.package.target import Target

MAINTAINER = "filterd maintainers <maintainers@filterd.invalid>"
_COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/filterd",
    "zsh": "usr/share/zsh/vendor-completions/_filterd",
    "fish": "usr/share/fish/vendor_completions.d/filterd.fish",
}
_BULLET = re.compile(r"^- ((?:.+\n)(?:  .+\n)*)", re.MULTILINE)
_LICENCES = {
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-2-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
}
"""Older words of metadata, in those of SPDX."""
_APACHE = "/usr/share/common-licenses/Apache-2.0"
_COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: filterd

Files: *
Copyright: 2026 the authors of filterd
License: Apache-2.0

Files: */blocklists/schools/*
Copyright: 2013 Lee Reilly, 2015 Hipo
License: MIT
Comment: names of schools; LICENSE beside them has the text
"""


def write_documents(tree: Path, site: Path, target: Target, version: str) -> None:
    """Write the texts of the package into its tree.

    Args:
        tree: what dpkg unpacks at ``/``.
        site: the folder of Python packages in it.
        target: the system that it is for.
        version: the version of the package.
    """
    add(_printed(target), tree)
    folder = tree / "usr/share/doc/filterd"
    _pack(folder / "changelog.gz", _changes(version).encode())
    (folder / "copyright").write_text(_copyright(tree, site), encoding="utf-8")


def _printed(target: Target) -> Path:
    """Return a folder with manual pages and completions as the commands print them."""
    words, env = runnable(target)
    kept = CACHE / "printed" / digest(Path(__file__), wheels.own(target.native))
    with made(kept) as fresh:
        if fresh:
            fresh.mkdir()
            run(*words, "man", "--out", fresh / "usr/share/man", env=env, folder=fresh)
            for page in sorted(fresh.rglob("*.1")):
                _pack(page.with_suffix(".1.gz"), page.read_bytes())
                page.unlink()
            for shell, path in _COMPLETIONS.items():
                (fresh / path).parent.mkdir(parents=True, exist_ok=True)
                text = run(*words, "completion", shell, env=env, folder=fresh)
                (fresh / path).write_text(text, encoding="utf-8")
            set_times(fresh)
    return kept


def _pack(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, 9, mtime=0))


def _changes(version: str) -> str:
    """Return the newest section of ``CHANGELOG.md`` as Debian writes changes."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = text.split("\n## ")[1]
    wrapped = textwrap.TextWrapper(78, initial_indent="  * ", subsequent_indent="    ")
    lines = (wrapped.fill(" ".join(bullet.split())) for bullet in _BULLET.findall(newest))
    date = formatdate(RELEASED_AT).replace("-0000", "+0000")
    head, foot = f"filterd ({version}) stable; urgency=medium", f" -- {MAINTAINER}  {date}"
    return "\n".join([head, "", *lines, "", foot, ""])


def _copyright(tree: Path, site: Path) -> str:
    """Return the machine-readable copyright file, by the metadata of all that is bundled."""
    paragraphs, licences = [_COPYRIGHT], {"Apache-2.0", "MIT"}
    for one in bundled(site):
        licences.add(licence_of(one))
        tops = {site / file.parts[0] for file in one.files or () if file.parts[0] != ".."}
        listed = "\n ".join(
            sorted(f"{top.relative_to(tree)}{'/*' * top.is_dir()}" for top in tops if top.exists())
        )
        paragraphs.append(
            f"Files: {listed}\nCopyright: {_holder(one)}\nLicense: {licence_of(one)}\n"
            f"Comment: {one.name} {one.version}, as its wheel has it\n"
        )
    for licence in sorted(licences):
        where = _APACHE if licence == "Apache-2.0" else f"/{site.relative_to(tree)}/*.dist-info"
        paragraphs.append(f"License: {licence}\n The text is in {where}.\n")
    return "\n".join(paragraphs)


def bundled(site: Path) -> list[Distribution]:
    """Return what a folder of Python packages has beside filterd, by name."""
    found = sorted(distributions(path=[str(site)]), key=lambda one: one.name.lower())
    return [one for one in found if one.name != "filterd"]


def licence_of(one: Distribution) -> str:
    """Return the licence of a distribution by its metadata, in the words of SPDX."""
    if expression := _field(one, "License-Expression"):
        return expression
    kinds = [kind for kind in one.metadata.get_all("Classifier") or () if "License ::" in kind]
    named = _field(one, "License") or (kinds[0].rpartition(" :: ")[2] if kinds else "")
    return _LICENCES.get(named, named)


def _holder(one: Distribution) -> str:
    fields = (_field(one, name) for name in ("Author", "Author-email", "Maintainer-email"))
    return " ".join(next(filter(None, fields), f"the authors of {one.name}").split())


def _field(one: Distribution, name: str) -> str:
    return str(one.metadata[name]) if name in one.metadata else ""
