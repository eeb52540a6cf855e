# SPDX-License-Identifier: Apache-2.0
"""The compiled policy as a file: what the compiling process writes and the serving process loads.

Three lines: what it is and its version, the SHA-256 of the third line, and the
policy as JSON. Names and RDATA are hexadecimal, because they are octets. The
checksum tells a file that a failing card has damaged from a good one, so that
the last good copy can serve instead; it is no signature.

The JSON follows the dataclasses of ``filterd.policy.model`` field by field, in
both directions: a new field needs no line here, only a new ``_VERSION``. The
standard library does it all, because this is the part that the serving process
loads.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeAlias, get_args, get_origin, get_type_hints

from filterd.errors import StoreError
from filterd.lists import guards, rewrites
from filterd.paths import write_atomically
from filterd.policy.model import Policy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Decoder: TypeAlias = Callable[[Any], Any]

_MAGIC = b"filterd policy "
_VERSION = b"4"


def save(path: Path, policy: Policy) -> None:
    """Replace the file ``path`` by this policy; a power cut leaves the old one or the new one.

    Raises:
        StoreError: the disk refused; the old file is untouched.
    """
    write_atomically(path, dump(policy))


def load(path: Path) -> Policy:
    """Return the policy in the file ``path``.

    Raises:
        StoreError: it is missing, damaged, or of another version.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}; compile it again") from error
    return parse(content, str(path))


def dump(policy: Policy) -> bytes:
    """Return the content of a policy file; equal policies give equal octets."""
    body = _body(policy)
    return b"%s%s\n%s\n%s\n" % (_MAGIC, _VERSION, _checksum(body), body)


def parse(content: bytes, path: str) -> Policy:
    """Return the policy that a file's content holds; ``path`` is what errors call it.

    Raises:
        StoreError: it is damaged, or of another version.
    """
    magic, _, rest = content.partition(b"\n")
    checksum, _, body = rest.partition(b"\n")
    body = body.removesuffix(b"\n")
    if not magic.startswith(_MAGIC):
        raise StoreError(f"{path}: this is no compiled policy; compile it again")
    if magic != _MAGIC + _VERSION:
        raise StoreError(f"{path}: written by another version of filterd; compile it again")
    if checksum != _checksum(body):
        raise StoreError(f"{path}: damaged, its checksum is wrong; compile it again")
    try:
        policy = _decoder(Policy)(json.loads(body))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path}: written by another filterd; compile it again") from error
    assert isinstance(policy, Policy)
    return policy


def digest(policy: Policy) -> str:
    """Return twelve hexadecimal digits that name the content of a policy."""
    return _checksum(_body(policy)).decode()[:12]


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def _body(policy: Policy) -> bytes:
    return json.dumps(_encode(policy), ensure_ascii=False, separators=(",", ":")).encode()


def _encode(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(_encode(item) for item in value)
    if isinstance(value, dict):
        return {key: _encode(item) for key, item in value.items()}
    return value.value if isinstance(value, Enum) else value


@cache
def _decoder(kind: Any) -> Decoder:
    """Return what turns JSON back into ``kind``; made once for each type of the model."""
    if is_dataclass(kind):
        return _dataclass_decoder(kind)
    if get_origin(kind) is not None:
        return _collection_decoder(get_origin(kind), get_args(kind))
    if kind is bytes:
        return bytes.fromhex
    if issubclass(kind, Enum):
        member: Decoder = kind  # calling it looks the member up
        return member

    def scalar(value: Any) -> Any:
        if not isinstance(value, kind):
            raise TypeError
        return value

    return scalar


def _dataclass_decoder(kind: Any) -> Decoder:
    # The model names the words of lists in annotations only; here they are needed.
    hints = get_type_hints(kind, localns=vars(guards) | vars(rewrites))
    decoders = [(field.name, _decoder(hints[field.name])) for field in fields(kind)]

    def build(content: Any) -> Any:
        if len(content) != len(decoders):
            raise ValueError
        return kind(**{name: decode(content[name]) for name, decode in decoders})

    return build


def _collection_decoder(origin: Any, arguments: tuple[Any, ...]) -> Decoder:
    if origin is UnionType:  # the model has only "... | None"
        inner = _decoder(next(one for one in arguments if one is not NoneType))
        return lambda value: None if value is None else inner(value)
    if origin is dict:
        item = _decoder(arguments[1])
        return lambda content: {key: item(value) for key, value in content.items()}
    item = _decoder(arguments[0])
    return lambda content: origin(map(item, content))
