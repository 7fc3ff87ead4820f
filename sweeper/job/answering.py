"""One of the other nodes of a job, which runs what the first calls for beside Ray."""

import time
from pathlib import Path

from sweeper.host import temporary
from sweeper.host.call import Call
from sweeper.host.process import kill_descendants, start_child


class Answering:
    """Answers every call once."""

    def __init__(self, call: Call, rank: int, log: Path) -> None:
        """`log` gets what its commands print."""
        self._call, self._rank, self._log = call, rank, log
        self._answered = ""

    def once(self) -> None:
        """Run what is called for now, to its end or until it is called off; nothing if nothing is.

        A command that fails is told and no more: the first node knows what it lacks, and whether that matters.
        """
        called = self._call.heard()
        if called is None or called.name == self._answered:
            return
        self._answered = called.name
        with temporary.own_folder() as own:
            process = start_child([*called.command, f"--node={self._rank}"], log=self._log, env=called.env | own)
            try:
                while process.poll() is None and self._call.heard() == called:
                    time.sleep(0.5)
                if process.poll():
                    said = f"node {self._rank}: what the first node called for ended with {process.returncode}"
                    print(f"{said}; see {self._log}", flush=True)
            finally:
                kill_descendants()
                process.wait()
