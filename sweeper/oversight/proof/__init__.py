"""A machine is tried before runs are trusted to it: what it does, beside what was planned of it.

Tier 1 (`torch_tier`) needs PyTorch and transformers alone; tier 2 (`stack_tier`) makes real runs with the installed
stack. `python -m sweeper prove` prints both as one table of lines (`line`), and `page` keeps it in a document.
"""
