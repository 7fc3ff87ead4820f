"""Options of sbatch that a user adds: they reach the script, and contradict nothing in it."""

from dataclasses import replace

import pytest
import yaml

from sweeper.host.errors import ConfigError
from sweeper.launch.slurm.options import node_cpus, node_memory, replacements
from sweeper.launch.slurm.shape import shape_of
from sweeper.plan.refusals import check
from sweeper.spec.run import RunSpec
from tests.sweeper.points import spec
from tests.sweeper.test_batch_script import COMMON, rendered

SLURM = (*COMMON, "cluster=slurm")  # one node of 8 GPUs
MEMORY = ("cluster.memory_gb_per_gpu=100", "cluster.cpus_per_gpu=8")


def with_options(run: RunSpec, options: str) -> RunSpec:
    return replace(run, cluster=replace(run.cluster, sbatch=yaml.safe_load(options)))


def parameters(text: str) -> set[str]:
    return {line.removeprefix("#SBATCH ") for line in text.splitlines() if line.startswith("#SBATCH")}


@pytest.mark.parametrize(
    ("options", "gained", "lost"),
    [
        ("{gres: gpu:h100:8}", {"--gres=gpu:h100:8"}, {"--gpus-per-node=8"}),
        ("{gres: 'gpu:8,lscratch:100'}", {"--gres=gpu:8,lscratch:100"}, {"--gpus-per-node=8"}),
        ("{gres: [gpu:h100:8,lscratch:100]}", {"--gres=gpu:h100:8,lscratch:100"}, {"--gpus-per-node=8"}),
        ("{gres: lscratch:100}", {"--gres=lscratch:100"}, set()),
        ("{gpus-per-node: h100:8}", {"--gpus-per-node=h100:8"}, {"--gpus-per-node=8"}),
        ("{gpus-per-task: 8}", {"--gpus-per-task=8"}, {"--gpus-per-node=8"}),
        ("{gpus: h100:8}", {"--gpus=h100:8"}, {"--gpus-per-node=8"}),
        ("{tres-per-task: 'gres/gpu:8'}", {"--tres-per-task=gres/gpu:8"}, {"--gpus-per-node=8"}),
        ("{constraint: 'ib&(h100|h200)'}", {"--constraint='ib&(h100|h200)'"}, set()),
        ("{constraint: ib}", {"--constraint=ib"}, set()),
        ("{exclusive: true, contiguous: false, begin: null}", {"--exclusive"}, set()),
        ("{exclusive: user}", {"--exclusive=user"}, set()),
        ("{mem-per-cpu: 4G}", {"--mem-per-cpu=4G"}, {"--mem=800GB"}),
        ("{mem-per-gpu: 90G}", {"--mem-per-gpu=90G"}, {"--mem=800GB"}),
        ("{cpus-per-gpu: 8}", {"--cpus-per-gpu=8"}, {"--cpus-per-task=64"}),
        ("{mail-type: [END,FAIL], mail-user: me@site.org}", {"--mail-type=END,FAIL", "--mail-user=me@site.org"}, set()),
        ("{reservation: 'my nodes', nice: 100}", {"--reservation='my nodes'", "--nice=100"}, set()),
        ("{licenses: 'a:2,b:1'}", {"--licenses=a:2,b:1"}, set()),
    ],
)
def test_options_reach_the_script_and_ours_of_the_same_meaning_are_left_out_and_said_to_be(
    options: str, gained: set[str], lost: set[str]
) -> None:
    plain = spec(*SLURM, *MEMORY)
    more = with_options(plain, options)
    check(more, family="qwen2.5")
    before, after = parameters(rendered(plain)), parameters(rendered(more))
    assert after - before == gained
    assert before - after == lost
    assert len(replacements([shape_of(more)])) == len(lost)
    assert (" --kill-on-bad-exit=1 --cpus-per-task=64 " in rendered(more)) is ("--cpus-per-task=64" in after)
    assert more.run_id == plain.run_id
    assert RunSpec.from_json(more.to_json()) == more


def test_options_are_given_as_any_setting_is() -> None:
    ways = (
        ["cluster.sbatch={gres: gpu:h100:8, mem-per-cpu: 4G, exclusive: true}"],
        ["cluster.sbatch.gres=gpu:h100:8", "+cluster.sbatch.mem-per-cpu=4G", "cluster.sbatch.exclusive=true"],
    )
    found = [spec(*SLURM, *way).cluster.sbatch for way in ways]
    assert found == [{"gres": "gpu:h100:8", "mem-per-cpu": "4G", "exclusive": True}] * 2


def test_a_job_is_judged_by_what_stands_in_the_place_of_our_options() -> None:
    plain = spec(*SLURM)
    for options, given in (
        ("{}", (64, 800 << 30)),
        ("{cpus-per-gpu: 4, mem-per-gpu: 90G}", (32, 720 << 30)),
        ("{mem-per-cpu: 4096}", (64, 256 << 30)),
        ("{mem-per-gpu: 0}", (64, None)),  # all that a node has
    ):
        shape = shape_of(with_options(plain, options))
        assert (node_cpus(shape), node_memory(shape)) == given


