"""A folder in which every module is another's: what a user's own folder may hold."""

from pathlib import Path

OURS = ("rewards", "analysis", "data_prep", "sweeper")
IMPORTED = ("datasets", "torch", "transformers", "verl", "ray", "hydra", "numpy")


def write_other_modules(folder: Path) -> None:
    """Modules and a package, named like ours and like those we import, that end whatever imports them."""
    (folder / "conf" / "grid").mkdir(parents=True)
    for name in (*OURS, *IMPORTED, "conf/__init__"):
        (folder / f"{name}.py").write_text(f"raise SystemExit('{name} of the current folder was imported')\n")
