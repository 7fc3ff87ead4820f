from tests.sweeper.conftest import tiny_model  # one fixture for both folders

__all__ = ["tiny_model"]
