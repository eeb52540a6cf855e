# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from filterd.accounts import sign_in_errors as module
from filterd.errors import ControlError, from_plain, to_plain


def test_each_code_is_one_errors_and_passes_the_socket() -> None:
    kinds = [one for one in vars(module).values() if isinstance(one, type)]
    made = [kind for kind in kinds if issubclass(kind, ControlError) and kind is not ControlError]
    codes = {kind.code for kind in made}
    assert len(codes) == len(made) == 6
    for error in (module.busy(), module.slow_down(2), module.not_admitted()):
        assert from_plain(to_plain(error)).code == error.code
    assert "2 seconds" in str(module.slow_down(2))
