"""One Anvil that mines at once, with the contracts on it, for all tests of the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.chain.addresses import read_addresses
from offchain.chain.contracts import AssayContracts
from offchain.chain.devnet import ANVIL_CHAIN_ID, Anvil
from tests.integration.cli.support import ACCOUNTS, PASSWORD, Cli, call


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """dev0 has deployed and holds the tokens; dev1, a client, and the providers from dev2 on have 1,000 each."""
    folder = tmp_path_factory.mktemp("cli")
    home = folder / "home"
    (folder / "password").write_text(PASSWORD + "\n")
    with Anvil.start() as anvil:
        environment = {
            "ASSAY_HOME": str(home),
            "ASSAY_RPC": anvil.url,
            "ASSAY_PASSWORD_FILE": str(folder / "password"),
        }
        names = [f"dev{index}" for index in range(1, ACCOUNTS)]
        for words in (
            ["keys", "dev", "--count", str(ACCOUNTS)],
            ["deploy"],
            ["keys", "fund", *names, "--tokens", "1000"],
        ):
            answer = call(words, environment)
            assert answer.code == 0, answer
        client = anvil.client()
        addresses = read_addresses(home / "deployments" / f"{ANVIL_CHAIN_ID}.json")
        yield Cli(home, anvil.url, client, AssayContracts(client, addresses))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A small table of three classes, `kind`, that a line separates."""
    path = tmp_path / "points.csv"
    rows = [f"{index % 3 * 2 + index % 7 / 10},{index % 3 - index % 5 / 10},{'abc'[index % 3]}" for index in range(60)]
    path.write_text("\n".join(["height,width,kind", *rows]) + "\n")
    return path
