"""The arrows of DESIGN, held by import-linter: the contracts stand in pyproject.toml."""

import pytest
from importlinter.cli import lint_imports

from tests.house.tree import ROOT


def test_imports(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    code = lint_imports(config_filename="pyproject.toml", no_cache=True, no_logo=True)
    if code:
        pytest.fail(capsys.readouterr().out, pytrace=False)
