"""Asks the fork server for a process and stands in for it: `fork_client.py SOCKET SCRIPT ARGS...`.

Standard library only and no `sweeper` import: it must start in milliseconds.
"""

import json
import os
import signal
import socket
import sys


def main() -> None:
    """Pass arguments, environment, folder and standard streams on; wait, forward signals, exit as the process does."""
    server = socket.socket(socket.AF_UNIX)
    server.connect(sys.argv[1])
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    signal.pthread_sigmask(
        signal.SIG_BLOCK, signals
    )  # one that comes before the process is known waits for its handler
    request = json.dumps({"argv": sys.argv[2:], "env": dict(os.environ), "cwd": os.getcwd()}).encode()  # noqa: PTH109 - pathlib would double the start-up
    socket.send_fds(server, [len(request).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(request)
    answers = server.makefile("r")
    pid = int(answers.readline())
    for number in signals:
        signal.signal(number, lambda signum, _: os.kill(pid, signum))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    line = answers.readline()
    sys.exit(int(line) if line else 1)


if __name__ == "__main__":
    main()
