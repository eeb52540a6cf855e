# SPDX-License-Identifier: Apache-2.0
"""Tables as CSV: what a spreadsheet takes from them is text."""

from __future__ import annotations

import csv
import io

from filterd.csv_table import guarded, to_csv


def test_lines_end_and_cells_are_quoted_as_in_rfc_4180() -> None:
    assert to_csv([["a", 'Phòng "1"'], ["x\ny", 2]]) == 'a,"Phòng ""1"""\r\n"x\ny",2\r\n'.encode()


def test_a_guarded_cell_is_no_formula_and_different_cells_stay_different() -> None:
    cells = ["=1", "'=1", "''=1", "+1", "-1", "@a", "\t=1", "1", ""]
    shown = [guarded(one) for one in cells]
    assert len(set(shown)) == len(cells)
    assert not any(one.startswith(("=", "+", "-", "@", "\t")) for one in shown)


def test_control_a_cell_that_is_not_guarded_is_a_formula() -> None:
    (row,) = csv.reader(io.StringIO(to_csv([["=1+1"]]).decode()))
    assert row == ["=1+1"]
