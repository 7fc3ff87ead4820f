"""Where the training processes of a run on one node find each other: a file of the run, and the node itself.

torch's own way is a port on all addresses of the node (`TCPStore`), whose keys anybody who reaches it may read and
change, and gloo then listens on the address of the host's name. Over several nodes, and for the processes that torch's
launcher starts, it stays that way (docs/security.md).
"""

import functools
import os
import re
from typing import Any

from sweeper.training.queue_sockets import FOLDER, SECRET

# gloo's ports of a run on one node: nobody beyond the node reaches them.
ON_ONE_NODE = {"GLOO_SOCKET_IFNAME": "lo"}


def meet_in_folder() -> None:
    """Let the processes that verl starts on one node meet in a file of the run's folder, if no other place is named."""
    import torch.distributed

    init = torch.distributed.init_process_group
    if hasattr(init, "sweeper_closed") or FOLDER not in os.environ or SECRET in os.environ:
        return

    @functools.wraps(init)
    def init_process_group(*args: Any, **kwargs: Any) -> None:
        # Read when a group is made: a worker may be forked from a process that had loaded all this before.
        group, port = os.environ.get("WG_PREFIX"), os.environ.get("MASTER_PORT")
        is_verls = not args[1:] and kwargs.get("store") is None and {"rank", "world_size"} <= set(kwargs)
        if group and port and is_verls and kwargs.get("init_method") is None:
            name = re.sub(r"\W", "-", f"group-{group}-{port}")
            kwargs["init_method"] = f"file://{os.environ[FOLDER]}/{name}"
        init(*args, **kwargs)

    init_process_group.sweeper_closed = True  # type: ignore[attr-defined]
    torch.distributed.init_process_group = init_process_group
