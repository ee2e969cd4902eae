"""`ConfidenceBounds.sol` and `offchain/proofs/confidence.py` give the same numbers; so do the bindings of provers."""

from collections.abc import Iterator
from typing import Any

import pytest

from offchain.chain.artifacts import load_artifact
from offchain.chain.client import ChainClient
from offchain.chain.devnet import Anvil, AnvilOptions
from offchain.proofs.confidence import lower_bound_ppm
from offchain.proofs.rounds import round_id
from offchain.proofs.statement import prover_binding

ADDRESS = "0x" + "00" * 19 + "aa"
CASES = [(0, 5), (1, 1), (5, 5), (1, 1000), (63, 64), (32, 64), (584, 600), (9_731, 10_000), (500, 1_000), (3, 7)]


@pytest.fixture(scope="module")
def client() -> Iterator[ChainClient]:
    with Anvil.start(AnvilOptions(accounts=1)) as anvil:
        yield anvil.client()


def ask(client: ChainClient, function: str, *arguments: Any) -> int:
    """What the contract answers, as if its code were at ADDRESS."""
    artifact = load_artifact("AccuracyProofs")
    data = client.web3.eth.contract(abi=artifact.abi).encode_abi(function, args=list(arguments))
    override = {ADDRESS: {"code": "0x" + artifact.runtime.hex()}}
    call = {"to": ADDRESS, "data": data, "gas": hex(25_000_000)}
    return int(client.request("eth_call", call, "latest", override), 16)


@pytest.mark.parametrize(("correct", "out_of"), CASES)
def test_bounds_are_the_same(client: ChainClient, correct: int, out_of: int) -> None:
    assert ask(client, "lowerBoundPpm", correct, out_of) == lower_bound_ppm(correct, out_of)


def test_rounds_and_bindings_are_the_same(client: ChainClient) -> None:
    someone = client.web3.to_checksum_address("0x" + "ac" * 20)
    round_ = round_id(someone, b"k" * 32)
    assert ask(client, "roundId", someone, b"k" * 32) == int.from_bytes(round_, "big")
    assert ask(client, "binding", round_, someone) == prover_binding(client.chain_id, ADDRESS, round_, someone)
