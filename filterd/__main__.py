# SPDX-License-Identifier: Apache-2.0
"""``python -m filterd`` is the command ``filterd``."""

from filterd.cli.entry import main

if __name__ == "__main__":
    main()
