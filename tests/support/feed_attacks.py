# SPDX-License-Identifier: Apache-2.0
"""Attacks D1 to D20 on a feed: by an attacker on the path, or with a stolen key.

Each takes a publisher and the server of its folder, and attacks. The publisher's
history: version 1 is long expired, the site has version 2, version 3 is new.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, TargetFile

from filterd.base.errors import (
    CutShortError,
    DigestError,
    ExpiredError,
    FeedError,
    FetchError,
    ForeignContentError,
    MetadataFormatError,
    MissingFileError,
    RedirectError,
    RollbackError,
    SignatureError,
    TooLargeError,
    TooSlowError,
)
from tests.support.publisher import (
    DAY_S,
    NOW,
    Publisher,
    Server,
    expired,
    meta_of,
    send,
    without_signatures,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from tests.support.publisher import WatchedClock

TIMESTAMP = "/metadata/timestamp.json"
NEXT_ROOT = "/metadata/2.root.json"
BOMB = gzip.compress(bytes(20_000_000))
ENDLESS_OCTETS = 30_000_000


@dataclass
class Stage:
    """What an attack has at hand."""

    publisher: Publisher
    server: Server
    clock: WatchedClock
    first_timestamp: bytes = b""

    @property
    def target(self) -> str:
        """The path of the version's one list."""
        name, file = next(iter(self.publisher.targets.signed.targets.items()))
        folder, _, last = name.rpartition("/")
        return f"/targets/{folder}/{file.hashes['sha256']}.{last}"

    @property
    def snapshot(self) -> str:
        """The path of the newest snapshot."""
        return f"/metadata/{self.publisher.timestamp.signed.snapshot_meta.version}.snapshot.json"

    def old(self, name: str) -> bytes:
        """Return a file of version 1."""
        return (self.publisher.metadata / name).read_bytes()


@dataclass(frozen=True)
class Attack:
    """An attack, and why it is refused.

    Attributes:
        name: its number, and its kind.
        do: does it.
        refused: the error, with ``reason`` in its text.
        at_first: the same for a site that has nothing yet, where it differs.
        content: only the files are attacked: the metadata is honest, and kept.
    """

    name: str
    do: Callable[[Stage], object]
    refused: type[FeedError]
    reason: str
    at_first: tuple[type[FeedError], str] | None = None
    content: bool = False


def _stranger() -> list[CryptoSigner]:
    return [CryptoSigner.generate_ed25519()]


def _unsigned_targets(stage: Stage) -> None:
    publisher = stage.publisher
    targets = publisher.targets
    targets.signed.version += 1
    content = without_signatures(targets.to_bytes())
    publisher.put(f"{targets.signed.version}.targets.json", content)
    meta = meta_of(targets.signed.version, content)
    publisher.forge_snapshot(lambda one: one.meta.__setitem__("targets.json", meta))


def _root(stage: Stage, signers: list[CryptoSigner], **how: Any) -> None:
    stage.publisher.forge_root(lambda _: None, signers, **how)


def _one_signature_twice(stage: Stage) -> None:
    """One of two root keys signs, and its signature stands under another's name too."""
    first, second = stage.publisher.signers["root"][:2]
    _root(stage, [first])
    root = json.loads((stage.publisher.metadata / "2.root.json").read_bytes())
    signature = root["signatures"][0]["sig"]
    root["signatures"].append({"keyid": second.public_key.keyid, "sig": signature})
    stage.publisher.put("2.root.json", json.dumps(root).encode())


def _one_key_twice(stage: Stage) -> None:
    _root(stage, stage.publisher.signers["root"][:1])
    root = json.loads((stage.publisher.metadata / "2.root.json").read_bytes())
    root["signatures"] *= 2
    stage.publisher.put("2.root.json", json.dumps(root).encode())


def _snapshot_rollback(stage: Stage) -> None:
    meta = meta_of(1, stage.old("1.snapshot.json"))
    stage.publisher.forge_timestamp(lambda one: setattr(one, "snapshot_meta", meta))


