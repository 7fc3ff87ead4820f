"""The name of a run.

In a module of its own, because whoever looks at runs needs no specification, which takes longer to import than
thousands of runs to read.
"""

from typing import NewType

RunId = NewType("RunId", str)  # readable slug and 12 hex digits: the folder and the row of a run (`RunSpec.run_id`)
SPEC_CURE = "remove it, and the next launch of this run writes it anew"  # of a spec.json that is damaged
