"""Data preparation: from a `DataSpec` to parquet files that verl trains, validates and evaluates on.

Synthetic tasks need nothing; real rows come from a folder of the user's in Guru's format.
"""

from data_prep.materialise import PreparedData, materialise
from data_prep.spec import DataError, DataSpec, folder_digest

__all__ = ["DataError", "DataSpec", "PreparedData", "folder_digest", "materialise"]
