"""`python -m offchain.cli` is `assay`."""

from offchain.cli.main import run

run()
