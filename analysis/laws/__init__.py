"""Laws fitted to rows: forms, losses, a multi-start solver, intervals, held-out evaluation.

`catalogue` lists the forms, `fitting.fit` fits one to a `Sample`, `heldout.evaluate` compares it with rows it never
saw, `ranking.rank` orders forms by rolling-origin held-out error. `python -m analysis fit CSV --help` is the command.
"""
