# SPDX-License-Identifier: Apache-2.0
"""A machine with users of its own, without touching the users of the real machine.

A mount namespace has its own ``/etc/passwd`` and ``/etc/group`` and an empty ``/run``
and ``/var/lib``: users, groups and logins are real, and end with the namespace.
Folders are as ``deploy/`` makes them. Needs root.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from filterd.base.state_folder import StateFolder
from tests.support.commands import ROOT, Outcome, environment
from tests.support.daemon import confirm_the_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DAEMON = "filterd"
FIRST_ID = 4_100
SITE, STATE, SOCKETS = "/var/lib/site", "/var/lib/filterd", "/run/filterd"

_PREPARE = """\
set -e
mount --make-rprivate /
for one in passwd group; do mount --bind "$1/$one" "/etc/$one"; done
if [ -n "$2" ]; then
    mkdir "$1/python"
    mount --bind "$3" "$1/python"
    mount -t tmpfs -o mode=755 tmpfs "$2"
    mkdir -p "$3"
    mount --bind "$1/python" "$3"
fi
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/lib
cp -r "$1/site" /var/lib/site
chmod -R go+rX /var/lib/site
install -d -o filterd -g filterd -m 0750 /var/lib/filterd
cp "$1/index" /var/lib/filterd/index.filterd
cp "$1/state/$5" /var/lib/filterd/
chown -R filterd:filterd /var/lib/filterd
install -d -o filterd -g filterd -m "$4" /run/filterd
echo ready
exec cat
"""


class Machine:
    """Where users with these names and groups are, and the daemon's own user."""

    def __init__(self, inside: subprocess.Popen[str]) -> None:
        self._inside = inside

    def words(self, user: str, *words: str) -> list[str]:
        """Return a command that logs a user in and runs these words."""
        entered = ["nsenter", "-m", "-t", str(self._inside.pid), "--"]
        login = [] if user == "root" else ["runuser", "-u", user, "--"]
        return [*entered, *login, *words]

    def start(self, user: str, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Start a program as a user; ending it is the caller's."""
        return subprocess.Popen(
            self.words(user, *words), cwd=ROOT, env=environment(), text=True, **options
        )

    def filterd(self, user: str, *words: str, **variables: str) -> Outcome:
        """Run a command of filterd as a user, with these variables in the environment."""
        command = self.words(user, sys.executable, "-m", "filterd", *words)
        done = subprocess.run(
            [*command, "--config", SITE, "--state", STATE],
            cwd=ROOT,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    @contextlib.contextmanager
    def serving(self, log: IO[str]) -> Iterator[subprocess.Popen[str]]:
        """Run the daemon as its own user until the end."""
        command = (sys.executable, "-m", "filterd", "serve", "--config", SITE, "--state", STATE)
        process = self.start(DAEMON, *command, stderr=subprocess.PIPE)
        assert process.stderr is not None
        try:
            for line in process.stderr:
                log.write(line)
                if "filterd listens on" in line:
                    break
            else:
                raise AssertionError("it ended before it served")
            yield process
        finally:
            process.terminate()
            log.write(process.communicate(timeout=30)[1])


@contextlib.contextmanager
def machine(
    users: Mapping[str, Sequence[str]], site: Path, index: Path, sockets_mode: str
) -> Iterator[Machine]:
    """Make a machine; the test needs root.

    Args:
        users: their names, and the groups of each beside its own.
        site: the folder of the site.
        index: the compiled lists.
        sockets_mode: of ``/run/filterd``, as the service has it.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        place.chmod(0o755)
        _write_users(place, users)
        shutil.copytree(site, place / "site")
        shutil.copyfile(index, place / "index")
        state = StateFolder(place / "state")
        state.folder.mkdir()
        confirm_the_time(state)
        arguments = folder, *_closed_above(Path(sys.base_prefix)), sockets_mode, state.clock.name
        inside = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", _PREPARE, "sh", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert inside.stdout is not None
        try:
            said = inside.stdout.readline()
            assert said == "ready\n", inside.communicate()[1]
            yield Machine(inside)
        finally:
            inside.communicate()


def _write_users(folder: Path, users: Mapping[str, Sequence[str]]) -> None:
    names = [DAEMON, *users]
    ids = {name: FIRST_ID + number for number, name in enumerate(names)}
    passwd = ["root:x:0:0:root:/:/bin/sh"]
    passwd += [f"{name}:x:{ids[name]}:{ids[name]}::/:/bin/sh" for name in names]
    group = ["root:x:0:"]
    groups_of_all = (one for groups in users.values() for one in groups)
    for number, one in enumerate(dict.fromkeys([*names, *groups_of_all])):
        members = ",".join(name for name, groups in users.items() if one in groups)
        group.append(f"{one}:x:{FIRST_ID + number}:{members}")
    (folder / "passwd").write_text("\n".join(passwd) + "\n", encoding="ascii")
    (folder / "group").write_text("\n".join(group) + "\n", encoding="ascii")


def _closed_above(path: Path) -> tuple[str, str]:
    """Return the folder above an interpreter that others may not enter, and the interpreter's."""
    above = (parent for parent in reversed(path.parents) if not parent.stat().st_mode & 0o001)
    closed = next(above, None)
    return ("", "") if closed is None else (str(closed), str(path))
