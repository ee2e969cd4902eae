"""The page's pure modules under node's own test runner, against vectors that their Python twins have just made."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.explorer.page_vectors import make_vectors

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "offchain" / "explorer" / "page" / "test.mjs"


@pytest.mark.skipif(shutil.which("node") is None or not (ROOT / "node_modules" / "esbuild").exists(), reason="no npm")
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)])
def test_the_pages_modules(tmp_path: Path, seed: int) -> None:
    vectors = tmp_path / "vectors.json"
    vectors.write_text(json.dumps(make_vectors(seed)))
    environment = {**os.environ, "ASSAY_VECTORS": str(vectors)}
    done = subprocess.run(
        ["node", str(SCRIPT)], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout
