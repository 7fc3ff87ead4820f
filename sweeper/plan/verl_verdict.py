"""What the installed verl says of overrides: a process of its own, because importing verl takes seconds.

    python -m sweeper.plan.verl_verdict < shapes.json

Nothing else of the sweeper is imported here, so that verl's import begins at once.
"""

import atexit
import contextlib
import gc
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

from sweeper.host.errors import ConfigError, VerlMissingError

_CURE = "; run: make setup (outside a checkout: pip install 'rl-scaling-sweeper[cpu]', or [gpu])"
_EXIT_MISSING = 3
_VALIDATED = ("actor_rollout_ref.rollout", "algorithm")


class Asker:
    """A process that imports verl and then judges shapes; started when first asked, or at once."""

    def __init__(self, *, now: bool = False) -> None:
        self._process = self._start() if now else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    @staticmethod
    def _start() -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, "-m", "sweeper.plan.verl_verdict"], stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )

    def ask(self, shapes: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
        """Verdict by digest: None, or verl's reason.

        Raises:
            VerlMissingError: verl cannot be imported here.
            ConfigError: the process failed.
        """
        if importlib.util.find_spec("verl") is None:
            raise VerlMissingError(f"verl is not installed here{_CURE}")
        process, self._process = self._process or self._start(), None
        out, err = process.communicate(json.dumps({digest: list(shape) for digest, shape in shapes.items()}))
        last = (err.strip().splitlines() or ["no output"])[-1]
        if process.returncode == _EXIT_MISSING:
            raise VerlMissingError(f"verl cannot be imported here: {last}{_CURE}")
        if process.returncode != 0:
            raise ConfigError(f"asking verl to check the plan failed: {last}")
        found: dict[str, str | None] = json.loads(out)
        return found


def accepted() -> Path:
    """The user's folder of accepted shapes: of this checker, and of the verl that is installed now."""
    found = importlib.util.find_spec("verl")
    version = importlib.metadata.version("verl") if found else None
    judge = f"{version}\0{found and found.origin}\0{Path(__file__).read_text()}"
    return _own(_caches() / "rl-scaling-sweeper") / "verl" / hashlib.sha256(judge.encode()).hexdigest()[:12]


def _own(folder: Path) -> Path:
    """The folder, made and closed to others, if it is this user's; else an empty one that goes with this process.

    In another's, a shape would be accepted that verl was never asked about.
    """
    with contextlib.suppress(OSError):  # a home that cannot be written to, or something else in its place
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.lstat().st_uid == folder.stat().st_uid == os.geteuid():
            if folder.stat().st_mode & 0o022:
                folder.chmod(0o700)
            return folder
    private = tempfile.TemporaryDirectory(prefix="rl-")
    atexit.register(private.cleanup)
    return Path(private.name)


def _caches() -> Path:
    named = os.environ.get("XDG_CACHE_HOME")
    if named:
        return Path(named)
    try:
        return Path.home() / ".cache"
    except RuntimeError:  # in a container, a user without a name
        return Path(tempfile.gettempdir()) / f"cache-{os.getuid()}"


def verdict(overrides: Sequence[str]) -> str | None:
    """None when verl accepts the overrides, else its reason. Imports verl."""
    from hydra import compose
    from omegaconf import OmegaConf
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import omega_conf_to_dataclass, validate_config

    try:
        config = compose("ppo_trainer", overrides=[item for item in overrides if not item.startswith("hydra.")])
        use_critic, use_reference = need_critic(config), need_reference_policy(config)
        # A critic's dataclass would load the files of its model; the actor's is checked without them.
        checked = OmegaConf.merge(config, {"critic": {"model": None}})
        validate_config(config=checked, use_reference_policy=use_reference, use_critic=use_critic)
        for key in _VALIDATED:
            omega_conf_to_dataclass(OmegaConf.select(config, key))
        _names_and_batches(config)
    except Exception as error:  # verl's checks divide, look up and convert: what they stumble over would not run either
        # Hydra's advice, to add a key with "+", is not for a key of verl's as it is written here.
        first = " ".join(str(error).split()).partition(" To append to your config")[0][:400] or type(error).__name__
        return f"verl {importlib.metadata.version('verl')} refuses the configuration: {first}"
    return _wrong_type(config, overrides)


def _names_and_batches(config: Any) -> None:
    """What verl itself would find out only in its first training step.

    Raises:
        ValueError: an unknown estimator, policy loss or KL estimator, or batches that do not divide.
    """
    import torch
    from verl.trainer.ppo.core_algos import get_adv_estimator_fn, get_policy_loss_fn, kl_penalty

    actor = config.actor_rollout_ref.actor
    get_adv_estimator_fn(config.algorithm.adv_estimator)
    get_policy_loss_fn(actor.policy_loss.loss_mode)
    zero = torch.zeros(1, 1)
    for key, name in (
        ("algorithm.kl_penalty", config.algorithm.kl_penalty),
        ("actor.kl_loss_type", actor.kl_loss_type),
    ):
        try:
            kl_penalty(zero, zero, name)
        except NotImplementedError:
            raise ValueError(f"{key}={name} is not a KL estimator of verl") from None
    batch, mini = config.data.train_batch_size, actor.ppo_mini_batch_size
    if batch % mini:
        raise ValueError(f"data.train_batch_size={batch} is not a multiple of actor.ppo_mini_batch_size={mini}")


def _wrong_type(config: Any, overrides: Sequence[str]) -> str | None:
    """Verl's YAML has no types: compare with the kind of its default."""
    from omegaconf import OmegaConf

    default = _default()
    for item in overrides:
        key = item.partition("=")[0].lstrip("+")
        old, new = OmegaConf.select(default, key), OmegaConf.select(config, key)
        if old is None or new is None:
            continue
        numbers = isinstance(old, int | float) and not isinstance(old, bool)
        fits = isinstance(new, int | float) and not isinstance(new, bool) if numbers else type(old) is type(new)
        if not fits and not (isinstance(old, str) or OmegaConf.is_config(old)):
            return f"verl.{key}={new!r}: verl's default is {old!r}, so a {type(old).__name__} is expected"
    return None


@cache
def _default() -> Any:
    from hydra import compose

    return compose("ppo_trainer")


def main() -> None:
    """Read `{digest: overrides}` from stdin, write `{digest: reason or null}` to stdout."""
    from hydra import initialize_config_dir

    gc.disable()  # a process of seconds: looking for garbage among what is imported finds none
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module("verl.trainer.ppo.utils")  # seconds, while the grid is still being expanded
    except ModuleNotFoundError as error:
        print(error, file=sys.stderr)
        sys.exit(_EXIT_MISSING)
    shapes = json.load(sys.stdin)
    folder = Path(importlib.import_module("verl").__path__[0]) / "trainer" / "config"
    with initialize_config_dir(str(folder), version_base=None), contextlib.redirect_stdout(io.StringIO()):
        judged = {digest: verdict(overrides) for digest, overrides in shapes.items()}
    print(json.dumps(judged), flush=True)
    os._exit(0)  # to take all of verl down again in good order would cost a second


if __name__ == "__main__":
    main()
