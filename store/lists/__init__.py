"""The parts of a list: `pages`, the `cursors` between them, and the conditions of a `where`."""
