"""What a row shows of itself and of the row before: the symbols that contexts are made of."""

from __future__ import annotations

import numpy as np

from isthmus.coding.columns.plan import Context, Look, Plan
from isthmus.coding.columns.rows import Rows


class Views:
    """The symbols of every view, as far as they are known.

    Args:
        plan: of the columns.
        rows: of the table.
    """

    def __init__(self, plan: Plan, rows: Rows) -> None:
        self.plan, self.rows = plan, rows
        self._symbols = [
            tuple(np.zeros(rows.all + 1, np.uint8) for _ in column.sizes()) for column in plan.columns
        ]

    def fill(self, column: int, view: int, at: np.ndarray, symbols: np.ndarray) -> None:
        """Take in symbols."""
        self._symbols[column][view][at] = symbols

    def look(self, look: Look, at: np.ndarray) -> np.ndarray:
        """What a look sees from these rows."""
        rows = self.rows.before(at, look.back) if look.back else at
        symbols = self._symbols[look.column][look.view][rows].astype(np.int64)
        size, groups = self.plan.alphabet_of(look), look.groups
        return symbols * groups // size if 0 < groups < size else symbols

    def value(self, context: Context, at: np.ndarray) -> np.ndarray:
        """A context's value in these rows."""
        found = self.look(context.looks[0], at)
        for look in context.looks[1:]:
            found = found * self.plan.values_of(look) + self.look(look, at)
        return found
