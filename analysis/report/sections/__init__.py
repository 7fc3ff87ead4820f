"""The sections of the report, one per file: each turns evidence into a `Section`."""
