"""The harness on a real EVM (Anvil's): thousands of steps in a call."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak
from web3 import HTTPProvider
from web3.types import RPCEndpoint

from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.model.leaves import NODE_OPENING_ABI, OPERANDS_ABI, UNIT_OPENING_ABI, NodeOpening, Operands, UnitOpening
from offchain.protocol.scores import ScoreFunction
from tests.contracts.arithmetic.drawing import BATCH_ABI, QUESTION_ABI, Batch
from tests.contracts.support.solidity import compile_harness

Question = tuple[bytes, bytes, int, int]

_GAS = hex(2**53)
_OPTIONS = AnvilOptions(extra=("--disable-block-gas-limit", "--no-request-size-limit"))
_TIMEOUT = 300
_ATTEMPTS = 600


class Harness:
    """StepsHarness.sol, deployed."""

    def __init__(self, url: str) -> None:
        self._provider = HTTPProvider(url, request_kwargs={"timeout": _TIMEOUT})
        code = compile_harness("StepsHarness").creation
        sender = dev_accounts(1)[0].address
        sent = self._ask("eth_sendTransaction", {"from": sender, "data": "0x" + code.hex(), "gas": hex(10_000_000)})
        self._address = self._mined(sent)["contractAddress"]

    def elements(self, batch: Batch) -> tuple[int, ...]:
        """The elements of a batch, each computed whole."""
        return tuple(self._call("elements", (BATCH_ABI,), (astuple(batch),), "int256[]"))

    def finished(self, batch: Batch, cuts: Sequence[Sequence[int]]) -> tuple[int, ...]:
        """The same from parts; `cuts` of each element: 0, then ascending, then the number of terms."""
        return tuple(self._call("finished", (BATCH_ABI, "uint256[][]"), (astuple(batch), cuts), "int256[]"))

    def terms(self, batch: Batch) -> int:
        """How many terms each element has."""
        return int(self._call("terms", (BATCH_ABI,), (astuple(batch),), "uint256"))

    def part(self, question: Question, first: int, last: int, operands: Operands) -> int:
        """One part."""
        types = (QUESTION_ABI, "uint256", "uint256", OPERANDS_ABI)
        return int(self._call("part", types, (question, first, last, astuple(operands)), "int256"))

    def finish(self, question: Question, node: NodeOpening, unit: UnitOpening, parts: Sequence[int]) -> int:
        """An element of all its parts."""
        types = (QUESTION_ABI, NODE_OPENING_ABI, UNIT_OPENING_ABI, "int64[]")
        return int(self._call("finish", types, (question, astuple(node), astuple(unit), parts), "int256"))

    def spent(self, question: Question, first: int, last: int, operands: Operands) -> int:
        """The gas of one part, or of the whole element if `last` is 0, when another contract asks for it."""
        types = (QUESTION_ABI, "uint256", "uint256", OPERANDS_ABI)
        return int(self._call("spent", types, (question, first, last, astuple(operands)), "uint256"))

    def scores(self, function: ScoreFunction, outputs: Sequence[bytes], labels: Sequence[int]) -> tuple[int, ...]:
        """What samples score; outputs int32 big-endian."""
        types = ("uint8", "bytes[]", "int256[]")
        return tuple(self._call("scores", types, (int(function), outputs, labels), "int64[]"))

    def _call(self, name: str, types: Sequence[str], values: Sequence[Any], result: str) -> Any:
        data = keccak(text=f"{name}({','.join(types)})")[:4] + encode(types, values)
        answer = self._ask("eth_call", {"to": self._address, "data": "0x" + data.hex(), "gas": _GAS}, "latest")
        return decode([result], bytes.fromhex(answer.removeprefix("0x")))[0]

    def _mined(self, transaction: str) -> Any:
        for _ in range(_ATTEMPTS):
            receipt = self._ask("eth_getTransactionReceipt", transaction)
            if receipt is not None:
                return receipt
            time.sleep(0.05)
        raise AssertionError(f"{transaction} is not mined")

    def _ask(self, method: str, *parameters: Any) -> Any:
        answer = self._provider.make_request(RPCEndpoint(method), parameters)
        assert "error" not in answer, answer["error"]
        return answer["result"]


@contextmanager
def harness() -> Iterator[Harness]:
    """An Anvil with the harness on it."""
    with Anvil.start(_OPTIONS) as anvil:
        yield Harness(anvil.url)