def _targets_rollback(stage: Stage) -> None:
    meta = meta_of(1, stage.old("1.targets.json"))
    stage.publisher.forge_snapshot(lambda one: one.meta.__setitem__("targets.json", meta))


def _old_root(root: Any) -> None:
    root.expires = expired("root", NOW)


def _mixed_snapshot(stage: Stage) -> None:
    """Another snapshot that its key has signed stands in the place of the one that is named."""
    stage.publisher.publish("four.example")
    snapshot = stage.publisher.snapshot
    snapshot.signed.expires = snapshot.signed.expires.replace(year=2030)
    name = f"{snapshot.signed.version}.snapshot.json"
    stage.publisher.put(name, stage.publisher.sign("snapshot", snapshot))


def _mixed_targets(stage: Stage) -> None:
    stage.publisher.publish("four.example")
    version = stage.publisher.targets.signed.version
    stage.publisher.put(f"{version}.targets.json", stage.old(f"{version - 1}.targets.json"))


def _orders_by_another(stage: Stage) -> None:
    """The holder of the online keys makes orders."""
    content = b"news.example"
    file = TargetFile.from_data("orders/x.txt.zst", content, ["sha256"])
    digest = hashlib.sha256(content).hexdigest()
    file.unrecognized_fields["custom"] = {
        "path": "orders/x.txt",
        "length": len(content),
        "sha256": digest,
    }
    folder = stage.publisher.folder / "targets/orders"
    folder.mkdir()
    (folder / f"{digest}.x.txt.zst").write_bytes(content)
    stage.publisher.forge_targets(lambda one: one.targets.__setitem__(file.path, file))


def _forge_orders(stage: Stage) -> None:
    publisher = stage.publisher
    orders = publisher.read("2.orders.json")
    orders.signed.version = 3
    content = publisher.sign("orders", orders, publisher.signers["targets"])
    publisher.put("3.orders.json", content)
    meta = meta_of(3, content)
    publisher.forge_snapshot(lambda one: one.meta.__setitem__("orders.json", meta))


def _fast_forward(stage: Stage) -> None:
    """A stolen timestamp key names a snapshot of a far version that does not exist."""
    meta = meta_of(2**30, b"nothing")

    def change(timestamp: Any) -> None:
        timestamp.version, timestamp.snapshot_meta = 2**30, meta

    stage.publisher.forge_timestamp(change)


def _endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(10**12))
    handler.end_headers()
    handler.close_connection = True
    for _ in range(ENDLESS_OCTETS // 1_000_000):
        handler.wfile.write(b" " * 1_000_000)


def drip(stage: Stage, *, header: bool = False) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return an honest server that sends an octet every ten seconds."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        content = (stage.publisher.folder / handler.path.lstrip("/")).read_bytes()
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content)
        handler.close_connection = True
        stage.clock.forget_readers()
        if not header:
            handler.wfile.write(head)
            stage.clock.wait_for_reader()
        for octet in head + content if header else content:
            stage.clock.advance(10)
            handler.wfile.write(bytes((octet,)))
            stage.clock.wait_for_reader()

    return answer


def _answer(path: str, *words: Any, **how: Any) -> Callable[[Stage], None]:
    """Return an attack by which a path, or ``target``, is answered so."""

    def do(stage: Stage) -> None:
        at = stage.target if path == "target" else path
        stage.server.answers[at] = lambda handler: send(handler, *words, **how)

    return do


def _missing_snapshot(stage: Stage) -> None:
    stage.publisher.publish("four.example")
    (stage.publisher.folder / stage.snapshot.lstrip("/")).unlink()


def _many_signatures(stage: Stage) -> None:
    """As many signatures as a root's size allows, each of an unknown key."""
    _root(stage, stage.publisher.signers["root"][:1])
    root = json.loads((stage.publisher.metadata / "2.root.json").read_bytes())
    root["signatures"] += [{"keyid": f"{n:x}", "sig": "00" * 20} for n in range(7_000)]
    stage.publisher.put("2.root.json", json.dumps(root).encode())


