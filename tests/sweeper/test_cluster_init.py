"""The profile that `cluster-init` writes; SLURM's programs are scripts that print what 22.05 and 23.11 print."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from sweeper.cli.main import main
from sweeper.grid.expand import expand
from sweeper.grid.project import MARKER
from sweeper.plan.plan import spec_from
from sweeper.spec.cluster import Cluster

CONFIG = """\
Configuration data as of 2026-11-30T14:42:43
AccountingStorageBackupHost = (null)
AccountingStorageEnforce = associations,limits,qos
AuthInfo                = (null)
ClusterName             = {name}
JobContainerType        = {container}
MaxArraySize            = {arrays}
SchedulerParameters     = (null)
SLURM_CONF              = /etc/slurm/slurm.conf
SLURM_VERSION           = {version}
"""
# `scontrol -a -o show partition` of 22.05, and of 23.11 with what came since.
OLD = (
    "PartitionName={name} AllowGroups=ALL AllowAccounts={accounts} AllowQos={qos} AllocNodes=ALL Default={default} "
    "QoS=N/A DefaultTime=NONE DisableRootJobs=NO ExclusiveUser=NO GraceTime=0 Hidden=NO MaxNodes=UNLIMITED "
    "MaxTime={time} MinNodes=0 LLN=NO MaxCPUsPerNode=UNLIMITED Nodes=n[1-4] PriorityJobFactor=1 PriorityTier=10 "
    "RootOnly=NO ReqResv=NO OverSubscribe=NO OverTimeLimit=NONE PreemptMode=OFF State={state} TotalCPUs=64 "
    "TotalNodes=4 SelectTypeParameters=NONE JobDefaults=(null) DefMemPerNode=UNLIMITED MaxMemPerNode=UNLIMITED "
    "TRES=cpu=64,mem=250G,node=4,billing=64,gres/gpu=32"
)
NEW = OLD.replace("MaxCPUsPerNode=UNLIMITED", "MaxCPUsPerNode=UNLIMITED MaxCPUsPerSocket=UNLIMITED").replace(
    "JobDefaults=(null)", "JobDefaults=DefCpuPerGPU=16,DefMemPerGPU=120000"
)
USUAL = {"accounts": "ALL", "qos": "ALL", "default": "NO", "time": "UNLIMITED", "state": "UP"}


class Login:
    """A login node, in a project of its user."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.project = folder, folder / "mine"
        (folder / "bin").mkdir()
        self.project.mkdir()
        (self.project / MARKER).write_text("")
        self.says("sbatch", "")
        monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
        monkeypatch.chdir(self.project)

    def says(self, program: str, text: str, *, code: int = 0) -> None:
        path = self.folder / "bin" / program
        path.write_text(f"#!/bin/sh\ncat {'>&2 ' * bool(code)}<<'X'\n{text}\nX\nexit {code}\n")
        path.chmod(0o755)

    def is_called(self, *, partitions: list[str], nodes: list[str], version: str, **config: str) -> None:
        told = CONFIG.format(
            **{"name": "hpc", "container": "job_container/none", "version": version, "arrays": "1001"} | config
        )
        path = self.folder / "bin" / "scontrol"
        listed = "\n".join(partitions)
        path.write_text(
            f"#!/bin/sh\ncase \"$*\" in *partition*) cat <<'X'\n{listed}\nX\n;; *) cat <<'X'\n{told}X\n;; esac\n"
        )
        path.chmod(0o755)
        listed = "\n".join(nodes)
        sinfo = self.folder / "bin" / "sinfo"
        sinfo.write_text(
            f"#!/bin/sh\n[ \"$1\" != --version ] || {{ echo slurm {version}; exit; }}\ncat <<'X'\n{listed}\nX\n"
        )
        sinfo.chmod(0o755)

    def has_qos(self, associations: str, *limits: str) -> None:
        """sacctmgr's lines: of associations, and of QOS (Name|Flags|GrpTRES|MaxTRESPU|MaxTRESPA|MaxTRES|MaxJobsPU)."""
        path, listed = self.folder / "bin" / "sacctmgr", "\n".join(limits)
        asked_of_qos = f"*\"show qos\"*) cat <<'X'\n{listed}\nX\n;;"
        path.write_text(f"#!/bin/sh\ncase \"$*\" in {asked_of_qos} *) cat <<'X'\n{associations}\nX\n;; esac\n")
        path.chmod(0o755)

    def made(self, name: str) -> tuple[str, Cluster]:
        """The file, and what a run of it gets."""
        text = (self.project / "conf" / "cluster" / f"{name}.yaml").read_text()
        point = expand([f"cluster={name}", "model_family=qwen2.5"], multirun=False).points[0]
        return text, spec_from(point.config).cluster


