import os
import secrets
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from data_prep.files.atomic_folder import make_once
from data_prep.files.lock import is_locked, locked
from rewards.program import words
from sweeper.host.errors import ResultsError
from sweeper.host.files import appended, is_leftover, open_results, whole, write_atomic
from sweeper.launch.slurm.queue import Queue
from sweeper.oversight.garbage import DAY, find

KILLED = (
    "import os, signal, sys; from pathlib import Path\n"
    "from data_prep.files.atomic_folder import make_once; from sweeper.host.files import whole\n"
    "def die(temporary):\n"
    "    place = temporary / 'weights' if temporary.is_dir() else temporary\n"
    "    place.write_text('half')\n"
    "    os.kill(os.getpid(), signal.SIGKILL)\n"
    "root = Path(sys.argv[2])\n"
    "if sys.argv[1] == 'folder':\n"
    "    make_once(root / 'models' / 'm', done='config.json', make=die)\n"
    "with whole(root / 'rows' / 'r.json') as temporary:\n"
    "    die(temporary)"
)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_writer_killed_with_9_left_is_garbage_a_day_later_and_not_before(tmp_path: Path, kind: str) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED, kind, str(tmp_path)]).returncode == -9
    silent, now = Queue(elements={}, endings={}), time.time()
    assert find(tmp_path, silent, [], now=now) == []
    (item,) = find(tmp_path, silent, [], now=now + DAY + 60)
    assert item.size == len("half")
    assert item.remove()
    assert not item.path.exists()
    assert not (tmp_path / "rows" / "r.json").exists()
    assert not (tmp_path / "models" / "m").exists()


