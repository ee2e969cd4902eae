"""The embedded chain: py-evm with a transaction pool and a clock, for machines without Anvil.

It does what a node does (pool with nonce gaps and replacement, base fee, receipts, logs) and no more. The JSON-RPC
surface is in `embedded_rpc.py`. py-evm insists on strictly rising timestamps; so that the chain's clock never runs
ahead of real time, at most one block is mined a second unless `instant` says otherwise.
"""

import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from eth.abc import BlockAPI, ComputationAPI, ReceiptAPI, SignedTransactionAPI, VirtualMachineAPI
from eth.chains.base import MiningChain
from eth.consensus.applier import ConsensusApplier
from eth.consensus.noproof import NoProofConsensus
from eth.constants import BLANK_ROOT_HASH, ZERO_ADDRESS
from eth.db.atomic import AtomicDB
from eth.exceptions import PyEVMError, Revert, VMError
from eth.vm.forks.cancun import CancunVM
from eth.vm.spoof import SpoofTransaction
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException  # type: ignore[import-untyped]

GAS_LIMIT = 60_000_000
REPLACEMENT_PERCENT = 10
CALL_DEPTH_HEADROOM = (64, 63)  # a call gets at most 63/64 of the gas left (EIP-150)


class EmbeddedError(Exception):
    """A request the chain refuses. `code` is the JSON-RPC code, `data` revert data or empty."""

    def __init__(self, code: int, message: str, data: bytes = b"") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


@dataclass(frozen=True, slots=True)
class Mined:
    """A mined transaction. `gas_used` is its own, `cumulative` that of the block so far, `first_log` its log index."""

    block: int
    index: int
    transaction: SignedTransactionAPI
    receipt: ReceiptAPI
    succeeded: bool
    gas_used: int
    cumulative: int
    first_log: int


