"""Data preparation: from a `DataSpec` to parquet files that verl trains, validates and evaluates on.

Synthetic tasks need nothing; real rows come from a folder of the user's in Guru's format.
"""
