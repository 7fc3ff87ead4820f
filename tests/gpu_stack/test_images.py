"""Both images are one base and one step, and neither names a version that constraints/ pins."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKER, APPTAINER, STEP = (
    (ROOT / "containers" / name).read_text() for name in ("Dockerfile", "apptainer.def", "install")
)


def test_both_images_start_from_the_same_base_of_the_cuda_that_torch_is_built_for() -> None:
    (docker,), (apptainer,) = re.findall(r"^FROM (\S+)$", DOCKER, re.M), re.findall(r"^From: (\S+)$", APPTAINER, re.M)
    assert docker == apptainer
    toolkit = re.search(r"^cuda-toolkit==(\d+\.\d+)", (ROOT / "constraints/gpu-3.12.txt").read_text(), re.M)
    assert toolkit is not None
    assert f"cuda:{toolkit[1]}." in docker


def test_both_images_run_the_step_that_is_make_setup_gpu_and_put_its_python_first() -> None:
    step = "/opt/rl-scaling-sweeper/containers/install"
    assert re.findall(r"^RUN (.*)$", DOCKER, re.M) == [step]
    assert re.findall(r"^%post\n    (.*)\n\n", APPTAINER, re.M) == [step]
    assert "make setup-gpu VENV=/opt/venv" in STEP
    assert all("PATH=/opt/venv/bin:$PATH" in text for text in (DOCKER, APPTAINER))


def test_neither_image_lists_packages_of_python() -> None:
    assert not re.search(r"==|pip install", DOCKER + APPTAINER + STEP)
