"""What the header of a safetensors file says, held against the file's size; no tensor is read."""

import math
from collections.abc import Mapping
from pathlib import Path

from rewards.bounded_file import JSON_BYTES, open_regular, parsed
from sweeper.host.errors import ConfigError

Shapes = dict[str, tuple[int, ...]]


def shapes(file: Path) -> Shapes:
    """The shape of each tensor by its name: eight bytes of length, then JSON, then the tensors without a gap.

    Raises:
        ConfigError: no such file can be read, or it is shorter or longer than its header says.
    """
    try:
        with open_regular(file) as stream:
            size, length = file.stat().st_size, int.from_bytes(stream.read(8), "little")
            if not 0 < length < size:
                raise ValueError("its header is cut off")
            if length > JSON_BYTES:
                raise ValueError(f"its header has {length:,} bytes")
            header = parsed(stream.read(length))
        tensors = {name: item for name, item in header.items() if name != "__metadata__"}
        found = {name: tuple(map(int, item["shape"])) for name, item in tensors.items()}
        whole = 8 + length + max((item["data_offsets"][1] for item in tensors.values()), default=0)
        if whole != size:
            raise ValueError(f"it has {size:,} bytes, and its header says {whole:,}")
        return found
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OSError) as error:
        reason = git_lfs(file) or f" ({error}): fetch it again"
        raise ConfigError(f"{file} is no safetensors file{reason}") from None


def count(tensors: Mapping[str, tuple[int, ...]]) -> int:
    """Numbers in these tensors."""
    return sum(map(math.prod, tensors.values()))


def git_lfs(path: Path) -> str:
    """The cure, where a file is what git leaves in the place of a large one."""
    with open_regular(path) as stream:
        is_pointer = stream.read(40).startswith(b"version https://git-lfs")
    return ": it is a git-lfs pointer; run: git lfs pull" if is_pointer else ""
