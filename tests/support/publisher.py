# SPDX-License-Identifier: Apache-2.0
"""A feed's publisher, its server and a site, all real; and forgers' tools."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Snapshot, Targets, Timestamp

from filterd.feed.signed.arrival import Moment
from filterd.feed.signed.fetchers import FolderFetcher, WebFetcher
from filterd.feed.signed.trust import TrustFolder
from filterd.feed.signed.tuf_refresh import Verified, refresh
from filterd.publish.publication_folder import PublicationFolder
from filterd.publish.repository import Repository
from filterd.publish.root_changes import RootChanges
from filterd.publish.signing import NewTarget, signed, until
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filterd.http.http_download import DownloadLimits

NOW = 1_800_000_000.0
DAY_S = 86_400.0
ROLES = ("root", "targets", "snapshot", "timestamp", "orders", "program")


def make_signers() -> dict[str, list[CryptoSigner]]:
    """Return keys of every role that no disk has seen."""
    return {
        role: [CryptoSigner.generate_ed25519() for _ in range(3 if role == "root" else 1)]
        for role in (*ROLES, "fleet")
    }


def a_file(path: str, content: bytes) -> NewTarget:
    """Return a target as a version of the feed has it; its octets stand for packed ones."""
    custom = {"path": path, "length": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return NewTarget(f"{path}.zst", content, custom)


@dataclass
class Publisher:
    """A publisher with all keys, a folder that it publishes into, and the root that it hands out.

    What forges takes the folder as it is published and changes it by hand.
    """

    folder: Path
    now: float = NOW
    signers: dict[str, list[CryptoSigner]] = field(default_factory=make_signers)

    def __post_init__(self) -> None:
        if not self.metadata.exists():
            self.repository.create(self.signers, now=self.now)
        self.root = (self.metadata / "1.root.json").read_bytes()

    @cached_property
    def repository(self) -> Repository:
        """What is published."""
        return Repository(self.folder)

    @cached_property
    def root_changes(self) -> RootChanges:
        """What its root keys change."""
        return RootChanges(self.folder)

    @property
    def metadata(self) -> Path:
        """The published metadata."""
        return self.folder / "metadata"

    def publish(self, *words: str, **how: Any) -> int:
        """Publish a version whose one list has these lines."""
        how.setdefault("now", self.now)
        content = "\n".join(words).encode()
        return self.repository.publish([a_file("lists/a.txt", content)], self.signers, **how)

    def renew_root(self, signers: list[CryptoSigner] | None = None, now: float = NOW) -> None:
        """Publish the root again, as its next version, signed by all of its keys or by some."""
        roots = self.signers["root"] if signers is None else signers
        root = PublicationFolder(self.folder).root()
        self.root_changes.follow(root, roots, now)

    def read(self, name: str) -> Metadata[Any]:
        """Return a file of the metadata."""
        return Metadata.from_bytes((self.metadata / name).read_bytes())

    @property
    def timestamp(self) -> Metadata[Timestamp]:
        """The newest."""
        return self.read("timestamp.json")

    @property
    def snapshot(self) -> Metadata[Snapshot]:
        """The newest."""
        return self.read(f"{self.timestamp.signed.snapshot_meta.version}.snapshot.json")

    @property
    def targets(self) -> Metadata[Targets]:
        """The newest."""
        return self.read(f"{self.snapshot.signed.meta['targets.json'].version}.targets.json")

    def put(self, name: str, content: bytes) -> None:
        """Write a file of the metadata, whatever it is."""
        (self.metadata / name).write_bytes(content)

    def sign(self, role: str, one: Any, signers: list[CryptoSigner] | None = None) -> bytes:
        """Return what a role signs, by its own keys or others."""
        metadata = one if isinstance(one, Metadata) else Metadata(one)
        return signed(metadata, self.signers[role] if signers is None else signers)

    def forge_timestamp(
        self, change: Callable[[Timestamp], None], signers: list[CryptoSigner] | None = None
    ) -> None:
        """Publish another timestamp."""
        timestamp = self.timestamp
        timestamp.signed.version += 1
        change(timestamp.signed)
        self.put("timestamp.json", self.sign("timestamp", timestamp, signers))

    def forge_snapshot(
        self, change: Callable[[Snapshot], None], signers: list[CryptoSigner] | None = None
    ) -> None:
        """Publish another snapshot, and the timestamp that names it."""
        snapshot = self.snapshot
        snapshot.signed.version += 1
        change(snapshot.signed)
        content = self.sign("snapshot", snapshot, signers)
        self.put(f"{snapshot.signed.version}.snapshot.json", content)
        meta = meta_of(snapshot.signed.version, content)
        self.forge_timestamp(lambda one: setattr(one, "snapshot_meta", meta))

    def forge_targets(
        self, change: Callable[[Targets], None], signers: list[CryptoSigner] | None = None
    ) -> None:
        """Publish other targets, and what names them."""
        targets = self.targets
        targets.signed.version += 1
        change(targets.signed)
        content = self.sign("targets", targets, signers)
        self.put(f"{targets.signed.version}.targets.json", content)
        meta = meta_of(targets.signed.version, content)
        self.forge_snapshot(lambda one: one.meta.__setitem__("targets.json", meta))

    def forge_root(
        self, change: Callable[[Any], None], signers: list[CryptoSigner], *, number: int = 0
    ) -> None:
        """Publish another root after the newest one."""
        root = self.newest_root
        root.signed.version += 1
        name = number or root.signed.version
        change(root.signed)
        self.put(f"{name}.root.json", self.sign("root", root, signers))

    @property
    def newest_root(self) -> Metadata[Any]:
        """The newest root."""
        numbers = [int(path.name.partition(".")[0]) for path in self.metadata.glob("*.root.json")]
        return self.read(f"{max(numbers)}.root.json")


def meta_of(version: int, content: bytes) -> MetaFile:
    """Return how one role names another's file."""
    return MetaFile(version, len(content), {"sha256": hashlib.sha256(content).hexdigest()})


