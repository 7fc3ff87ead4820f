from importlib.util import find_spec

# The lane has its own environment: `make test-vllm`.
collect_ignore_glob = [] if find_spec("vllm") else ["test_*.py"]
