# SPDX-License-Identifier: Apache-2.0
"""Change the keys of ``site.yaml``.

Every other line of it stays as a person wrote it.

ruamel.yaml keeps comments and order, but writes all of a file in its own layout. So a change
is merged: what differs between its text of the file before and after the change replaces just
those lines of the person's text. The result must have the wanted data, and the site must
compile with it, in a process of its own, before it takes the place of the file.

The installer runs this module for a new file: ``python -m filterd.appliance.setup.site_writer vi``.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import tempfile
import textwrap
from copy import deepcopy
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from filterd.base.errors import ConfigError, ConfigErrors
from filterd.base.paths import shipped, write_atomically, writing
from filterd.config.build_record import SITE_FILE
from filterd.config.compile_run import compile_in_child
from filterd.documents import load, parse
from filterd.texts.i18n import language_of, say, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.texts.i18n import Language, Sentence

UNNAMED = "Trường chưa đặt tên"
"""The school's name in the site that an installation begins with."""
Plain = dict[str, Any]

_HEAD = say(
    "The site of a school. /opt/filterd/current/share/filterd/policies/README.md explains every"
    " key. After each change: filterd policy validate && sudo filterd reload"
)
_COMMENTS = {
    "language": say("The language of messages, reports and the journal: vi or en."),
    "upstreams": say("The resolvers that are asked for names that pass."),
    "classes": say("The classes, and the grade of each."),
    "networks": say(
        "The networks of the school, and the class or grade of each. A client in none of them has"
        " their strictest grade; while there are none, every client has the strictest policy."
        " Examples:"
    ),
    "leases": say("The leases of the DHCP server, by which devices are known."),
    "follow": say("Public lists, fetched every night."),
    "feed": say("The signed feed of lists."),
}
"""What stands above a key that is added."""
_EXAMPLES = {
    "networks": (
        "phong-may: {cidrs: [192.168.20.0/24], grade: 6}",
        "giao-vien: {cidrs: [192.168.30.0/24], grade: staff}",
    )
}
"""YAML to copy, between that and the key, so that it is never below what is really there."""
_WIDTH = 1 << 20
_COMMENT_WIDTH = 90
_INDENTS = (2, 4, 3, 1, 6, 8)


def read_text(config: Path) -> tuple[str, Plain]:
    """Return the text of ``site.yaml`` and its plain data.

    Both are empty where there is no such file.

    Raises:
        ConfigError: it cannot be read, or is no YAML.
    """
    path = config / SITE_FILE
    if not path.exists():
        return "", {}
    data = load(path).data
    return path.read_bytes().decode("utf-8-sig"), data if isinstance(data, dict) else {}


def begun(language: Language) -> str:
    """Return the text of the site that an installation begins with.

    It has no network and no class.
    """
    return rewritten(
        "", {"school": {"name": UNNAMED}, "language": language, "networks": {}}, language
    )


def rewritten(text: str, change: Plain, language: Language) -> str:
    """Return the text of a site with a change; without a change the very same text.

    Args:
        text: the file; empty for a new one.
        change: keys and their values, nested; None takes a key out.
        language: of the comments above new keys.

    Raises:
        ConfigError: no text was found that has the change and all of the rest.
    """
    if not change:
        return text
    lines = text.replace("\r\n", "\n")
    if not lines.strip():
        head = "".join(f"# {line}\n" for line in _wrapped(_HEAD, language))
        return f"# SPDX-License-Identifier: Apache-2.0\n{head}{_added(change, language, 2)}"
    lines += "" if lines.endswith("\n") else "\n"
    data = parse(lines.encode(), SITE_FILE).data or {}
    there = {key: value for key, value in change.items() if key in data}
    fresh = {key: value for key, value in change.items() if key not in data}
    for indent in _INDENTS:  # new lines must stand beneath those that are there
        try:
            plain, changed = (
                _dumped(lines, one, indent).splitlines(keepends=True) for one in ({}, there)
            )
        except YAMLError:
            break  # one of the two readers takes what the other does not
        own = lines.splitlines(keepends=True)
        merged = "".join(_merged(own, plain, changed) if there else own)
        merged += _added(fresh, language, indent)
        if _data_of(merged) == _with(data, change):
            return merged.replace("\n", "\r\n") if "\r\n" in text else merged
    raise ConfigError(
        say("the file cannot be changed without changing more than the answers ask for"),
        path=SITE_FILE,
        hint=say("change it by hand"),
    )


