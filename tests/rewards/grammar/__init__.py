"""A grammar of pairs (gold answer, response, verdict): the verdict follows from how a pair is built.

No scorer is asked while pairs are made. A right answer is the gold's value written in another way; a wrong one has
another value, unit, name, order, part or condition, or says more than one thing.
"""
