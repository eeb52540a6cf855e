# SPDX-License-Identifier: Apache-2.0
"""Check the version of Python, then set up; any Python 3 can read this file."""

import os
import subprocess
import sys

LEAST = (3, 11)


def too_old(version, executable, target, path, runs):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D103
    found = ["%d.%d" % tuple(version[:2]), executable]  # noqa: UP031 -- for old Pythons
    others = [
        os.path.join(folder, "python3.%d" % minor)  # noqa: PTH118, UP031
        for minor in range(30, LEAST[1] - 1, -1)
        for folder in path.split(os.pathsep)
    ]
    newer = [one for one in others if os.access(one, os.X_OK) and runs(one)]
    remedy = "make %s PYTHON=%s" % (target, newer[0] if newer else "PATH-OF-A-NEWER-ONE")  # noqa: UP031
    return "filterd needs Python %d.%d or newer; this is %s (%s): %s" % (*LEAST, *found, remedy)  # noqa: UP031


def runs(python):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D103
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        return subprocess.call([python, "-c", ""], stdout=nowhere, stderr=nowhere) == 0  # noqa: S603


def main():  # type: ignore[no-untyped-def]  # noqa: ANN201, D103
    words = sys.argv[1:]
    target = words[words.index("--for") + 1] if "--for" in words[:-1] else "run"
    if sys.version_info < LEAST:
        path = os.environ.get("PATH", "")
        sentence = too_old(sys.version_info, sys.executable, target, path, runs)  # type: ignore[no-untyped-call]
        sys.stderr.write("make: " + sentence + "\n")
        return 1
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))  # noqa: PTH120
    sys.path[0] = root
    sys.dont_write_bytecode = False
    try:
        from deploy.checkout import set_up  # noqa: PLC0415 -- after the check

        return set_up.main(words)
    except KeyboardInterrupt:
        sys.stderr.write("\nset-up: interrupted; the next make goes on from here\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())  # type: ignore[no-untyped-call]