def put(config: Path, text: str) -> None:
    """Replace ``site.yaml`` if the site compiles with the new text.

    Raises:
        ConfigErrors: all that is wrong with the site, as if the text stood there; nothing changes.
        StoreError: the disk refused; nothing changes.
    """
    path = config / SITE_FILE
    with writing(path), tempfile.TemporaryDirectory() as folder:
        compile_with(config, text, Path(folder) / "policy", shipped("blocklists"))
    write_atomically(path, text.encode(), mode=0o644)


def compile_with(config: Path, text: str, policy: Path, blocklists: Path) -> None:
    """Compile the site as if ``site.yaml`` had this text.

    Args:
        config: the folder of the site.
        text: of ``site.yaml``.
        policy: the file to compile into.
        blocklists: the catalogue's folder.

    Raises:
        ConfigErrors: all that is wrong with the site.
        StoreError: the disk refused.
    """
    with writing(policy), tempfile.TemporaryDirectory() as folder:
        tried = Path(folder) / "site"
        if config.exists():
            ignored = shutil.ignore_patterns(SITE_FILE, ".*", "secrets")
            shutil.copytree(config, tried, ignore=ignored, ignore_dangling_symlinks=True)
        tried.mkdir(exist_ok=True)
        (tried / SITE_FILE).write_bytes(text.encode())
        try:
            compile_in_child(tried, policy, blocklists=blocklists)
        except ConfigErrors as error:
            raise placed(error, tried, config) from None


def placed(errors: ConfigErrors, tried: Path, config: Path) -> ConfigErrors:
    """Return errors as of the folder that was copied."""
    return ConfigErrors(
        ConfigError(
            error.reason,
            path=error.path.replace(str(tried), str(config)),
            line=error.line,
            column=error.column,
            hint=error.hint,
        )
        for error in errors.errors
    )


def _data_of(text: str) -> Any:
    try:
        return parse(text.encode(), SITE_FILE).data
    except ConfigError:
        return None


def _with(data: Plain, change: Plain) -> Plain:
    """Return plain data with a change."""
    made = deepcopy(data)
    for key, value in change.items():
        if value is None:
            made.pop(key, None)
        elif isinstance(value, dict):
            held = made.get(key)
            made[key] = _with(held if isinstance(held, dict) else {}, value)
        else:
            made[key] = value
    return made


def _dumped(text: str, change: Plain, indent: int) -> str:
    """Return a file with a change, in the layout of ruamel.yaml."""
    yaml = YAML()
    yaml.preserve_quotes, yaml.width, yaml.allow_unicode = True, _WIDTH, True
    yaml.indent(mapping=indent, sequence=indent + 2, offset=indent)
    data = yaml.load(text) if text else CommentedMap()
    _set(data, change, 0)
    stream = io.StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()


def _added(change: Plain, language: Language, indent: int) -> str:
    """Return the text of new keys, each below an empty line and its comment."""
    text = ""
    for key, value in change.items():
        if value is not None:
            above = _wrapped(_COMMENTS[key], language) if key in _COMMENTS else []
            above += [f" {one}" for one in _EXAMPLES.get(key, ())]
            text += "\n" + "".join(f"# {line}\n" for line in above)
            text += _dumped("", {key: value}, indent)
    return text


def _set(node: CommentedMap, change: Plain, depth: int) -> None:
    """Set the keys of a mapping; a new one takes the place of one that goes."""
    gone = [key for key in change if change[key] is None and key in node]
    for key, value in change.items():
        held = node.get(key)
        if value is None:
            continue
        if isinstance(value, dict):
            _set(_mapping(node, key, depth), value, depth + 1)
        elif isinstance(value, list) and isinstance(held, CommentedSeq) and held and value:
            _set_items(held, value)
        elif key in node:
            node[key] = _styled(value)
        elif gone:
            old = gone.pop(0)
            at = list(node).index(old)
            comment = node.ca.items.pop(old, None)
            del node[old]
            node.insert(at, key, _styled(value))
            if comment is not None:
                node.ca.items[key] = comment
        else:
            node[key] = _styled(value)
    for key in gone:
        del node[key]


