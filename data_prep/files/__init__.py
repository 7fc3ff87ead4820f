"""The files of a prepared folder: rows, manifest, what was dropped."""
