import shutil
import subprocess
import sys
from pathlib import Path

from sweeper.host.machine import git_state

REPOSITORY = Path(__file__).parents[2]


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_commit_of_the_code_is_its_checkouts() -> None:
    commit, _ = git_state()
    assert commit == git(REPOSITORY, "rev-parse", "HEAD")


def test_a_copy_that_is_installed_inside_another_checkout_has_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "another project")
    shutil.copytree(REPOSITORY / "sweeper" / "host", tmp_path / "site-packages" / "sweeper" / "host")
    (tmp_path / "site-packages" / "sweeper" / "__init__.py").touch()
    code = "from sweeper.host import machine; print(machine.__file__, *machine.git_state())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "site-packages", check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == [str(tmp_path / "site-packages/sweeper/host/machine.py"), "None", "None"]