def _mapping(node: CommentedMap, key: str, depth: int) -> CommentedMap:
    """Return the mapping beneath a key, made there if something else stands there."""
    held = node.get(key)
    if not isinstance(held, CommentedMap) or (not held and depth == 0):
        # An empty mapping is written {}: what comes into it stands on lines of its own.
        node[key] = held = held if isinstance(held, CommentedMap) else CommentedMap()
        held.fa.set_block_style()
        if depth > 0:
            held.fa.set_flow_style()
    return held


def _set_items(held: CommentedSeq, wanted: list[Any]) -> None:
    """Set the items of a list; those that stay keep their lines and comments."""
    there, come = ([json.dumps(item, sort_keys=True, default=str) for item in items] for items in
                   (held, wanted))  # fmt: skip
    steps = SequenceMatcher(None, there, come, autojunk=False).get_opcodes()
    for tag, start, end, first, last in reversed(steps):
        if tag == "equal":
            continue
        shared = min(end - start, last - first)
        for step in range(shared):
            held[start + step] = _item(held[start + step], wanted[first + step])
        for at in reversed(range(start + shared, end)):
            del held[at]
        for step in range(shared, last - first):
            held.insert(start + step, _styled(wanted[first + step]))


def _item(held: Any, wanted: Any) -> Any:
    """Return an item in the place of another one; of two mappings it is the same node."""
    if not isinstance(held, CommentedMap) or not isinstance(wanted, dict):
        return _styled(wanted)
    gone = {key: None for key in held if key not in wanted}
    _set(held, gone | {key: one for key, one in wanted.items() if held.get(key) != one}, 1)
    return held


def _styled(value: Any) -> Any:
    if isinstance(value, dict):
        made = CommentedMap({key: _styled(one) for key, one in value.items()})
        made.fa.set_flow_style()
        return made
    if not isinstance(value, list):
        return value
    items = CommentedSeq([_styled(one) for one in value])
    items.fa.set_flow_style()
    return items


def _wrapped(text: Sentence, language: Language) -> list[str]:
    return textwrap.wrap(translated(text, language), _COMMENT_WIDTH)


def _merged(own: list[str], plain: list[str], changed: list[str]) -> list[str]:
    """Return a person's lines with the change between two texts in another layout.

    Args:
        own: the person's lines.
        plain: the same file in the layout of ruamel.yaml.
        changed: that with the change.
    """
    inserted: list[list[str]] = [[] for _ in range(len(plain) + 1)]
    replaced: dict[int, list[str]] = {}
    for tag, start, end, new, newer in SequenceMatcher(
        None, plain, changed, autojunk=False
    ).get_opcodes():
        if tag == "insert":
            inserted[start] = changed[new:newer]
        elif tag != "equal":
            replaced |= {at: [] for at in range(start, end)}
            replaced[start] = changed[new:newer]
    result = []
    for start, end, mine in _pairs(own, plain):
        result += inserted[start] if start < end else []
        inner = range(start + 1, end)
        if any(at in replaced for at in range(start, end)) or any(inserted[at] for at in inner):
            for at in range(start, end):
                result += inserted[at] if at > start else []
                result += replaced.get(at, [plain[at]])
        else:
            result += mine
    return result + inserted[len(plain)]


def _pairs(own: list[str], plain: list[str]) -> Iterator[tuple[int, int, list[str]]]:
    """Yield ranges of ``plain``, and the person's lines that they stand for."""
    bare = [["".join(line.split()) for line in lines] for lines in (own, plain)]
    for _, first, last, start, end in SequenceMatcher(
        None, bare[0], bare[1], autojunk=False
    ).get_opcodes():
        if last - first == end - start:
            for step in range(end - start):
                yield start + step, start + step + 1, own[first + step : first + step + 1]
        else:
            yield start, end, own[first:last]


if __name__ == "__main__":
    wanted = language_of(sys.argv[1])
    sys.stdout.buffer.write(begun(wanted).encode())
