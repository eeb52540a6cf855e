# SPDX-License-Identifier: Apache-2.0
"""What a set-up makes in the tree itself: messages, code of pages, bytecode, native modules.

All environments of a checkout share it, so that its record is in ``build`` and not in one of them.
"""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.checkout import native_code
from deploy.checkout.environment_folder import replace_file
from deploy.checkout.facts import ROOT
from deploy.checkout.set_up_record import digest, of_files, of_times, read_record, record_text
from filterd.base.native import is_stale

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deploy.checkout.children import Children
    from deploy.checkout.facts import Facts

FOLDER = ROOT / "build" / "set-up"
NATIVE_CACHE = ROOT / "build" / "native"
_NOTING = threading.Lock()
_RECORD = FOLDER / "tree.json"
_CATALOGUES = ROOT / "filterd" / "locale"
_PAGES = ROOT / "filterd" / "web" / "templates"


def wanted_products(facts: Facts, packages: str) -> dict[str, str]:
    """Return the digests of what products must be made of.

    Args:
        facts: of this machine.
        packages: the digest of the run-time packages, one of which compiles pages.
    """
    modules = native_code.native_modules(ROOT)
    sources = [native_code.sources_digest(one) for one in modules]
    pages = [
        *(ROOT / "filterd").glob("*/templates/*.*"),
        ROOT / "filterd" / "web" / "page_templates.py",
    ]
    return {
        "native": digest([*sources, variant(facts)]) if facts.compiles else "no compiler",
        "messages": of_files([*_CATALOGUES.glob("*.po"), *_CATALOGUES.glob("*.py")], ROOT),
        "pages": digest([of_files(pages, ROOT), packages, facts.python]),
        "bytecode": of_times(_python_files(), ROOT),
    }


def variant(facts: Facts) -> str:
    """Return a word for what native modules are compiled by and for."""
    compiled = digest([facts.compiled_by, facts.include, native_code.recipe(ROOT)])[:12]
    return f"{facts.extension.strip('.').partition('.')[0]}-{compiled}"


def made_products(facts: Facts) -> dict[str, str]:
    """Return the digests of what the products that are there were made of."""
    record = read_record(_RECORD)
    made = {part: record.get(part, "") for part in ("messages", "pages")}
    made |= record.get(facts.extension, {})
    if any(not one.with_suffix(".mo").exists() for one in _CATALOGUES.glob("*.po")):
        made["messages"] = ""
    if not any((_PAGES / "__pycache__").glob("*.code")):
        made["pages"] = ""
    if made.get("libraries") != _libraries(facts):
        made["native"] = ""
    return made


def note_product(facts: Facts, part: str, value: str) -> None:
    """Record what a product was made of."""
    with _NOTING:
        _note(facts, part, value)


def _note(facts: Facts, part: str, value: str) -> None:
    record = read_record(_RECORD)
    own = dict(record.get(facts.extension, {}))
    if part in {"messages", "pages"}:
        record[part] = value
    else:
        own[part] = value
    if part == "native":
        own["libraries"] = _libraries(facts)
    record[facts.extension] = own
    _RECORD.parent.mkdir(parents=True, exist_ok=True)
    replace_file(_RECORD, record_text({k: v for k, v in record.items() if k != "format"}).encode())


def _libraries(facts: Facts) -> str:
    """Return the digest of the native modules that are in the tree: sizes and times."""
    modules = native_code.native_modules(ROOT)
    paths = (ROOT / one.built(facts.extension) for one in modules)
    return of_times((path for path in paths if path.exists()), ROOT)


def has_libraries(facts: Facts) -> bool:
    """Return whether all native modules are in the tree, made of its sources."""
    places = [ROOT / one.built(facts.extension) for one in native_code.native_modules(ROOT)]
    return all(place.exists() and not is_stale(place) for place in places)


def absent_libraries(facts: Facts) -> list[native_code.NativeModule]:
    """Return the native modules that no earlier set-up has kept compiled."""
    word = variant(facts)
    return [
        one
        for one in native_code.native_modules(ROOT)
        if not native_code.kept_library(ROOT, NATIVE_CACHE, one, word).exists()
    ]


def place_library(facts: Facts, module: native_code.NativeModule, library: Path) -> None:
    """Put a compiled module beside its source; a process that has the old one keeps that."""
    place = ROOT / module.built(facts.extension)
    fresh = place.with_name(f".{place.name}.new")
    shutil.copyfile(library, fresh)
    fresh.chmod(0o755)
    fresh.replace(place)


def clear_native_cache(facts: Facts) -> None:
    """Remove what is kept of sources that are no longer there."""
    word = variant(facts)
    kept = {
        native_code.kept_library(ROOT, NATIVE_CACHE, one, word).parent
        for one in native_code.native_modules(ROOT)
    }
    for folder in NATIVE_CACHE.glob("filterd.*"):
        if folder not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def make_messages(children: Children, python: str | Path) -> None:
    """Compile the catalogues by a Python that has Babel."""
    more = {"PYTHONPATH": str(ROOT)}
    children.must([python, "-m", "filterd.locale.compile_catalogues"], "messages", more=more)


def make_pages(children: Children, python: Path) -> None:
    """Compile the templates of pages, by the environment that serves them."""
    children.must([python, "-m", "filterd.web.page_templates"], "pages")


def make_bytecode(children: Children, python: str | Path, files: Iterable[Path]) -> None:
    """Compile modules to bytecode, in one process a core."""
    shares = cores()
    ordered = sorted(map(str, files))
    parts = [share for at in range(shares) if (share := ordered[at::shares])]
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 -- only where it is due

    def compile_share(share: list[str]) -> None:
        words = [python, "-m", "compileall", "-q", "-i", "-"]
        children.run(words, given="\n".join(share) + "\n")  # a file of another Python is no fault

    with ThreadPoolExecutor(shares) as pool:
        list(pool.map(compile_share, parts))


def make_own_bytecode(children: Children, python: str) -> None:
    """Compile the modules of filterd to bytecode."""
    make_bytecode(children, python, _python_files())


def _python_files() -> list[Path]:
    return list((ROOT / "filterd").rglob("*.py"))


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def strip_libraries(children: Children, folder: Path) -> None:
    """Strip the libraries of packages, as the Debian package does: 14 of uvloop's 16 MB.

    One that has a second name belongs to an environment that may be in use, and stays.
    """
    strip = shutil.which("strip")
    found = [one for one in sorted(folder.rglob("*.so")) if one.stat().st_nlink == 1]
    if strip and found:
        children.run([strip, "--strip-unneeded", *found])


def size_mb(folder: Path) -> int:
    """Return what a folder takes of the disk."""
    seen: dict[Any, int] = {}
    for place, _, names in os.walk(folder):
        for name in names:
            about = Path(place, name).lstat()
            seen[about.st_ino] = about.st_blocks * 512
    return round(sum(seen.values()) / 1e6)