def _ten_thousand_signatures(stage: Stage) -> None:
    timestamp = json.loads((stage.publisher.metadata / "timestamp.json").read_bytes())
    timestamp["signatures"] = [{"keyid": f"{n:x}", "sig": "00" * 64} for n in range(10_000)]
    stage.publisher.put("timestamp.json", json.dumps(timestamp).encode())


def _wrong_role(stage: Stage) -> None:
    snapshot: Metadata[Any] = stage.publisher.snapshot
    stage.publisher.put("timestamp.json", stage.publisher.sign("timestamp", snapshot))


def _deep(stage: Stage) -> None:
    stage.publisher.put("2.root.json", b"[" * 200_000 + b"]" * 200_000)


def _signed_and_deep(stage: Stage) -> None:
    """What counts has signed it, and it is nested as deep as a small file can be."""
    timestamp = stage.publisher.timestamp
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    timestamp.signed.unrecognized_fields["urgent"] = deep
    timestamp.signed.version += 1
    stage.publisher.put("timestamp.json", stage.publisher.sign("timestamp", timestamp))


def _redirect(to: str) -> Callable[[Stage], None]:
    def do(stage: Stage) -> None:
        stage.server.answers[TIMESTAMP] = lambda handler: send(
            handler, b"", status=302, Location=to
        )

    return do


def _later(stage: Stage) -> None:
    """Newer versions are withheld."""
    stage.clock.advance(40 * DAY_S)


def _changed(name: str, role: str) -> Callable[[Stage], None]:
    """Return an attack by one new, expired file of a role, signed by its own keys."""

    def do(stage: Stage) -> None:
        forge = getattr(stage.publisher, f"forge_{name}")
        forge(lambda one: setattr(one, "expires", expired(role, NOW)))

    return do


_EXPIRED = (ExpiredError, "expired")

