"""Statistics of pass@k from per-problem counts: `python -m analysis passk`, `docs/passk.md`."""
