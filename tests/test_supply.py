"""What is said of the packages that are installed: known vulnerabilities, the bill of materials, and pins that fit.

The tools themselves are real: `.ci/audit` and `.ci/sbom` install them and `.ci/lock` resolves, so these need an index.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.nightly

ROOT = Path(__file__).parents[1]
HASH = "sha256:" + "0" * 64
FLAW = {
    "id": "PYSEC-0000-1",
    "modified": "2020-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10.1"}]}],
        }
    ],
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The scripts, the project's needs, and one lock of two pins."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "constraints" / "hashed").mkdir(parents=True)
    lock(tmp_path, {"jinja2": "2.10", "idna": "3.10"})
    return tmp_path


def lock(checkout: Path, pins: dict[str, str]) -> None:
    plain = checkout / "constraints" / "cpu-3.11.txt"
    plain.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()))
    hashed = "".join(f"{name}=={version} \\\n    --hash={HASH}\n" for name, version in pins.items())
    (checkout / "constraints" / "hashed" / "cpu-3.11.txt").write_text(hashed)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """A mirror of OSV that knows one flaw, from a file."""
    file = tmp_path / "osv.json"
    file.write_text(json.dumps({"jinja2": [FLAW]}))

    class Osv(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            vulns = json.loads(file.read_text()).get(asked["package"]["name"], [])
            body = json.dumps({"vulns": vulns} if vulns else {}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Osv) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
        server.shutdown()


def ran(checkout: Path, name: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHON": sys.executable, "no_proxy": "127.0.0.1"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    command = [str(checkout / ".ci" / name), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)


def test_a_pin_with_a_known_vulnerability_fails_the_audit_and_is_named_with_its_cure(
    checkout: Path, database: str
) -> None:
    done = ran(checkout, "audit", database)
    assert done.returncode == 1, done.stderr
    assert "jinja2 2.10: PYSEC-0000-1; mended in: 2.10.1" in done.stdout
    assert "2 of 2 packages were audited" in done.stdout
    lock(checkout, {"jinja2": "3.1.6", "idna": "3.10"})
    (checkout / "osv.json").write_text("{}")
    done = ran(checkout, "audit", database)
    assert (done.returncode, "2 of 2 packages were audited" in done.stdout) == (0, True), done.stderr


def test_a_database_that_does_not_answer_is_no_clean_bill(checkout: Path) -> None:
    done = ran(checkout, "audit", "http://127.0.0.1:9/v1/query")
    assert done.returncode == 3
    assert "no database answered" in done.stderr


def test_the_bill_of_materials_lists_every_pin_with_its_hashes(tmp_path: Path) -> None:
    for name in (".ci", "constraints"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    done = ran(tmp_path, "sbom")
    assert done.returncode == 0, done.stderr
    for pins in (ROOT / "constraints").glob("*.txt"):
        bill = json.loads((tmp_path / "dist" / f"rl-scaling-sweeper-{pins.stem}.cdx.json").read_text())
        assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
        listed = {item["name"].lower().replace("_", "-"): item for item in bill["components"]}
        wanted = dict(line.split("==") for line in pins.read_text().split())
        assert {name: listed[name.lower().replace("_", "-")]["version"] for name in wanted} == wanted
        for name, item in listed.items():
            hashes = json.dumps(item.get("externalReferences", [])) + json.dumps(item.get("hashes", []))
            assert re.search(r"[0-9a-f]{64}", hashes) or item["version"].endswith("+cpu"), name


def test_a_pin_that_the_project_contradicts_fails_the_check_of_the_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(tmp_path / "tools"), "uv>=0.8"]
    subprocess.run(install, check=True, timeout=300)
    monkeypatch.setenv("PATH", f"{tmp_path / 'tools' / 'bin'}:{os.environ['PATH']}")
    for name in (".ci", "constraints"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    path = tmp_path / "constraints" / "cpu-3.11.txt"
    text = path.read_text()
    path.write_text(re.sub(r"(?m)^hydra-core==.*$", "hydra-core==1.0.0", text))
    done = ran(tmp_path, "lock", "--check")
    assert done.returncode != 0
    assert "hydra-core" in done.stderr
    path.write_text(re.sub(r"(?m)^hydra-core==.*\n", "", text))
    done = ran(tmp_path, "lock", "--check")
    assert done.returncode == 1
    assert "cpu-3.11.txt does not pin hydra-core: run make lock" in done.stderr
    path.write_text(text)
    done = ran(tmp_path, "lock", "--check")
    assert done.returncode == 0, done.stderr
