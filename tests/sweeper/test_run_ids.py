"""Run ids as literals: an id names folders, rows and checkpoints that are already there, so none may ever change."""

from pathlib import Path

import pytest

from sweeper.grid.expand import expand, group_options
from sweeper.plan.plan import spec_from
from tests.sweeper.points import spec

POINTS = [
    ("", "tiny-130k_grpo_uniform_n1024_s0-4eab6d0c53d7"),
    ("seed=7", "tiny-130k_grpo_uniform_n1024_s7-24a749a98826"),
    ("model_family=tiny model=tiny-40k", "tiny-40k_grpo_uniform_n1024_s0-19ab61de5d86"),
    (
        "model_family=tiny model=tiny-1.4m data_scale=n512 data_scale.epochs=5 training.total_steps=null",
        "tiny-1.4m_grpo_uniform_n512_s0-07f2c1ddc7e9",
    ),
    ("model_family=smollm2 data_scale=n64", "smollm2-135m-instruct_grpo_math_n64_s0-a343bf428cca"),
    ("model_family=qwen2.5", "qwen2.5-0.5b_grpo_guru_n16384_s0-9647a8affe62"),
    (
        "model_family=qwen2.5 model=qwen2.5-7b cluster=slurm cluster.gpu_type=H200",
        "qwen2.5-7b_grpo_guru_n16384_s0-3e4d92c602ab",
    ),
    (
        "model_family=qwen2.5-instruct model=qwen2.5-72b-instruct cluster=slurm",
        "qwen2.5-72b-instruct_grpo_guru_n16384_s0-37bb0388f9e8",
    ),
    (
        "model_family=r1-distill model=r1-distill-qwen-7b algorithm=reinforce_plus_plus",
        "r1-distill-qwen-7b_reinforce_plus_plus_guru_n16384_s0-c169e5ba28fa",
    ),
    ("model_family=tiny-agent", "tiny-agent-130k_grpo_math_n1024_s0-712ec58fd1f2"),
    ("model_family=r1-distill model=qwq-32b", "qwq-32b_grpo_guru_n16384_s0-a1b13a016cff"),
    ("model_family=qwen3", "qwen3-0.6b-base_grpo_guru_n16384_s0-98355a98e6cb"),
    ("model_family=qwen3-thinking", "qwen3-0.6b_grpo_guru_n16384_s0-00ead125144c"),
    ("model_family=llama", "llama-3.2-1b_grpo_guru_n16384_s0-99f1caa74b4a"),
    ("model_family=llama-instruct", "llama-3.2-1b-instruct_grpo_guru_n16384_s0-6e7ba73a06c2"),
    ("model_family=olmo2", "olmo2-1b_grpo_guru_n16384_s0-26da6e6b4891"),
    ("model_family=smollm", "smollm2-135m_grpo_guru_n16384_s0-611a81dbbeed"),
    ("model_family=guru-7b", "qwen2.5-7b_grpo_guru_six_nall_s0-e9b65fb5387a"),
    ("model_family=guru-32b", "qwen2.5-32b_grpo_guru_six_nall_s0-266ac861846a"),
    (
        "model_family=paper-2509-25300 data_scale.n_unique=512 data_scale.epochs=100 training.total_steps=null",
        "qwen2.5-7b_grpo_math_n512_easy_to_hard_s0-686743d63bd9",
    ),
    ("algorithm=ppo algorithm.critic_warmup=2", "tiny-130k_ppo_uniform_n1024_s0-baf09f86665d"),
    ("algorithm.kl.in_loss=true algorithm.kl.loss_coef=0.04", "tiny-130k_grpo_uniform_n1024_s0-bbe74989078e"),
    (
        "algorithm.kl.in_reward=true algorithm.kl.reward_controller=adaptive algorithm.kl.target=0.2",
        "tiny-130k_grpo_uniform_n1024_s0-daa88be9e69a",
    ),
    (
        "algorithm.lora.rank=8 algorithm.lora.alpha=16 training.actor_lr=0.005",
        "tiny-130k_grpo_uniform_n1024_s0-982d227bb113",
    ),
    ("data.sft_share=0.4 training.sft.lr=1e-3", "tiny-130k_grpo_uniform_n1024_sft0.4_s0-fb691ba1ce9e"),
    ("data.sft_share=0.9 training.sft.epochs=1 data_scale=n512", "tiny-130k_grpo_uniform_n512_sft0.9_s0-1609aa84b724"),
    (
        "curriculum=easy_to_hard data.stratify_by=difficulty",
        "tiny-130k_grpo_uniform_n1024_easy_to_hard_s0-24c89b64be9f",
    ),
    (
        "curriculum=staged curriculum.stages=[stem,logic,code,math]",
        "tiny-130k_grpo_uniform_n1024_staged_s0-ffe34b0a48be",
    ),
    ("domain_mix=math_code data.seed=3", "tiny-130k_grpo_math_code_n1024_s0-25019c632951"),
    ("data.screen.n_samples=4 data.screen.max_problems=20", "tiny-130k_grpo_uniform_n1024_s0-630ac2519302"),
    (
        "+verl.actor_rollout_ref.rollout.top_k=5 +verl.trainer.balance_batch=false",
        "tiny-130k_grpo_uniform_n1024_s0-886f45a76567",
    ),
    (
        "eval.n_samples=8 eval.ks=[1,8] eval.val_freq=1 eval.domains=[math]",
        "tiny-130k_grpo_uniform_n1024_s0-8ac193368012",
    ),
    ("model.warm_start.steps=60 model.warm_start.error_rate=0.1", "tiny-130k_grpo_uniform_n1024_s0-7b8964b6d9e2"),
    ("model.prompt_style=base", "tiny-130k_grpo_uniform_n1024_s0-dc6290c9e3a4"),
    ("algorithm.rollout_n=16 training.temperature=0.7", "tiny-130k_grpo_uniform_n1024_s0-0e6abf2fd911"),
]
GRIDS = [  # number of points, ids of the first and the last
    ("+grid=smoke", 2, "tiny-40k_grpo_uniform_n64_s0-f2666c4fa0b3", "tiny-40k_grpo_uniform_n64_s1-6227b69f3211"),
    (
        "+grid=model_scale",
        8,
        "tiny-40k_grpo_uniform_n64_s0-6de3a627408b",
        "tiny-1.4m_grpo_uniform_n320_s0-141c5bc4aadd",
    ),
    (
        "+grid=model_scale data_scale=n128,n1k",
        8,
        "tiny-40k_grpo_uniform_n128_s0-30599f7ad92b",
        "tiny-1.4m_grpo_uniform_n1024_s0-fb8212cd785d",
    ),
    (
        "+grid=data_reuse",
        8,
        "tiny-130k_grpo_uniform_n1600_s0-4ffbfd9c367a",
        "tiny-130k_grpo_uniform_n16_s0-73e5c92a8f98",
    ),
    (
        "+grid=sft_rl_ratio model_family=qwen2.5 cluster=slurm",
        10,
        "qwen2.5-0.5b_grpo_guru_n16384_s0-9bfdf8714c86",
        "qwen2.5-0.5b_grpo_guru_n16384_sft0.9_s1-59c3815d3047",
    ),
    (
        "+grid=guru_7b model_family=tiny",
        1,
        "tiny-130k_grpo_uniform_n1024_s0-c01c3cd5fbfd",
        "tiny-130k_grpo_uniform_n1024_s0-c01c3cd5fbfd",
    ),
]
VETTED = ("model_family=qwen2.5", "model=qwen2.5-7b")
VETTED_ID = "qwen2.5-7b_grpo_guru_n16384_s0-3e4d92c602ab"
# One row in Guru's format, as bytes: the digest of a folder is that of its files.
ROW = (
    '{"data_source": "math__deepscaler_preview", "prompt": [{"role": "user", "content": "1 + 1?"}], "ability": "math", '
    '"reward_model": {"style": "rule", "ground_truth": "2"}, "extra_info": {"index": 0, "split": "train"}}\n'
)
OWN_DATA = [
    ("", "tiny-130k_grpo_uniform_n1024_s0-e5c3dcde51d3"),
    (
        "data.cleaning.contamination=false curriculum=easy_to_hard",
        "tiny-130k_grpo_uniform_n1024_easy_to_hard_s0-9b657fcedca2",
    ),
    ("data.recipe=guru_math_cl domain_mix=math", "tiny-130k_grpo_math_n1024_s0-cafbfe31d832"),
    ("data.annotations=[rates.jsonl]", "tiny-130k_grpo_uniform_n1024_s0-fcdda6790be3"),
    (
        "data.sft_share=0.5 data.sft_solutions=solutions.jsonl",
        "tiny-130k_grpo_uniform_n1024_sft0.5_s0-50b260a2c546",
    ),
]


