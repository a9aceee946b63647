"""mypy, strict, over everything that is ours."""

import pytest
from mypy import api

from tests.house.tree import ROOT


def test_mypy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    out, err, code = api.run(["--no-error-summary"])
    if code:
        pytest.fail(f"\n{out}{err}", pytrace=False)