def expired(role: str, now: float) -> Any:
    """Return when something was to be used that is not any more."""
    return until(role, now - 3 * 366 * DAY_S)


class WatchedClock(FakeClock):
    """A clock that reports each reading, so that time passes step by step."""

    def __init__(self) -> None:
        super().__init__(NOW)
        self._looks = threading.Semaphore(0)

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start."""
        try:
            return super().monotonic()
        finally:
            self._looks.release()

    def forget_readers(self) -> None:
        """Forget the readings so far."""
        while self._looks.acquire(blocking=False):
            pass

    def wait_for_reader(self) -> None:
        """Wait for one more reading; a client without one has hung up."""
        if not self._looks.acquire(timeout=5):
            raise BrokenPipeError


@dataclass
class Site:
    """An appliance's trust, and its runs."""

    folder: Path
    root: bytes
    clock: WatchedClock = field(default_factory=WatchedClock)

    def __post_init__(self) -> None:
        self.trust = TrustFolder(self.folder)
        self.trust.establish(self.root)

    def take(
        self, source: str | Path, limits: DownloadLimits | None = None, *, now: float | None = None
    ) -> dict[str, bytes]:
        """Do a run and fetch all; return the files of the version."""
        verified = self.refresh(source, limits, now=now)
        return {file.path: verified.fetch(file.target) for file in verified.publication.files}

    def refresh(
        self, source: str | Path, limits: DownloadLimits | None = None, *, now: float | None = None
    ) -> Verified:
        """Do a run, without its files."""
        web = isinstance(source, str)
        kind: Any = WebFetcher if web else FolderFetcher
        fetcher = kind(source, self.clock, limits)
        return refresh(self.trust, fetcher, Moment(self.clock.wall() if now is None else now))

    def kept(self) -> dict[str, bytes]:
        """Return all that is kept of trust; ``root_history`` of roots that were verified only."""
        kept = [self.trust.root, *self.trust.metadata.glob("*")]
        return {path.name: path.read_bytes() for path in kept if path.is_file()}


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Report no clients that hang up: they are expected to."""


class Server:
    """A web server that serves a folder, or a test's answers instead.

    Attributes:
        answers: by path, a function instead of the folder; ``""`` is every path.
        asked: the requested paths, and their headers.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                outer.asked.append((self.path, dict(self.headers)))
                answer = outer.answers.get(self.path) or outer.answers.get("")
                with contextlib.suppress(OSError):  # the client has hung up
                    (answer or outer.hand_out)(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def hand_out(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer with a file of the folder."""
        path = self.folder / handler.path.lstrip("/")
        if path.is_file():
            send(handler, path.read_bytes())
        else:
            send(handler, b"not here", status=404)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def send(
    handler: BaseHTTPRequestHandler,
    content: bytes,
    *,
    status: int = 200,
    kind: str = "application/octet-stream",
    announced: int | None = None,
    **headers: str,
) -> None:
    """Answer a request; ``announced`` is the length in the header, if not the real one."""
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(content) if announced is None else announced))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)
    if announced is not None:
        handler.close_connection = True


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Server]:
    """Serve a folder."""
    with Server(folder) as server:
        yield server


def without_signatures(content: bytes) -> bytes:
    """Return unsigned metadata."""
    plain = json.loads(content)
    plain["signatures"] = []
    return json.dumps(plain).encode()
