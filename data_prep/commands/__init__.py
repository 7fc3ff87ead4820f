"""The verbs of `python -m data_prep`."""
