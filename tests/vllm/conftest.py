from importlib.util import find_spec

from tests.sweeper.conftest import tiny_model

__all__ = ["tiny_model"]
# The lane has its own environment: `make test-vllm`.
collect_ignore_glob = [] if find_spec("vllm") else ["test_*.py"]
