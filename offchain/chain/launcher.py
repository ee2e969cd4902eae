"""How new intents start: gas and fees from the node, funds checked, signed, journalled, and only then broadcast."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eth_utils.address import to_checksum_address

from offchain.chain.client import ChainClient, RpcFailure
from offchain.chain.fees import suggest
from offchain.chain.flights import Flight, Flights
from offchain.chain.journal import Intent, Journal
from offchain.chain.reverts import call_fields
from offchain.chain.transactions import Fees, Signer, TxCall, sign
from offchain.errors import Bug, Rejected, Retryable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SendPolicy:
    """How the sender behaves.

    `resend_seconds`: after this long without being mined a transaction is looked for and sent again or replaced.
    `gas_margin_percent` is added to estimates, `gas_cap` is the most gas of one transaction. `wait_seconds` is how long
    `wait` waits by default.
    """

    resend_seconds: float = 30.0
    gas_margin_percent: int = 25
    gas_cap: int = 25_000_000
    wait_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Fresh:
    """A call to launch. `gas` is None until it is known; `displaced`: the journal has it under a nonce that is gone."""

    key: str
    call: TxCall
    gas: int | None
    displaced: bool

    @property
    def limit(self) -> int:
        """The gas limit, once it is known."""
        if self.gas is None:
            raise Bug(f"{self.key} has no gas limit")
        return self.gas


@dataclass(frozen=True, slots=True)
class Standing:
    """What the chain says about the account before new intents are launched."""

    pending_nonce: int
    mined_nonce: int
    balance: int
    fees: Fees


class Launcher:
    """Launches intents of one account. The sender holds its lock around every call."""

    def __init__(
        self,
        *,
        client: ChainClient,
        account: Signer,
        journal: Journal,
        flights: Flights,
        policy: SendPolicy,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        boundary: Callable[[str], None],
        contract_name: Callable[[str], str | None],
    ) -> None:
        self._client = client
        self._account = account
        self._address = to_checksum_address(account.address)
        self._journal = journal
        self._flights = flights
        self._policy = policy
        self._clock = clock
        self._sleep = sleep
        self._boundary = boundary
        self._contract_name = contract_name

    def launch_prefix(self, fresh: Sequence[Fresh]) -> int:
        """Launches as many of `fresh`, from the first on, as have a gas limit now; how many."""
        standing, limits = self._look(fresh)
        ready: list[Fresh] = []
        for item, limit in zip(fresh, limits, strict=True):
            if isinstance(limit, RpcFailure):
                if not ready:
                    self._await_or_raise(item.call, limit)
                break
            ready.append(replace(item, gas=limit))
        if ready:
            self._launch(ready, standing)
        return len(ready)

    def _await_or_raise(self, call: TxCall, failure: RpcFailure) -> None:
        """A call that reverts may depend on what is on its way: once that is mined, the node's word is final."""
        if not failure.is_revert or not self._flights.unmined():
            raise self._client.failure(failure, call.label, self._contract_name(call.to or ""))
        self._await_mined()

    def _look(self, fresh: Sequence[Fresh]) -> tuple[Standing, list[int | RpcFailure]]:
        queries: list[tuple[str, list[Any]]] = [
            ("eth_getTransactionCount", [self._address, "pending"]),
            ("eth_getTransactionCount", [self._address, "latest"]),
            ("eth_getBalance", [self._address, "latest"]),
            ("eth_getBlockByNumber", ["latest", False]),
            ("eth_gasPrice", []),
        ]
        estimates = [self._estimate_query(item.call) for item in fresh if item.gas is None]
        answers = self._client.batch([*queries, *estimates])
        for (method, _), answer in zip(queries, answers, strict=False):
            if isinstance(answer, RpcFailure):
                raise self._client.failure(answer, method)
        pending, mined, balance, block, price = answers[: len(queries)]
        base_fee = int(block.get("baseFeePerGas") or "0x0", 16)
        fees = suggest(self._client.network.fees, base_fee=base_fee, gas_price=int(price, 16))
        estimated = iter(answers[len(queries) :])
        limits = [self._limit(next(estimated)) if item.gas is None else item.gas for item in fresh]
        return Standing(int(pending, 16), int(mined, 16), int(balance, 16), fees), limits

    def _estimate_query(self, call: TxCall) -> tuple[str, list[Any]]:
        # On top of the pool, where what we sent before already counts (as far as the node supports that).
        return "eth_estimateGas", [call_fields(self._address, call), "pending"]

    def _limit(self, estimate: str | RpcFailure) -> int | RpcFailure:
        if isinstance(estimate, RpcFailure):
            return estimate
        wanted = int(estimate, 16)
        if wanted > self._policy.gas_cap:
            raise Rejected(f"the call needs {wanted} gas, more than the cap of {self._policy.gas_cap}")
        return min(wanted + wanted * self._policy.gas_margin_percent // 100, self._policy.gas_cap)

    def _await_mined(self) -> None:
        deadline = self._clock() + self._policy.wait_seconds
        while self._flights.unmined():
            if self._clock() >= deadline:
                raise Retryable(f"transactions of {self._address} are not mined after {self._policy.wait_seconds:g} s")
            self._flights.step()
            if self._flights.unmined():
                self._sleep(self._client.network.poll_seconds)

    def _launch(self, ready: Sequence[Fresh], standing: Standing) -> None:
        self._require_known_pool(standing)
        self._require_funds(ready, standing)
        first = self.next_nonce(standing.pending_nonce)
        intents = [self._signed(item, first + offset, standing.fees) for offset, item in enumerate(ready)]
        paired = list(zip(ready, intents, strict=True))
        self._boundary("journal:intent")
        self._journal.add([intent for item, intent in paired if not item.displaced])
        for intent in [intent for item, intent in paired if item.displaced]:
            self._journal.reissue(intent)
        try:
            self._flights.launch([Flight(intent) for intent in intents])
        except Retryable as error:
            # On disk, so it will be sent: the next step tries again.
            logger.info("%s: %d transactions stay journalled", error, len(intents))

    def _signed(self, item: Fresh, nonce: int, fees: Fees) -> Intent:
        chain_id = self._client.chain_id
        attempt = sign(self._account, item.call, chain_id=chain_id, nonce=nonce, gas=item.limit, fees=fees)
        return Intent(item.key, nonce, item.call, item.limit, (attempt,))

    def _require_known_pool(self, standing: Standing) -> None:
        """Raises Retryable while a restored journal does not know what is on its way: it may be this very call."""
        known = max(standing.mined_nonce, self._journal.next_nonce())
        if standing.pending_nonce > known and self._journal.is_restored:
            raise Retryable(
                f"{standing.pending_nonce - known} transactions of {self._address} are on their way that its journal, "
                "restored from a backup, does not know; nothing new is sent until they are mined"
            )

    def next_nonce(self, pending_nonce: int) -> int:
        """The nonce of the next new intent, given the account's next one by the node's count."""
        return max(self._journal.next_nonce(), pending_nonce)

    def _require_funds(self, ready: Sequence[Fresh], standing: Standing) -> None:
        committed = sum(
            flight.intent.gas * flight.latest.fees.maximum + flight.intent.call.value
            for flight in self._flights.all()
            if flight.intent.nonce >= standing.mined_nonce
        )
        needed = sum(item.limit * standing.fees.maximum + item.call.value for item in ready)
        if standing.balance < committed + needed:
            raise Rejected(
                f"account {self._address} has {standing.balance / 1e18:.6g} coins on chain {self._client.chain_id}, "
                f"but gas and value may take {(committed + needed) / 1e18:.6g}: fund it"
            )
