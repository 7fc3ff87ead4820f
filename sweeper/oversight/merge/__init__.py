"""Results folders joined by run id (`python -m sweeper merge`).

`side` is a run as one folder has it, `verdict` what becomes of two of them, `plan` what a merge would do and `merge`
does it; `take` brings one run whole, `shared` what runs share, and `plain_copy` is how files are read and written.
"""
