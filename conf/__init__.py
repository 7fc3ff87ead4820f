"""The configuration files, importable so that Hydra finds them wherever the package is installed."""