@pytest.mark.parametrize(("overrides", "run_id"), POINTS)
def test_a_point_keeps_its_id(overrides: str, run_id: str) -> None:
    assert spec(*overrides.split()).run_id == run_id


def test_every_model_family_has_a_point_here() -> None:
    assert {f"model_family={name}" for name in group_options()["model_family"]} <= {
        word for overrides, _ in POINTS for word in overrides.split()
    }


@pytest.mark.parametrize(("overrides", "n_points", "first", "last"), GRIDS)
def test_a_grids_points_keep_their_ids(overrides: str, n_points: int, first: str, last: str) -> None:
    points = expand(overrides.split(), multirun=True).points
    assert len(points) == n_points
    assert [spec_from(points[number].config).run_id for number in (0, -1)] == [first, last]


@pytest.mark.parametrize(
    "cluster",
    [
        (),
        ("cluster=local",),
        ("cluster=slurm", "cluster.gpu_type=H200"),
        ("cluster=slurm", "cluster.gpu_type=A100", "cluster.partition=gpu"),
        ("cluster=slurm_pyxis", "cluster.container.image=/shared/verl.sqsh"),
        ("model.resources.nodes=2", "model.resources.offload=true", "training.save_freq=3", "logging.wandb=true"),
        ("results_dir=elsewhere",),
    ],
)
def test_where_a_point_runs_is_no_part_of_its_id(cluster: tuple[str, ...]) -> None:
    assert spec(*VETTED, *cluster).run_id == VETTED_ID


@pytest.mark.parametrize(("overrides", "run_id"), OWN_DATA)
def test_a_point_on_a_folder_of_data_keeps_its_id_wherever_the_folder_lies(
    overrides: str, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows" / "train").mkdir(parents=True)
    (tmp_path / "rows" / "train" / "math.jsonl").write_text(ROW)
    (tmp_path / "rates.jsonl").write_text('{"problem_id": "math-0", "pass_rate": 0.5}\n')
    (tmp_path / "solutions.jsonl").write_text('{"problem_id": "math-0", "solution": "2"}\n')
    monkeypatch.chdir(tmp_path)  # files are named from here
    # Not through the cache of `spec`: the folder is another one each time.
    (point,) = expand([f"data_root={tmp_path / 'rows'}", *overrides.split()], multirun=False).points
    assert spec_from(point.config).run_id == run_id


def test_replicates_keep_the_id_of_their_group() -> None:
    assert {spec("data.sft_share=0.4", f"seed={seed}").group_id for seed in (0, 1)} == {"fe8c44da745b"}