ATTACKS = (
    Attack(
        "1 a file that is not the one signed for",
        _answer("target", b"evil.example"),
        DigestError,
        "do not match their signatures",
        content=True,
    ),
    Attack("1 targets unsigned", _unsigned_targets, SignatureError, "targets was signed by 0/1"),
    Attack(
        "2 another key",
        lambda stage: stage.publisher.forge_timestamp(lambda _: None, _stranger()),
        SignatureError,
        "timestamp was signed by 0/1",
    ),
    Attack(
        "2 the key of another role",
        lambda stage: stage.publisher.forge_snapshot(
            lambda _: None, stage.publisher.signers["timestamp"]
        ),
        SignatureError,
        "snapshot was signed by 0/1",
    ),
    Attack("2 orders signed online", _forge_orders, SignatureError, "orders was signed by 0/1"),
    Attack("2 orders named online", _orders_by_another, SignatureError, "must not sign this file"),
    Attack(
        "3 one root key of two",
        lambda stage: _root(stage, stage.publisher.signers["root"][:1]),
        SignatureError,
        "root was signed by 1/2",
    ),
    Attack(
        "3 a root that only its own keys signed",
        lambda stage: _root(stage, [*_stranger(), *_stranger()]),
        SignatureError,
        "root was signed by 0/2",
    ),
    Attack("4 one signature twice", _one_signature_twice, SignatureError, "signed by 1/2"),
    Attack("5 one key twice", _one_key_twice, MetadataFormatError, "malformed"),
    Attack(
        "6 timestamp rollback",
        lambda stage: stage.publisher.put("timestamp.json", stage.first_timestamp),
        RollbackError,
        "timestamp version",
        at_first=_EXPIRED,
    ),
    Attack(
        "7 snapshot rollback",
        _snapshot_rollback,
        RollbackError,
        "snapshot version",
        at_first=_EXPIRED,
    ),
    Attack(
        "8 targets rollback", _targets_rollback, RollbackError, "targets.json", at_first=_EXPIRED
    ),
    Attack(
        "9 a role gone from the snapshot",
        lambda stage: stage.publisher.forge_snapshot(
            lambda one: one.meta.__delitem__("orders.json")
        ),
        RollbackError,
        "missing info for 'orders.json'",
        at_first=(MetadataFormatError, "not part of snapshot"),
    ),
    Attack("10 freeze", _later, ExpiredError, "timestamp.json is expired"),
    Attack(
        "11 expired root",
        lambda stage: stage.publisher.forge_root(_old_root, stage.publisher.signers["root"]),
        ExpiredError,
        "root.json is expired",
    ),
    Attack(
        "11 expired snapshot",
        _changed("snapshot", "snapshot"),
        ExpiredError,
        "snapshot.json is expired",
    ),
    Attack(
        "11 expired targets", _changed("targets", "targets"), ExpiredError, "targets is expired"
    ),
    Attack("12 another snapshot", _mixed_snapshot, DigestError, "do not match their signatures"),
    Attack("12 other targets", _mixed_targets, DigestError, "do not match their signatures"),
    Attack("13 fast-forward to nothing", _fast_forward, MissingFileError, "404"),
    Attack(
        "14 a root too far",
        lambda stage: stage.publisher.forge_root(
            lambda one: setattr(one, "version", 5), stage.publisher.signers["root"], number=2
        ),
        RollbackError,
        "Expected root version 2",
    ),
    Attack(
        "15 endless metadata",
        lambda stage: stage.server.answers.update({TIMESTAMP: _endless}),
        TooLargeError,
        "more than 16384",
    ),
    Attack(
        "15 an endless file",
        lambda stage: stage.server.answers.update({stage.target: _endless}),
        TooLargeError,
        "more than",
        content=True,
    ),
    Attack(
        "16 slow metadata",
        lambda stage: stage.server.answers.update({TIMESTAMP: drip(stage)}),
        TooSlowError,
        "octets a second",
    ),
    Attack(
        "16 a slow header",
        lambda stage: stage.server.answers.update({TIMESTAMP: drip(stage, header=True)}),
        TooSlowError,
        "octets a second",
    ),
    Attack(
        "17 the snapshot is missing",
        _missing_snapshot,
        MissingFileError,
        "404",
    ),
    Attack("17 forbidden", _answer("", b"", status=403), MissingFileError, "403"),
    Attack("17 status 500", _answer(TIMESTAMP, b"", status=500), FetchError, "status 500"),
    Attack("17 status 503 for a root", _answer(NEXT_ROOT, b"", status=503), FetchError, "503"),
    Attack(
        "17 a login page",
        _answer("", b"<html>Wi-Fi", kind="text/html; charset=utf-8"),
        ForeignContentError,
        "login",
    ),
    Attack(
        "17 a login page that does not say so",
        _answer(TIMESTAMP, b"\n <!doctype html>Wi-Fi"),
        ForeignContentError,
        "login",
    ),
    Attack(
        "17 cut short",
        _answer(TIMESTAMP, b'{"signatures"', announced=700),
        CutShortError,
        "ended before the end of the file",
    ),
    Attack(
        "17 gzip bomb",
        _answer(TIMESTAMP, BOMB, Content_Encoding="gzip"),
        ForeignContentError,
        "compressed",
    ),
    Attack("17 gzip bomb unnamed", _answer(TIMESTAMP, BOMB), TooLargeError, "16384"),
    Attack("18 to another host", _redirect("http://192.0.2.1/t.json"), RedirectError, "192.0.2.1"),
    Attack("18 to another port", _redirect("http://127.0.0.1:1/t"), RedirectError, "127.0.0.1:1"),
    Attack("18 to a file", _redirect("file:///etc/hostname"), RedirectError, "file:///"),
    Attack("18 to another scheme", _redirect("https://127.0.0.1/t"), RedirectError, "https://"),
    Attack("18 in a circle", _redirect(TIMESTAMP), RedirectError, "circle"),
    Attack("19 7,000 bogus signatures", _many_signatures, SignatureError, "signed by 1/2"),
    Attack("19 10,000 bogus signatures", _ten_thousand_signatures, TooLargeError, "16384"),
    Attack(
        "20 signed by the right key, another role", _wrong_role, MetadataFormatError, "Expected"
    ),
    Attack("20 nested too deep", _deep, MetadataFormatError, "malformed"),
    Attack("20 signed, and no number", _signed_and_deep, MetadataFormatError, "not a number"),
)
