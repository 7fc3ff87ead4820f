"""Loaded by every Python of a test's job (`cluster.setup` puts this folder on its path): a run's work without verl.

Only the phases of `sweeper.job.run` are replaced: a run counts steps, `STANDIN_STEP_SECONDS` each, and saves each of
them; with `STANDIN_MEMORY_MB` it takes that much from its second step on, with `STANDIN_RAY` it starts the job's Ray
and runs `ray_tasks.py` on it.
What surrounds the work (lock, attempts, signals, rows, exit codes) is the product's own. The module is changed when the
job itself imports it: imported from here it would come from another place on the path than in a job without stand-in.

A job compiles the frozen code that it imports, 1.5 of its 2.4 CPU seconds, and each test freezes its own: what one job
compiled, by the text, serves the others.
"""

import _imp
import hashlib
import importlib.util
import json
import marshal
import os
import resource
import shutil
import sys
import tempfile
import time
from importlib.machinery import SourceFileLoader
from pathlib import Path

_COMPILED = Path(tempfile.gettempdir(), f"standin-compiled-{os.getuid()}-{sys.implementation.cache_tag}")
_compile = SourceFileLoader.source_to_code


def _compile_once(loader, data, path, *, _optimize=-1):  # type: ignore[no-untyped-def]
    """The code of a module; of one with the same text and the same place below the frozen code, as compiled before."""
    place = str(path).partition("/code/")[2].partition("/")[2]
    if not place:
        return _compile(loader, data, path, _optimize=_optimize)
    kept = _COMPILED / hashlib.sha256(place.encode() + b"\0" + data).hexdigest()
    try:
        code = marshal.loads(kept.read_bytes())
    except (OSError, EOFError, ValueError, TypeError):
        code = _compile(loader, data, path, _optimize=_optimize)
        _COMPILED.mkdir(mode=0o700, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=_COMPILED)
        with os.fdopen(handle, "wb") as file:
            marshal.dump(code, file)
        Path(partial).replace(kept)
    _imp._fix_co_filename(code, str(path))
    return code


class _Finder:
    @classmethod
    def find_spec(cls, name, *_):  # type: ignore[no-untyped-def]
        if name != "sweeper.job.run":
            return None
        sys.meta_path.remove(cls)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def execute_and_replace(module):  # type: ignore[no-untyped-def]
            execute(module)
            _replace(module)

        spec.loader.exec_module = execute_and_replace
        return spec


def _replace(job):  # type: ignore[no-untyped-def]
    from sweeper.host.errors import ConfigError, RunFailedError
    from sweeper.host.files import write_atomic
    from sweeper.host.process import run_child
    from sweeper.training import checkpoint

    def phases(context):  # type: ignore[no-untyped-def]
        spec, run_dir, attempt, watch = context.spec, context.run_dir, context.attempt, context.watch
        watch.name = "train"
        run_dir.checkpoints.mkdir(exist_ok=True)
        key = hashlib.sha256(os.environ.get("WANDB_API_KEY", "").encode()).hexdigest()
        begun = checkpoint.trained_steps(run_dir.checkpoints)
        about = {"sweeper": job.__file__, "from_step": begun, "key": key, "variables": sorted(os.environ)}
        about["arguments"] = sys.orig_argv
        about["open_files"] = resource.getrlimit(resource.RLIMIT_NOFILE)
        attempt.write("standin", about)
        if spec.model.resources.actor_tokens_per_gpu > int(os.environ.get("STANDIN_MOST_TOKENS", "1000000000")):
            raise RunFailedError("exit code 1: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB")
        if "STANDIN_REFUSES" in os.environ:
            raise ConfigError(os.environ["STANDIN_REFUSES"])
        if spec.seed == 13:
            raise RunFailedError("seed 13 brings bad luck")
        if "STANDIN_RAY" in os.environ:
            _use_ray(run_dir, spec, attempt)
        if "STANDIN_HANGS" in os.environ:
            watch.phase(os.environ["STANDIN_HANGS"])
            on_tick = watch.tick if watch.name == "train" else watch.listen
            run_child(["sleep", "600"], log=attempt.log, env={}, on_tick=on_tick)
        taken = bytearray()
        for step in range(begun + 1, spec.total_steps + 1):
            time.sleep(float(os.environ.get("STANDIN_STEP_SECONDS", "0.1")))
            if step == 2:
                taken = bytearray(os.urandom(1 << 20)) * int(os.environ.get("STANDIN_MEMORY_MB", "0"))
            with attempt.metrics.open("a") as file:  # before the step is saved: a kill in between must not lose it
                file.write(json.dumps({"step": step, "data": {"critic/score/mean": 0.5}}) + "\n")
            checkpoint.at(run_dir.checkpoints, step).mkdir(exist_ok=True)
            write_atomic(run_dir.checkpoints / "latest_checkpointed_iteration.txt", str(step))

        del taken
        yield from ()  # measured nothing

    job.phases = phases


def _use_ray(run_dir, spec, attempt):  # type: ignore[no-untyped-def]
    """As `sweeper.training.train` does for a run over several nodes, with a script in verl's place."""
    from sweeper.host.process import run_child
    from sweeper.training import ray_nodes, ray_token

    scratch = Path(tempfile.mkdtemp(prefix="rl-"))
    share = ray_nodes.share_of_node(spec.model.resources, spec.cluster.device)
    variables = {"STANDIN_VARIABLE": "1", **ray_token.new()}
    node = ray_nodes.Node.here()
    try:
        with ray_nodes.cluster(node, run_dir.path, share, variables=variables, scratch=scratch, log=attempt.log) as env:
            script = Path(__file__).parent / "ray_tasks.py"
            run_child([sys.executable, str(script), str(attempt.path / "ray.json")], log=attempt.log, env=env)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _run_as_main(name, *_):  # type: ignore[no-untyped-def]
    """In the place of runpy's: a local launch starts `python -m sweeper.job.run`, which is imported under no name."""
    from sweeper.job import run
    from sweeper.spec.run_id import RunId

    _replace(run)
    sys.exit(run.run(Path(sys.argv[1]).resolve(), RunId(sys.argv[2])))


SourceFileLoader.source_to_code = _compile_once
if "sweeper.launch.slurm.element" in sys.orig_argv:
    sys.meta_path.insert(0, _Finder)
elif "sweeper.job.run" in sys.orig_argv:
    import runpy

    runpy._run_module_as_main = _run_as_main
