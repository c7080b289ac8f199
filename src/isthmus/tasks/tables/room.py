"""Tables, as the tasks see them: see tasks/modalities.py."""

from __future__ import annotations

from isthmus.data.tables import is_table
from isthmus.tasks.modalities import Modality
from isthmus.tasks.tables.archive import decompress_table, table_facts
from isthmus.tasks.tables.sources import OpenTable
from isthmus.tasks.tables.verify import verify_table
from isthmus.tasks.tables.writing import compress_table

TABLES = Modality(
    plural="a table",
    why="A table is kept whole, lossless or within a bound",
    is_source=lambda source: isinstance(source, OpenTable) or is_table(source),
    open=lambda source, header, skip_bad: OpenTable(source, header=header),
    write=compress_table,
    written_by=frozenset({"mode", "model", "max_error", "bounds"}),
    read=decompress_table,
    read_by=frozenset({"model"}),
    verify=verify_table,
    facts=table_facts,
)