def test_what_is_not_written_is_not_said_to_be_left_out() -> None:
    without = spec(*SLURM, "cluster.memory_gb_per_gpu=null")
    assert replacements([shape_of(with_options(without, "{mem-per-cpu: 4G}"))]) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("{time: 60}", r"cluster\.sbatch\.time: .* set model\.resources\.hours"),
        ("{account: x}", r"set cluster\.account"),
        ("{partition: x}", r"set cluster\.partition"),
        ("{qos: x}", r"set cluster\.qos"),
        ("{nodes: 2}", r"set model\.resources\.nodes"),
        ("{mem: 4G}", r"set cluster\.memory_gb_per_gpu"),
        ("{cpus-per-task: 4}", r"set cluster\.cpus_per_gpu"),
        ("{gpus-per-node: 8}", r"set model\.resources\.gpus_per_node, or write TYPE:NUMBER"),
        ("{gpus-per-socket: 4}", r"set model\.resources\.gpus_per_node"),
        ("{exclude: n1}", r"set cluster\.exclude"),
        ("{signal: USR1@60}", r"set cluster\.signal_seconds"),
        ("{array: 0-9}", r"set cluster\.max_gpus"),
        ("{export: ALL}", r"set cluster\.environment"),
        ("{get-user-env: true}", r"set cluster\.environment"),
        ("{output: /x}", "leave it out"),
        ("{ntasks-per-node: 2}", "leave it out"),
        ("{dependency: singleton}", "leave it out"),
        ("{clusters: other}", "make one of each .python -m sweeper cluster-init NAME"),
        ("{no-requeue: true}", "leave it out"),
        ("{c: 4}", r"cluster\.sbatch\.c: short for --cpus-per-task; .* set cluster\.cpus_per_gpu"),
        ("{-C: ib}", r"cluster\.sbatch\.-C: short for --constraint; write constraint"),
        ("{mem_per_cpu: 4G}", "sbatch calls it --mem-per-cpu; write mem-per-cpu"),
        ("{--constraint: ib}", "write constraint"),
        ("{grse: gpu:8}", "sbatch has no option --grse; did you mean gres"),
        ("{frobnicate: 1}", "sbatch has no option --frobnicate"),
        ("{constraint: true}", "--constraint needs a value"),
        ("{constraint: ''}", "empty"),
        ("{constraint: []}", "give a value"),
        ("{gres: {gpu: 8}}", "give a value, true, or a list"),
        ('{reservation: "a\\nb"}', "characters that no line"),
        ("{gres: gpu:h100:4}", r"asks for 4 GPUs, and the run uses 8 \(model\.resources\.gpus_per_node=8\)"),
        ("{gres: gpu}", "asks for 1 GPUs, and the run uses 8"),
        ("{gpus: 4}", "asks for 4 GPUs, and the run uses 8"),
        ("{gpus-per-task: many}", "write a number of GPUs"),
        ("{cpus-per-gpu: 2}", r"cluster\.sbatch\.cpus-per-gpu=2 \(in the place of cluster\.cpus_per_gpu\) is fewer"),
        ("{cpus-per-gpu: 0}", r"write a number of CPUs, or set cluster\.cpus_per_gpu"),
        (
            "{mem-per-gpu: 100M}",
            r"\(in the place of cluster\.memory_gb_per_gpu\) gives a job 838.9 MB .* takes 32\.8 GB",
        ),
        ("{mem-per-cpu: 64}", "gives a job 4.3 GB of a node's memory"),
        ("{mem-per-gpu: plenty}", r"write an amount such as 90G, or set cluster\.memory_gb_per_gpu"),
        ("{tres-per-task: 'cpu:4,gres/gpu:8'}", r"the program writes cpu itself: set cluster\.cpus_per_gpu"),
        ("{gres: gpu:a100:8}", r"asks for a100, .* planned for cluster\.gpu_type=H100; set cluster\.gpu_type=A100"),
        ("{gpus: nvidia_h200_141gb:8}", r"set cluster\.gpu_type=H200"),
    ],
)
def test_what_the_program_decides_or_sbatch_does_not_know_is_refused_with_what_to_write(
    options: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        check(with_options(spec(*SLURM), options), family="qwen2.5")


def test_gpus_of_all_nodes_are_counted_where_an_option_means_the_job() -> None:
    two = spec(*SLURM, "model.resources.nodes=2")
    check(with_options(two, "{gpus: 16}"), family="qwen2.5")
    with pytest.raises(ConfigError, match=r"asks for 8 GPUs, and the run uses 16 .* on each of 2 nodes"):
        check(with_options(two, "{gpus: 8}"), family="qwen2.5")


def test_a_cluster_without_gpus_is_not_asked_for_some() -> None:
    with pytest.raises(ConfigError, match=r"the run uses 0 \(cluster\.gpus_per_node=0\)"):
        check(with_options(spec(*SLURM, "cluster.gpus_per_node=0"), "{gres: gpu:8}"), family="qwen2.5")


def test_options_of_sbatch_for_runs_on_this_machine_are_refused() -> None:
    with pytest.raises(ConfigError, match="cluster=local submits nothing to SLURM"):
        check(with_options(spec(), "{constraint: ib}"), family="tiny")
