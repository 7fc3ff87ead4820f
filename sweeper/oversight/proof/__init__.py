"""A machine is tried before runs are trusted to it: what it does, beside what was planned of it.

Tier 1 (`torch_tier`) needs PyTorch and transformers alone. `python -m sweeper prove` prints it as a table of lines
(`line`), and `page` keeps it in a document.
"""
