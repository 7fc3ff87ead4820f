"""Estimates over runs with their intervals."""
