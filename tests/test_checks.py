"""Lint, types and layers, as a lane of the tests."""

import subprocess


def test_what_make_check_checks_is_in_order() -> None:
    done = subprocess.run(["make", "--no-print-directory", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
