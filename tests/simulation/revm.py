"""The same as `evm`, on revm, the machine inside Anvil: dozens of times faster.

What one call has read stays warm for the next, so gas comes out too low: who measures it takes `evm.Evm`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from pyrevm import EVM, BlockEnv, CfgEnv, Env

from tests.simulation.evm import CHAIN_ID, GAS, Abi, Contract, Evm, intrinsic_gas

LARGEST_CODE = 10**6
REVERT = re.compile(r"Revert \{ gas_used: \d+, output: 0x([0-9a-f]*) \}")


@dataclass(frozen=True, slots=True)
class _Step:
    """What changed the state: a transaction, or a creation (`to` None), at a time."""

    sender: ChecksumAddress
    to: str | None
    data: bytes
    now: int


class FastEvm(Evm):
    """A state with contracts in it, see `Evm`. What changed it is remembered, and done again to make a copy of it."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.gas_used = 0
        self._errors: dict[bytes, tuple[str, tuple[str, ...]]] = {}
        self._steps: list[_Step] = []
        self._kept: dict[bytes, tuple[_Step, ...]] = {}
        self._clock = now
        self._evm = EVM(
            env=Env(cfg=CfgEnv(chain_id=CHAIN_ID, limit_contract_code_size=LARGEST_CODE), block=_block(now)),
            gas_limit=GAS,
            spec_id="CANCUN",
        )

    @classmethod
    def empty(cls, now: int) -> "FastEvm":
        """A state without accounts."""
        return cls(now)

    def persist(self) -> bytes:
        """Remembers the state; a name for it, from which `at` starts again."""
        name = len(self._kept).to_bytes(4, "big")
        self._kept[name] = tuple(self._steps)
        return name

    def at(self, root: bytes) -> "FastEvm":
        """A fresh state that begins at `root`."""
        other = FastEvm(self.now)
        other._errors = self._errors
        for step in self._kept[root]:
            other.now = step.now
            other._do(step)
        other.now = self.now
        return other

    def create(self, sender: ChecksumAddress, code: bytes, abi: Abi) -> Contract:
        """Creates a contract from creation code."""
        self._errors.update(abi.errors)
        address = self._do(_Step(sender, None, code, self.now))
        return Contract(self, address, abi)

    def transact(self, sender: ChecksumAddress, to: bytes, data: bytes) -> bytes:
        """Executes a call and keeps its effects. Raises Reverted, and then nothing has changed."""
        return self._do(_Step(sender, to_checksum_address(to), data, self.now))

    def call(self, sender: ChecksumAddress, to: bytes, data: bytes) -> bytes:
        """Executes a call and drops its effects. Raises Reverted."""
        before = self._evm.snapshot()
        try:
            return self._answer(lambda: self._evm.message_call(sender, to_checksum_address(to), data))
        finally:
            self._evm.revert(before)

    def _do(self, step: _Step) -> bytes:
        to = step.to
        if to is None:
            found = self._answer(lambda: bytes.fromhex(self._evm.deploy(step.sender, step.data).removeprefix("0x")))
        else:
            found = self._answer(lambda: self._evm.message_call(step.sender, to, step.data))
            self.gas_used = self._evm.result.gas_used + self._evm.result.gas_refunded - intrinsic_gas(step.data)
        self._steps.append(step)
        return found

    def _answer(self, execute: Callable[[], bytes]) -> bytes:
        if self._clock != self.now:
            self._evm.set_block_env(_block(self.now))
            self._clock = self.now
        try:
            return bytes(execute())
        except RuntimeError as error:
            found = REVERT.search(str(error))
            raise self._decoded(bytes.fromhex(found[1]) if found else b"", error) from None
        finally:
            self._evm.reset_transient_storage()


def _block(now: int) -> BlockEnv:
    return BlockEnv(number=1, timestamp=now, gas_limit=GAS, basefee=0, difficulty=0, prevrandao=bytes(32))
