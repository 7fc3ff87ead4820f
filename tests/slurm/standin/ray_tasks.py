"""One task on every node of a Ray cluster; what they saw goes into a file, then `STANDIN_RAY_SECONDS` of waiting."""

import json
import os
import socket
import sys
import time
from pathlib import Path

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


@ray.remote(num_cpus=1)
def look() -> dict[str, str | None]:
    return {
        "host": socket.gethostname(),
        "address": ray.util.get_node_ip_address(),
        "variable": os.environ.get("STANDIN_VARIABLE"),
        "job": os.environ.get("SLURM_JOB_ID"),
    }


ray.init(log_to_driver=False)
nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
strategies = [NodeAffinitySchedulingStrategy(node_id=node, soft=False) for node in nodes]
seen = ray.get([look.options(scheduling_strategy=strategy).remote() for strategy in strategies])
found = {"head": ray.get_runtime_context().gcs_address, "nodes": seen}
out = Path(sys.argv[1])
out.with_suffix(".partial").write_text(json.dumps(found))
out.with_suffix(".partial").rename(out)
time.sleep(float(os.environ.get("STANDIN_RAY_SECONDS", "0")))
