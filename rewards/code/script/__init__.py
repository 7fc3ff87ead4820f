"""Test scripts that are read rather than run: assertions with literal values."""
