"""Analysis of result rows: laws fitted with their uncertainty, and one offline HTML report.

Reads what `sweeper` wrote and nothing else of it: `python -m analysis --help`.
"""