def test_a_full_disk_is_told_with_the_file_that_was_to_be_written(tmp_path: Path) -> None:
    path = tmp_path / "row.json"

    def write() -> None:
        with whole(path) as temporary:
            temporary.symlink_to("/dev/full")
            temporary.write_text("much")

    with pytest.raises(OSError, match="No space left on device") as caught:
        write()
    assert str(path) in words(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "rows/.a.json.n1-7.tmp",
        "models/.tiny-0123.building",
        "annotations/.rates.parquet.partial",
        "code/0123456789abcdef.partial",
        "runs/tiny_grpo/train.partial",
        "runs/tiny_grpo/ray-7-0.partial",
        "runs/tiny_grpo/checkpoints/global_step_4/actor/.merged.building",
    ],
)
def test_what_earlier_versions_left_half_written_is_still_garbage(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text("half")
    os.utime(path, (time.time() - 2 * DAY,) * 2)
    assert [item.path for item in find(tmp_path, Queue(elements={}, endings={}), [], now=time.time())] == [path]


@pytest.mark.parametrize(
    "name", ["base/tiny-0123.partial", "runs/tiny_grpo/counts.partial", "rows/a.json", "models/a.tmp"]
)
def test_finished_blocks_of_an_evaluation_are_no_leftover(name: str) -> None:
    assert not is_leftover(Path("results") / name)


def test_a_file_is_not_there_if_writing_it_fails_and_nothing_else_is(tmp_path: Path) -> None:
    def interrupted() -> None:
        with whole(tmp_path / "new" / "file") as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list((tmp_path / "new").iterdir()) == []


def test_a_private_file_is_its_owners_alone_whoever_wrote_it_before(tmp_path: Path) -> None:
    path = tmp_path / "token"
    write_atomic(path, "open")
    write_atomic(path, "secret", is_private=True)
    assert path.read_text() == "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_lock_is_seen_by_who_does_not_hold_it_and_a_file_that_is_not_there_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    with locked(path, wait=False):
        assert is_locked(path)
    assert not is_locked(path)


def test_nothing_is_written_through_a_link_that_was_planted_for_a_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary, path = tmp_path / "diary", tmp_path / "rows" / "q.json"
    path.parent.mkdir()
    diary.write_text("dear diary")
    names = [f".q.json.{os.uname().nodename}-{os.getpid()}.tmp", f".q.json.{os.uname().nodename}-guessed.tmp"]
    for name in names:
        path.with_name(name).symlink_to(diary)
    path.symlink_to(diary)
    write_atomic(path, "a row")
    assert (diary.read_text(), path.read_text()) == ("dear diary", "a row")
    assert not path.is_symlink()
    monkeypatch.setattr(secrets, "token_hex", lambda _: "guessed")
    with pytest.raises(FileExistsError):
        write_atomic(path, "another")
    assert (diary.read_text(), path.read_text()) == ("dear diary", "a row")


def test_a_folder_may_be_a_link_of_its_user_and_not_one_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch, rows = tmp_path / "scratch", tmp_path / "rows"
    scratch.mkdir()
    rows.symlink_to(scratch)
    write_atomic(rows / "q.json", "mine")
    assert (scratch / "q.json").read_text() == "mine"
    if os.getuid() == 0:
        os.lchown(rows, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ResultsError, match=rf"{rows} is a link that uid \d+ made"):
        write_atomic(rows / "q.json", "theirs")
    assert (scratch / "q.json").read_text() == "mine"


@pytest.mark.parametrize("write", [write_atomic, lambda path, _: appended(path).close()])
def test_no_folder_between_the_results_folder_and_a_file_may_be_a_link_of_another(
    write: Callable[[Path, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, elsewhere, way = tmp_path / "results", tmp_path / "elsewhere", tmp_path / "way"
    (elsewhere / "attempts").mkdir(parents=True)
    results.mkdir()
    way.symlink_to(results)  # how the results folder is reached is free
    open_results(way / "x")
    run = way / "x" / "run"
    run.symlink_to(elsewhere)
    write(run / "log", "mine is good")
    for link in (run, way):
        if os.getuid() == 0:
            os.lchown(link, 12345, -1)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ResultsError, match=rf"{run} is a link that uid \d+ made"):
        write(run / "attempts" / "log", "x")
    assert not [*(elsewhere / "attempts").iterdir()]


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe"])
def test_a_log_is_not_added_to_where_it_leads_somewhere_else(tmp_path: Path, kind: str) -> None:
    diary, log = tmp_path / "diary", tmp_path / "log.txt"
    with appended(log) as file:
        file.write(b"one\n")
    with appended(log) as file:
        file.write(b"two\n")
    assert log.read_text() == "one\ntwo\n"
    log.unlink()
    diary.write_text("dear diary")
    {"link": log.symlink_to, "hard link": log.hardlink_to, "pipe": lambda _: os.mkfifo(log)}[kind](diary)
    with pytest.raises(ResultsError, match="remove it"):
        appended(log)
    assert diary.read_text() == "dear diary"


def modes(root: Path) -> set[str]:
    return {f"{stat.S_IMODE(path.stat().st_mode):o}" for path in (root, *root.rglob("*")) if path.name != "lock"}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_results_folder_that_a_launch_makes_is_its_users_alone_and_all_that_is_in_it(
    tmp_path: Path, umask: int
) -> None:
    os.umask(umask)
    results = tmp_path / "projects" / "results"
    open_results(results)
    write_atomic(results / "rows" / "a.json", "{}")
    make_once(results / "data" / "d", done="a", make=lambda folder: (folder / "a").touch())
    subprocess.run(["sh", "-c", f"mkdir {results}/val; echo x > {results}/val/1"], check=True)  # as verl does
    assert modes(tmp_path / "projects") == {"700", "600"}


@pytest.mark.parametrize(
    ("folder", "umask", "inside"),
    [
        (0o755, 0o022, {"755", "644"}),  # as earlier versions made it
        (0o750, 0o022, {"750", "640"}),  # a team reads
        (0o2750, 0o022, {"2750", "640"}),
        (0o2770, 0o002, {"2770", "660"}),  # a team writes, if each of them says so by umask
        (0o2770, 0o022, {"2770", "2750", "640"}),
        (0o777, 0o000, {"777", "666"}),
    ],
)
def test_a_results_folder_that_somebody_made_says_how_open_what_comes_into_it_is(
    tmp_path: Path, folder: int, umask: int, inside: set[str]
) -> None:
    results = tmp_path / "results"
    results.mkdir()
    results.chmod(folder)
    os.umask(umask)
    open_results(results)
    write_atomic(results / "rows" / "a.json", "{}")
    make_once(results / "data" / "d", done="a", make=lambda folder: (folder / "a").touch())
    assert modes(results) == inside


def test_a_path_of_results_may_lead_through_links(tmp_path: Path) -> None:
    (tmp_path / "mnt").mkdir()
    (tmp_path / "home").symlink_to("mnt")
    open_results(tmp_path / "home" / "results")
    write_atomic(tmp_path / "home" / "results" / "rows" / "a.json", "{}")
    assert modes(tmp_path / "mnt" / "results") == {"700", "600"}
