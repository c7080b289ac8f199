"""A table → its wrong and missing cells, what should stand there, how sure that is, and why.

Three things say that a cell is wrong: the other cells of its row (scoring/dependencies.py), the other words
of its column (scoring/spelling.py), and a text among numbers. Two of them agree, or nothing is sure: words
that look alike are no evidence, and a cell that differs from what rows like it say may be the exception.
"""

from __future__ import annotations

from isthmus.data.tables import Table
from isthmus.tasks.column_issues import column_issues
from isthmus.tasks.issue import Issue, WordedColumn
from isthmus.tasks.row_issues import add_row_issues


def find_issues(table: Table) -> list[Issue]:
    """Every cell that is wrong or missing, as far as the table tells, by rows and columns."""
    columns = [WordedColumn.of(cells) for cells in table.columns]
    found = {
        (issue.row, place): issue
        for place, words in enumerate(columns)
        if words.cells.column.used
        for issue in column_issues(words)
    }
    add_row_issues(columns, found)
    return [found[at] for at in sorted(found)]
