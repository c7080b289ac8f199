"""Files and frames → tables: typed columns, in chunks that fit into memory."""

from __future__ import annotations

from isthmus.data.tables.schema import KINDS, Column, Schema
from isthmus.data.tables.table import Cells, Table
from isthmus.data.tables.tablefile import TableSource, is_table, open_table

__all__ = ["KINDS", "Cells", "Column", "Schema", "Table", "TableSource", "is_table", "open_table"]