@pytest.fixture
def login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Login:
    return Login(tmp_path, monkeypatch)


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["cluster-init", *words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["data"]
    return found


def test_a_cluster_of_22_05_is_described_by_its_default_partition_of_gpus(
    login: Login, capsys: pytest.CaptureFixture[str]
) -> None:
    partitions = [
        OLD.format(**USUAL | {"name": "gpu", "default": "YES", "time": "2-00:00:00"}),
        OLD.format(**USUAL, name="big"),
        OLD.format(**USUAL, name="cpu"),
    ]
    nodes = [f"{name}|n{i}|idle|64|1031000|gpu:h100:8(S:0-1)" for i in range(4) for name in ("gpu", "big")]
    nodes += ["big|n9|mixed-|64|1031000|gpu:h100:8(S:0-1)", "cpu|c1|idle|128|257000|(null)"]
    login.is_called(partitions=partitions, nodes=nodes, version="22.05.8")
    login.says("sacctmgr", "lab|high,normal|\nteaching|normal|20")
    data = answer(capsys)
    assert data["path"] == str(login.project / "conf" / "cluster" / "hpc.yaml")
    text, cluster = login.made("hpc")
    assert (cluster.partition, cluster.account, cluster.qos) == ("gpu", None, None)
    assert (cluster.gpu_type, cluster.gpus_per_node, cluster.max_nodes) == ("H100", 8, 4)
    assert (cluster.cpus_per_gpu, cluster.memory_gb_per_gpu) == (8, 125)  # 64 CPUs and 1006.8 GB
    assert cluster.environment  # what `slurm` says beside it
    assert "# Cluster hpc, partition gpu, as slurm 22.05.8 told of it." in text
    assert "end after 48 h: model.resources.hours may not be more" in text
    assert "the default one; there are also big, cpu" in text
    assert "your default; yours: lab, teaching" in text
    assert "20 jobs of account teaching may be queued at once" in text
    assert all(f"#   {item}" in text for item in data["unknown"])
    before = text
    assert main(["cluster-init"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert login.made("hpc")[0] == before


def test_a_partition_of_23_11_for_some_accounts_and_with_two_kinds_of_gpus_is_told_so(
    login: Login, capsys: pytest.CaptureFixture[str]
) -> None:
    partitions = [
        NEW.format(**USUAL | {"name": "main", "default": "YES"}),
        NEW.format(**USUAL | {"name": "down", "state": "DOWN"}),
        NEW.format(**USUAL | {"name": "theirs", "accounts": "physics"}),
        NEW.format(**USUAL | {"name": "ours", "accounts": "ai,bio", "qos": "gpu,long"}),
    ]
    nodes = [
        "main|c1|idle|128|257000|(null)",
        "down|d1|down*|64|900000|gpu:h200:8",
        "theirs|t1|idle|64|900000|gpu:b200:8",
    ]
    nodes += [f"ours|a{i}|mixed|{96 + i}|515000|gpu:nvidia_a100-sxm4-80gb:4(S:0-3),nvme:1" for i in range(3)]
    nodes += ["ours|v1|idle|40|385000|gpu:v100:4(S:0-1)"]
    login.is_called(partitions=partitions, nodes=nodes, version="23.11.4", container="job_container/tmpfs")
    login.says("sacctmgr", "bio|gpu,normal|")
    answer(capsys, "site")
    text, cluster = login.made("site")
    assert (cluster.partition, cluster.account, cluster.qos) == ("ours", "bio", "gpu")
    assert (cluster.gpu_type, cluster.gpus_per_node, cluster.max_nodes) == ("A100", 4, 3)
    assert (cluster.cpus_per_gpu, cluster.memory_gb_per_gpu) == (24, 125)
    assert cluster.exclude == ("v1",)
    assert "nodes of other GPUs (4 x v100)" in text
    assert "Each job has a /tmp of its own." in text
    answer(capsys, "other", "--partition", "theirs")
    assert login.made("other")[1].gpu_type == "B200"
    assert "an account of yours that the partition takes; it takes physics" in login.made("other")[0]


A_NODE = "gpu:h100:8(S:0-1)"


@pytest.mark.parametrize(
    ("own", "limits", "most", "said"),
    [
        ("N/A", ["normal||gres/gpu=64|cpu=9,gres/gpu=16|||20"], 16, "QOS normal, of one user's jobs (MaxTRESPerUser)"),
        ("N/A", ["normal||gres/gpu=12||gres/gpu=24||"], 12, "QOS normal, of all its jobs together (GrpTRES)"),
        ("N/A", ["normal|||gres/gpu:h100=4,gres/gpu:a100=2|||"], 4, "QOS normal, of one user's jobs"),
        ("N/A", ["normal|||gres/gpu:a100=2|||"], None, ""),
        ("N/A", ["normal||||||"], None, ""),
        ("part", ["normal|||gres/gpu=16|||", "part|||gres/gpu=32|||"], 32, "QOS part, of one user's jobs"),
        ("part", ["normal|DenyOnLimit,OverPartQOS||gres/gpu=16|||", "part|||gres/gpu=32|||"], 16, "QOS normal"),
        ("part", ["normal|||gres/gpu=16|||", "part||||||"], 16, "QOS normal, of one user's jobs"),
    ],
)
def test_gpus_that_the_qos_let_a_user_have_at_once_are_the_profiles_ceiling(
    login: Login, capsys: pytest.CaptureFixture[str], own: str, limits: list[str], most: int | None, said: str
) -> None:
    partition = OLD.format(**USUAL, name="gpu").replace("QoS=N/A", f"QoS={own}")
    login.is_called(partitions=[partition], nodes=[f"gpu|n1|idle|64|1031000|{A_NODE}"], version="22.05.8")
    login.has_qos("lab|normal|", *limits)
    answer(capsys)
    text, cluster = login.made("hpc")
    assert cluster.max_gpus == most
    assert said in text


def test_limits_of_a_qos_that_are_no_ceiling_are_told_as_comments(
    login: Login, capsys: pytest.CaptureFixture[str]
) -> None:
    partition = OLD.format(**USUAL, name="gpu")
    login.is_called(partitions=[partition], nodes=[f"gpu|n1|idle|64|1031000|{A_NODE}"], version="22.05.8")
    login.has_qos("lab|normal|", "normal||gres/gpu=64|gres/gpu=32|gres/gpu=48|gres/gpu=8|20")
    answer(capsys)
    text, _ = login.made("hpc")
    assert "# A job has at most 8 GPUs: QOS normal, of a job (MaxTRES); model.resources may not ask for more." in text
    assert "# 48 GPUs at once, QOS normal, of your account's jobs" in text
    assert "# 64 GPUs at once, QOS normal, of all users' jobs together" in text
    assert "# 20 jobs of a user run at once under QOS normal" in text
    login.has_qos("lab|normal|", "a line of another form")
    data = answer(capsys, "second")
    assert any("how many GPUs the QOS let you have (sacctmgr answered" in item for item in data["unknown"])
    login.has_qos("lab|high,normal|")
    data = answer(capsys, "third")
    assert any("which of your QOS is your default" in item for item in data["unknown"])


def test_partitions_that_are_closed_to_the_users_groups_accounts_or_qos_are_passed_over_and_told(
    login: Login, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeper.oversight.cluster_profile.groups_of_user", lambda: frozenset({"students"}))
    usual = {name: OLD.format(**USUAL, name=name) for name in ("staff", "denied", "fast", "slow", "open")}
    partitions = [
        usual["staff"].replace("AllowGroups=ALL", "AllowGroups=staff,admin"),
        usual["denied"].replace("AllowAccounts=ALL", "DenyAccounts=lab,other"),
        usual["fast"].replace("AllowQos=ALL", "AllowQos=high"),
        usual["slow"].replace("AllowQos=ALL", "DenyQos=normal"),
        usual["open"],
    ]
    nodes = [f"{name}|n{i}|idle|64|1031000|{A_NODE}" for name in ("staff", "denied", "fast", "slow") for i in range(4)]
    login.is_called(partitions=partitions, nodes=[*nodes, "open|n9|idle|64|1031000|gpu:h100:1"], version="22.05.8")
    login.has_qos("lab|normal|", "normal||||||")
    answer(capsys)
    text, cluster = login.made("hpc")
    assert cluster.partition == "open"
    told = (
        "Closed to you: staff takes jobs of groups staff, admin alone, denied takes no account of lab, "
        "fast takes QOS high alone, slow takes no QOS of normal."
    )
    assert f"# {told}" in text
    answer(capsys, "named", "--partition", "staff")
    assert "# As far as SLURM tells, this partition is closed to you: it takes jobs of groups" in login.made("named")[0]
    login.is_called(partitions=partitions[:1], nodes=nodes[:4], version="22.05.8")
    assert main(["cluster-init", "none"]) == 2
    assert "takes jobs of yours: staff takes jobs of groups staff, admin alone" in capsys.readouterr().err
    monkeypatch.setattr("sweeper.oversight.cluster_profile.groups_of_user", lambda: None)  # the administrator
    answer(capsys, "root")
    assert login.made("root")[1].partition == "staff"


@pytest.mark.parametrize("kind", ["a100_3g.20gb", "nvidia_a100-pcie-40gb", "v100", None])
def test_a_kind_of_gpu_that_no_estimate_is_made_of_is_null_with_a_word(
    login: Login, capsys: pytest.CaptureFixture[str], kind: str | None
) -> None:
    gres = f"gpu:{kind}:4" if kind else "gpu:4"
    login.is_called(
        partitions=[OLD.format(**USUAL, name="p")], nodes=[f"p|n1|idle|32|257000|{gres}"], version="22.05.8"
    )
    login.says("sacctmgr", "lab|normal|")
    data = answer(capsys)
    text, cluster = login.made("hpc")
    assert (cluster.gpu_type, cluster.gpus_per_node) == (None, 4)
    assert "no estimate of time and memory" in text
    assert any("the kind of the GPUs" in item for item in data["unknown"]) is (kind is None)


def test_a_cluster_without_gpus_and_without_accounts_gets_a_profile_of_cpus(
    login: Login, capsys: pytest.CaptureFixture[str]
) -> None:
    login.is_called(
        partitions=[OLD.format(**USUAL | {"name": "debug", "default": "YES"})],
        nodes=["debug|n1|idle|4|7900|(null)", "debug|n2|alloc|4|16000|(null)"],
        version="22.05.8",
        name="My Cluster",
        arrays="0",
    )
    login.says("sacctmgr", "sacctmgr: error: Association: cluster has no slurmdbd", code=1)
    data = answer(capsys)
    assert any("your accounts, their QOS and limits (sacctmgr: " in item for item in data["unknown"])
    text, cluster = login.made("my")
    assert (cluster.device, cluster.gpus_per_node, cluster.max_nodes) == ("cpu", 0, 2)
    assert (cluster.cpus_per_gpu, cluster.memory_gb_per_gpu, cluster.arrays) == (2, 7, False)
    assert re.search(r"^# Not learned:$", text, re.MULTILINE)


def test_what_cannot_be_a_profile_is_refused_and_leaves_no_file(
    login: Login, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    login.is_called(partitions=[OLD.format(**USUAL, name="p")], nodes=["p|n1|idle|4|7900|(null)"], version="22.05.8")
    login.says("sacctmgr", "lab|normal|")

    def refused(*words: str) -> str:
        capsys.readouterr()
        assert main(["cluster-init", *words]) == 2
        return capsys.readouterr().err

    assert "there is none with nodes; there are p" in refused("--partition", "q")
    assert "the package has a cluster slurm_cpu" in refused("slurm_cpu")
    assert "../x" in refused("../x")
    login.says("scontrol", "slurm_load_ctl_conf error: Unable to contact slurm controller", code=1)
    assert "Unable to contact slurm controller" in refused()
    monkeypatch.setenv("PATH", "/nowhere")
    assert "submit from a login node" in refused()
    assert not (login.project / "conf").exists()