class EmbeddedChain:
    """A py-evm chain at the Cancun fork. Thread-safe: one lock around everything.

    `clock` gives real seconds; `instant` mines each transaction when it arrives (and then timestamps may run ahead),
    else `mine` must be called, by a ticker.
    """

    def __init__(
        self,
        *,
        chain_id: int,
        balances: dict[bytes, int],
        clock: Callable[[], float],
        instant: bool = False,
        gas_limit: int = GAS_LIMIT,
    ) -> None:
        self.lock = threading.RLock()
        self.chain_id = chain_id
        self.instant = instant
        self.arrived = threading.Event()
        self._clock = clock
        self._offset = 0
        self._next_timestamp: int | None = None
        self._pool: dict[bytes, dict[int, SignedTransactionAPI]] = {}
        self._order: dict[bytes, int] = {}
        self._arrivals = 0
        self._mined: dict[bytes, Mined] = {}
        self._blocks: list[list[bytes]] = [[]]
        self._chain = _new_chain(chain_id, balances, int(clock()), gas_limit)

    # Blocks

    @property
    def head_number(self) -> int:
        """Number of the latest block."""
        return int(self._chain.header.block_number) - 1

    def block_at(self, number: int) -> BlockAPI | None:
        """The block with this number, or None."""
        with self.lock:
            if not 0 <= number <= self.head_number:
                return None
            return self._chain.get_canonical_block_by_number(number)  # type: ignore[arg-type]  # a NewType of int

    def block_number_of(self, block_hash: bytes) -> int | None:
        """Number of the block with this hash, or None."""
        with self.lock:
            if not self._chain.chaindb.header_exists(block_hash):  # type: ignore[arg-type]
                return None
            return int(self._chain.get_block_header_by_hash(block_hash).block_number)  # type: ignore[arg-type]

    def mined(self, tx_hash: bytes) -> Mined | None:
        """The mined transaction with this hash, or None."""
        with self.lock:
            return self._mined.get(tx_hash)

    def mined_in(self, first: int, last: int) -> Iterable[Mined]:
        """All transactions of the blocks `first` to `last`, both included, in order."""
        with self.lock:
            hashes = [tx_hash for block in self._blocks[first : last + 1] for tx_hash in block]
            return [self._mined[tx_hash] for tx_hash in hashes]

    # Pool

    def pending(self, tx_hash: bytes) -> SignedTransactionAPI | None:
        """The pooled transaction with this hash, or None."""
        with self.lock:
            pooled = (tx for by_nonce in self._pool.values() for tx in by_nonce.values())
            return next((tx for tx in pooled if tx.hash == tx_hash), None)

    def drop(self, tx_hash: bytes) -> bool:
        """Takes a transaction out of the pool; whether it was there."""
        with self.lock:
            transaction = self.pending(tx_hash)
            if transaction is None:
                return False
            del self._pool[transaction.sender][transaction.nonce]
            return True

    def submit(self, raw: bytes) -> bytes:
        """Puts a signed transaction into the pool; its hash. Raises EmbeddedError with a node's usual words."""
        with self.lock:
            transaction = self._decoded(raw)
            self._admit(transaction)
            self._pool.setdefault(transaction.sender, {})[transaction.nonce] = transaction
            self._arrivals += 1
            self._order[transaction.hash] = self._arrivals
            self.arrived.set()
            if self.instant:
                self.mine()
            return bytes(transaction.hash)

    def _decoded(self, raw: bytes) -> SignedTransactionAPI:
        try:
            transaction = self._chain.get_vm().get_transaction_builder().decode(raw)
            transaction.validate()
        except (PyEVMError, RLPException, ValidationError, ValueError, TypeError) as error:
            raise EmbeddedError(-32602, f"failed to decode signed transaction: {error}") from error
        if transaction.chain_id is not None and transaction.chain_id != self.chain_id:
            raise EmbeddedError(-32000, f"invalid chain id: have {transaction.chain_id} want {self.chain_id}")
        return transaction

    def _admit(self, transaction: SignedTransactionAPI) -> None:
        if transaction.hash in self._mined:
            raise EmbeddedError(-32000, "already known")
        state = self._vm().state
        if transaction.nonce < state.get_nonce(transaction.sender):
            raise EmbeddedError(-32000, "nonce too low")
        if transaction.gas > self._chain.header.gas_limit:
            raise EmbeddedError(-32000, "exceeds block gas limit")
        if transaction.gas < transaction.intrinsic_gas:
            raise EmbeddedError(-32000, "intrinsic gas too low")
        if transaction.max_fee_per_gas < (self._chain.header.base_fee_per_gas or 0):
            raise EmbeddedError(-32000, "max fee per gas less than block base fee")
        cost = transaction.value + transaction.gas * transaction.max_fee_per_gas
        if state.get_balance(transaction.sender) < cost:
            raise EmbeddedError(-32000, "insufficient funds for gas * price + value")
        present = self._pool.get(transaction.sender, {}).get(transaction.nonce)
        if present is None:
            return
        if present.hash == transaction.hash:
            raise EmbeddedError(-32000, "already known")
        if transaction.max_fee_per_gas * 100 < present.max_fee_per_gas * (100 + REPLACEMENT_PERCENT):
            raise EmbeddedError(-32000, "replacement transaction underpriced")

    # Mining and time

    def time(self) -> int:
        """What the clock says now, travels included, in seconds."""
        return int(self._clock()) + self._offset

    def travel(self, seconds: int) -> int:
        """Moves the clock `seconds` into the future; the total offset."""
        with self.lock:
            self._offset += seconds
            return self._offset

    def set_next_timestamp(self, timestamp: int) -> None:
        """Gives the next block exactly this timestamp and lets the clock go on from there."""
        with self.lock:
            if timestamp <= self._head_timestamp():
                raise EmbeddedError(-32602, f"timestamp {timestamp} is not after the latest block")
            self._next_timestamp = timestamp

    def due(self) -> bool:
        """Whether the clock has moved past the latest block, so that another one may be mined."""
        return self.time() > self._head_timestamp()

    def _head_timestamp(self) -> int:
        return int(self._chain.get_canonical_head().timestamp)

    def mine(self) -> None:
        """Mines one block with everything in the pool that is ready and fits."""
        with self.lock:
            timestamp = max(self._head_timestamp() + 1, self.time())
            if self._next_timestamp is not None:
                timestamp, self._next_timestamp = self._next_timestamp, None
                self._offset = timestamp - int(self._clock())
            self.arrived.clear()
            self._chain.header = self._chain.header.copy(timestamp=timestamp)
            applied = self._apply_ready()
            block = self._chain.mine_block(mix_hash=secrets.token_bytes(32), coinbase=ZERO_ADDRESS)
            self._record(int(block.number), applied)

    def _apply_ready(self) -> list[tuple[SignedTransactionAPI, ReceiptAPI, ComputationAPI]]:
        applied = []
        progress = True
        while progress:
            progress = False
            for transaction in self._ready():
                outcome = self._apply(transaction)
                if outcome is not None:
                    applied.append((transaction, *outcome))
                    progress = True
        return applied

    def _ready(self) -> list[SignedTransactionAPI]:
        """The next transaction of each sender, in order of arrival."""
        state = self._chain.get_vm().state
        ready = []
        for sender, by_nonce in self._pool.items():
            nonce = state.get_nonce(sender)  # type: ignore[arg-type]
            for stale in [known for known in by_nonce if known < nonce]:
                del by_nonce[stale]
            if nonce in by_nonce:
                ready.append(by_nonce[nonce])
        return sorted(ready, key=lambda transaction: self._order[transaction.hash])

    def _apply(self, transaction: SignedTransactionAPI) -> tuple[ReceiptAPI, ComputationAPI] | None:
        header = self._chain.header
        if transaction.gas > header.gas_limit - header.gas_used:
            return None
        try:
            _, receipt, computation = self._chain.apply_transaction(transaction)
        except ValidationError:
            return None  # cannot pay its base fee now; it stays in the pool, as with any node
        del self._pool[transaction.sender][transaction.nonce]
        return receipt, computation

    def _record(self, number: int, applied: Sequence[tuple[SignedTransactionAPI, ReceiptAPI, ComputationAPI]]) -> None:
        used = logs = 0
        self._blocks.append([])
        for index, (transaction, receipt, computation) in enumerate(applied):
            own = int(receipt.gas_used) - used
            used += own
            mined = Mined(number, index, transaction, receipt, not computation.is_error, own, used, logs)
            logs += len(receipt.logs)
            self._order.pop(transaction.hash, None)
            self._mined[bytes(transaction.hash)] = mined
            self._blocks[number].append(bytes(transaction.hash))

    # State

    def _vm(self, number: int | None = None) -> VirtualMachineAPI:
        if number is None or number == self.head_number:
            return self._chain.get_vm(self._chain.get_canonical_head())
        block = self.block_at(number)
        if block is None:
            raise EmbeddedError(-32001, "header not found")
        return self._chain.get_vm(block.header)

    def state_at(self, number: int | None) -> Any:
        """py-evm's state after block `number`, the latest for None; with `number` = head + 1, that of the pool."""
        with self.lock:
            return self._vm(number).state

    def pending_nonce(self, account: bytes) -> int:
        """The next free nonce when everything in the pool is counted that can follow."""
        with self.lock:
            nonce = int(self._vm().state.get_nonce(account))  # type: ignore[arg-type]
            pooled = self._pool.get(account, {})
            while nonce in pooled:
                nonce += 1
            return nonce

    def base_fee(self) -> int:
        """Base fee of the next block, in wei per gas."""
        return int(self._chain.header.base_fee_per_gas or 0)

    def execute(
        self, sender: bytes, to: bytes, data: bytes, *, value: int, gas: int | None, number: int | None, pending: bool
    ) -> ComputationAPI:
        """Runs a call without keeping its effects, after block `number` or (`pending`) on top of the pool."""
        with self.lock:
            if pending:
                return self._on_top_of_pool(lambda vm: self._spoof(vm, sender, to, data, value, gas))
            return self._spoof(self._vm(number), sender, to, data, value, gas)

    def estimate(self, sender: bytes, to: bytes, data: bytes, *, value: int, pending: bool) -> int:
        """Gas that the call needs, found by running it: once with all the gas, then with what that used."""

        def attempt(gas: int | None) -> ComputationAPI:
            return self.execute(sender, to, data, value=value, gas=gas, number=None, pending=pending)

        generous = attempt(None)
        raise_if_failed(generous)
        # Execution starts after the intrinsic gas; refunds come only at the end, and inner calls keep 1/64 back.
        intrinsic = self._transaction(sender, to, data, value, GAS_LIMIT).intrinsic_gas
        low = intrinsic + int(generous.get_gas_used())
        over, under = CALL_DEPTH_HEADROOM
        for guess in (low, low * over // under + 2300, low * 2):
            if not attempt(guess).is_error:
                return guess
        return GAS_LIMIT

    def _on_top_of_pool(self, run: Callable[[VirtualMachineAPI], ComputationAPI]) -> ComputationAPI:
        kept = self._chain.header
        pool = {sender: dict(by_nonce) for sender, by_nonce in self._pool.items()}
        try:
            self._chain.header = kept.copy(timestamp=max(self._head_timestamp() + 1, self.time()))
            self._apply_ready()
            return run(self._chain.get_vm())
        finally:
            self._chain.header = kept
            self._pool = pool

    def _spoof(
        self, vm: VirtualMachineAPI, sender: bytes, to: bytes, data: bytes, value: int, gas: int | None
    ) -> ComputationAPI:
        state = vm.state
        limit = GAS_LIMIT if gas is None else gas
        snapshot = state.snapshot()
        try:
            transaction = self._transaction(sender, to, data, value, limit, state.get_nonce(sender))  # type: ignore[arg-type]
            message = state.get_transaction_executor().build_evm_message(transaction)
            return state.get_transaction_executor().build_computation(message, transaction)
        except (ValidationError, VMError) as error:
            raise EmbeddedError(-32000, str(error)) from error
        finally:
            state.revert(snapshot)

    def _transaction(
        self, sender: bytes, to: bytes, data: bytes, value: int, gas: int, nonce: int = 0
    ) -> SignedTransactionAPI:
        unsigned = self._chain.create_unsigned_transaction(
            nonce=nonce,
            gas_price=0,
            gas=gas,
            to=to,  # type: ignore[arg-type]
            value=value,
            data=data,
        )
        return SpoofTransaction(unsigned, from_=sender, gas_price=0)  # type: ignore[return-value]


def raise_if_failed(computation: ComputationAPI) -> None:
    """Raises EmbeddedError with the revert data when the execution failed."""
    if not computation.is_error:
        return
    if isinstance(computation.error, Revert):
        raise EmbeddedError(3, "execution reverted", bytes(computation.output))
    raise EmbeddedError(-32000, f"execution failed: {type(computation.error).__name__}: {computation.error}")


class _ConstantGasLimit(MiningChain):
    """py-evm would let the gas limit decay to the mainnet's of 2015."""

    def create_header_from_parent(self, parent_header: Any, **header_params: Any) -> Any:
        """The next header, with the parent's gas limit."""
        return super().create_header_from_parent(
            parent_header, **{**header_params, "gas_limit": parent_header.gas_limit}
        )


def _new_chain(chain_id: int, balances: dict[bytes, int], timestamp: int, gas_limit: int) -> MiningChain:
    configuration = ConsensusApplier(NoProofConsensus).amend_vm_configuration(((0, CancunVM),))
    chain_class = _ConstantGasLimit.configure(
        __name__="EmbeddedMiningChain", vm_configuration=configuration, chain_id=chain_id
    )
    genesis = {
        "coinbase": ZERO_ADDRESS,
        "difficulty": 0,
        "extra_data": b"assay",
        "gas_limit": gas_limit,
        "mix_hash": bytes(32),
        "nonce": bytes(8),
        "receipt_root": BLANK_ROOT_HASH,
        "timestamp": timestamp,
        "transaction_root": BLANK_ROOT_HASH,
    }
    state = {
        address: {"balance": balance, "nonce": 0, "code": b"", "storage": {}} for address, balance in balances.items()
    }
    return chain_class.from_genesis(AtomicDB(), genesis, state)  # type: ignore[arg-type, return-value]
