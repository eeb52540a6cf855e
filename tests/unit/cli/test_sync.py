# SPDX-License-Identifier: Apache-2.0
"""``filterd sync`` brings TUF and the web only when it is called."""

from __future__ import annotations

import subprocess
import sys

from tests.support.commands import call


def test_no_other_command_loads_what_fetches_and_verifies() -> None:
    heavy = "{'tuf', 'securesystemslib', 'requests'}"
    code = "from filterd.cli import tree; tree.whole(); import sys\n"
    code += f"sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_its_help_names_each_exit_code_in_both_languages() -> None:
    for lang in ("en", "vi"):
        shown = call("sync", "--help", "--lang", lang).out
        for code in ("0:", "2:", "30", "36:", "40", "46:", "50:"):
            assert code in shown
        assert max(map(len, shown.splitlines())) <= 80
