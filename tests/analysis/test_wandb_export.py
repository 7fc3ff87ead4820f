"""A report as a run of real wandb, offline."""

from pathlib import Path

import pytest

from analysis.report.wandb_export import export


def test_page_and_tables_are_logged_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    for name, value in {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    page, tables = tmp_path / "model_scale.html", tmp_path / "model_scale_tables"
    page.write_text("<!DOCTYPE html><title>A report</title>")
    tables.mkdir()
    (tables / "sizes.csv").write_text("model,gain\ntiny-40k,0.06\ntiny-130k,\n")
    place = Path(export(page, tables))
    assert place.is_dir()
    logged = {path.name.split("_")[0] for path in place.rglob("*") if path.is_file()}
    assert {"report", "sizes"} <= logged
