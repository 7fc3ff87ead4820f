"""Runs that were made without this project, read into its rows: `python -m analysis import`, `docs/imports.md`."""
