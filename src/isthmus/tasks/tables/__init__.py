"""Tables ⇄ archives: rows taken apart into columns, columns told by their rows (coding/columns)."""
