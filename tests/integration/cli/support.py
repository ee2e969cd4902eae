"""Runs the command line in this process as the executable would, and sees what a command has changed."""

import contextlib
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from offchain.chain.client import BlockRef, ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.cli.main import run

ACCOUNTS = 16
PASSWORD = "correct horse"


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Snapshot:
    """What bad input must not change: the chain, which mines whatever is sent at once, and files but for journals."""

    head: BlockRef
    pending: int
    files: tuple[str, ...]


@dataclass(frozen=True)
class Cli:
    """A home directory, and the chain with the contracts that it knows."""

    home: Path
    rpc: str
    client: ChainClient
    contracts: AssayContracts

    def __call__(self, *words: str) -> Answer:
        """One command in this process, in the environment of this home."""
        return call(words, self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a user would set."""
        password = self.home.parent / "password"
        return {"ASSAY_HOME": str(self.home), "ASSAY_RPC": self.rpc, "ASSAY_PASSWORD_FILE": str(password)}

    def snapshot(self) -> Snapshot:
        """See Snapshot."""
        return Snapshot(
            head=self.client.head(),
            pending=int(self.client.request("eth_getBlockTransactionCountByNumber", "pending"), 16),
            files=tuple(sorted(str(path) for path in self.home.rglob("*") if "journals" not in path.parts)),
        )

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """Asserts that nothing has changed at the end of the `with`."""
        before = self.snapshot()
        yield
        assert self.snapshot() == before


def call(words: Sequence[str], environment: dict[str, str]) -> Answer:
    """Runs `assay WORDS…` with only these ASSAY_ variables set."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        for name in ("ASSAY_HOME", "ASSAY_RPC", "ASSAY_STORE", "ASSAY_PASSWORD_FILE"):
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["assay", *words])
        patch.setattr(sys, "stdin", io.StringIO())
        with pytest.raises(SystemExit) as ended:
            run()
    code = ended.value.code
    return Answer(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


def assert_refused(answer: Answer, *words: str) -> None:
    """Exit code 2 and one line on standard error, with these words in it."""
    assert answer.code == 2, answer
    lines = answer.err.splitlines()
    assert len(lines) == 1, answer.err
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0], f"{word!r} is not in: {lines[0]}"
