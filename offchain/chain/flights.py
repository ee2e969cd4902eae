"""What is in flight for one key: the state machine behind `Sender`.

The journal says what must be done; the chain says what is done. `step` compares the two: the account's nonce tells
which intents are mined, their receipts which attempt it was, the finality policy when that is for good. What is not
mined is sent again: the same bytes when the node has lost them, a replacement with a higher fee when it is stuck.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eth_utils.address import to_checksum_address

from offchain.chain.client import ChainClient, RpcFailure, parse_block
from offchain.chain.fees import bump, suggest
from offchain.chain.journal import Finished, Intent, Journal, State
from offchain.chain.reverts import revert_reason
from offchain.chain.transactions import Attempt, Fees, Receipt, Signer, TxCall, parse_receipt, sign
from offchain.errors import Retryable
from offchain.types import Wei

logger = logging.getLogger(__name__)

KNOWN_WORDS = ("already known", "already imported", "known transaction", "already exists")
STALE_WORDS = ("nonce too low", "nonce is too low", "replacement transaction underpriced")
CHEAP_WORDS = ("underpriced", "less than block base fee", "fee too low", "below base fee")
PLAIN_GAS = 21_000
LAST_ASKS = 3
"""How often the nodes are asked for receipts before a nonce is called a stranger's."""


@dataclass(slots=True)
class Flight:
    """A pending intent in memory.

    `sent` is when the node last took it (None: never, or rolled back), `block` the number of the block in which it was
    last seen, `cheap` that the node wants a higher fee, `refusal` why it does not want it at all, `missed` since when
    its nonce is taken for good and no node knows by which of its attempts.
    """

    intent: Intent
    sent: float | None = None
    block: int | None = None
    cheap: bool = False
    refusal: str | None = None
    missed: float | None = None

    @property
    def latest(self) -> Attempt:
        """The attempt with the highest fee."""
        return self.intent.attempts[-1]

    def worth_asking(self, mined_nonce: int, final: int) -> bool:
        """Whether a receipt can tell something new: it must be mined now, and not merely as known but not final."""
        return self.intent.nonce < mined_nonce and (self.block is None or self.block <= final)


@dataclass(frozen=True, slots=True)
class _View:
    """The chain as one step sees it."""

    mined_nonce: int
    head: int
    final: int
    base_fee: int
    gas_price: int


class Flights:
    """All unfinished intents of one account, by nonce. The sender holds its lock around every call."""

    def __init__(
        self,
        *,
        client: ChainClient,
        account: Signer,
        journal: Journal,
        resend_seconds: float,
        clock: Callable[[], float],
        boundary: Callable[[str], None],
        contract_name: Callable[[str], str | None],
    ) -> None:
        self._client = client
        self._account = account
        self._address = to_checksum_address(account.address)
        self._journal = journal
        self._resend_seconds = resend_seconds
        self._clock = clock
        self._boundary = boundary
        self._contract_name = contract_name
        self._by_key: dict[str, Flight] = {}
        self._gap_since: float | None = None
        self._head = 0
        self._behind_since: float | None = None
        self.reload()

    def reload(self) -> None:
        """Reads the unfinished intents from the journal; what this process sent before does not count."""
        self._by_key = {intent.key: Flight(intent) for intent in self._journal.unfinished()}

    def all(self) -> list[Flight]:
        """Everything in flight in order of nonce."""
        return sorted(self._by_key.values(), key=lambda flight: flight.intent.nonce)

    def get(self, key: str) -> Flight | None:
        """The flight of the intent with this key."""
        return self._by_key.get(key)

    def unmined(self) -> list[Flight]:
        """Flights that were not mined at the last look, in order of nonce."""
        return [flight for flight in self.all() if flight.block is None]

    def launch(self, flights: Sequence[Flight]) -> None:
        """Takes journalled intents on board and broadcasts them. Raises Retryable when the node is down."""
        self._by_key |= {flight.intent.key: flight for flight in flights}
        self._broadcast(flights)

    def step(self) -> None:
        """One look at the chain; see the module. Raises Retryable when the node is down."""
        if not self._by_key:
            return
        view = self._look()
        if self._is_outdated(view):
            return
        self._finish_mined(view)
        self._mend_gap(view)
        unmined = [flight for flight in self.all() if flight.intent.nonce >= view.mined_nonce]
        for flight in unmined:
            if flight.block is not None:
                logger.warning("transaction %s was rolled back; sending it again", flight.intent.key)
                flight.block, flight.sent = None, None
        self._resend(unmined, view)

    def _look(self) -> _View:
        finality = self._client.network.finality
        queries: list[tuple[str, list[Any]]] = [
            ("eth_getTransactionCount", [self._address, "latest"]),
            ("eth_getBlockByNumber", ["latest", False]),
            ("eth_gasPrice", []),
        ]
        if finality.kind == "tag":
            queries.append(("eth_getBlockByNumber", [finality.tag, False]))
        answers = self._checked(queries)
        head = parse_block(answers[1])
        if finality.kind == "tag":
            final = -1 if answers[3] is None else parse_block(answers[3]).number
        else:
            final = head.number - finality.blocks + 1
        base_fee = int(answers[1].get("baseFeePerGas") or "0x0", 16)
        return _View(int(answers[0], 16), head.number, final, base_fee, int(answers[2], 16))

    def _is_outdated(self, view: _View) -> bool:
        """Whether this look shows less of the chain than a former one: a node of a pool that lags behind the others.

        What it does not know yet is not rolled back. A chain that stays shorter was.
        """
        if view.head >= self._head:
            self._head, self._behind_since = view.head, None
            return False
        now = self._clock()
        if self._behind_since is None:
            self._behind_since = now
        if now - self._behind_since < self._resend_seconds:
            return True
        self._head, self._behind_since = view.head, None
        return False

    def _checked(self, queries: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        answers = self._client.batch(queries)
        for (method, _), answer in zip(queries, answers, strict=True):
            if isinstance(answer, RpcFailure):
                raise self._client.failure(answer, method)
        return answers

    # Ends

    def _finish_mined(self, view: _View) -> None:
        candidates = [flight for flight in self.all() if flight.worth_asking(view.mined_nonce, view.final)]
        receipts = self._receipts(candidates)
        ends: list[Finished] = []
        missing: list[Flight] = []
        for flight in candidates:
            receipt = receipts.get(flight.intent.key)
            if receipt is None:
                missing.append(flight)
            elif receipt.block_number <= view.final:
                ends.append(self._end(flight, receipt))
            else:
                flight.block, flight.refusal, flight.missed = receipt.block_number, None, None
        ends += self._displaced(missing, view)
        if ends:
            self._boundary("journal:outcome")
            self._journal.finish(ends)
            for end in ends:
                del self._by_key[end.key]

    def _receipts(self, flights: Sequence[Flight]) -> dict[str, Receipt]:
        """Receipts by key; any attempt of an intent may be the one that was mined."""
        wanted = [(flight.intent.key, attempt) for flight in flights for attempt in flight.intent.attempts]
        answers = self._checked([("eth_getTransactionReceipt", [_hex(attempt.tx_hash)]) for _, attempt in wanted])
        return {
            key: parse_receipt(answer)
            for (key, _), answer in zip(wanted, answers, strict=True)
            if answer is not None and answer.get("blockNumber") is not None
        }

    def _end(self, flight: Flight, receipt: Receipt) -> Finished:
        if receipt.succeeded:
            return Finished(flight.intent.key, State.DONE, receipt, None)
        return Finished(flight.intent.key, State.REVERTED, receipt, self._revert_reason(flight.intent, receipt))

    def _revert_reason(self, intent: Intent, receipt: Receipt) -> str:
        return revert_reason(
            self._client, self._address, intent.call, receipt, gas=intent.gas, contract_name=self._contract_name
        )

    def _displaced(self, missing: Sequence[Flight], view: _View) -> list[Finished]:
        """Intents whose nonce a transaction that is not ours has taken for good.

        Who is called displaced may be sent again under a new nonce, so this must never be wrong, and a node that lags
        does not know receipts that others know: it takes `resend_seconds` without any, and then some asking again.
        """
        if not missing or view.final < 0:
            return []
        final_nonce = int(self._client.request("eth_getTransactionCount", self._address, hex(view.final)), 16)
        now = self._clock()
        gone: list[Flight] = []
        for flight in missing:
            taken = flight.intent.nonce < final_nonce
            flight.missed = (now if flight.missed is None else flight.missed) if taken else None
            if flight.missed is not None and now - flight.missed >= self._resend_seconds:
                gone.append(flight)
        for _ in range(LAST_ASKS):
            found = self._receipts(gone) if gone else {}
            gone = [flight for flight in gone if flight.intent.key not in found]
        return [
            Finished(
                flight.intent.key,
                State.DISPLACED,
                None,
                f"another program used nonce {flight.intent.nonce} of {self._address}: nobody else may sign with this "
                "key; nothing was done, send it again once that is stopped",
            )
            for flight in gone
        ]

    # Gaps

    def _mend_gap(self, view: _View) -> None:
        """Makes sure that the lowest unmined nonce is in flight: nothing above it can be mined before.

        Nonces below what is in flight are missing when the chain rolled back what was final by the policy (the intent
        is revived), or when a foreign transaction that we had counted was dropped (an empty transfer fills the gap).
        """
        lowest = min((flight.intent.nonce for flight in self.unmined()), default=view.mined_nonce)
        if lowest <= view.mined_nonce:
            self._gap_since = None
            return
        revived = self._revive(range(view.mined_nonce, lowest))
        if revived or self._gap_since is None:
            self._gap_since = self._clock()
            return
        if self._clock() - self._gap_since >= self._resend_seconds:
            self._gap_since = None
            pooled = int(self._client.request("eth_getTransactionCount", self._address, "pending"), 16)
            self._fill(range(max(pooled, view.mined_nonce), lowest), view)

    def _revive(self, nonces: Iterable[int]) -> bool:
        revived = False
        for nonce in nonces:
            intent = self._journal.at_nonce(nonce)
            if intent is not None and intent.key not in self._by_key and intent.state is not State.DISPLACED:
                logger.warning("transaction %s was final and is rolled back; sending it again", intent.key)
                self._journal.revive(intent.key)
                self._by_key[intent.key] = Flight(replace(intent, state=State.PENDING, receipt=None, error=None))
                revived = True
        return revived

    def _fill(self, nonces: Iterable[int], view: _View) -> None:
        fees = suggest(self._client.network.fees, base_fee=view.base_fee, gas_price=view.gas_price)
        call = TxCall(self._address, b"", Wei(0), "gap filler")
        for nonce in nonces:
            if self._journal.at_nonce(nonce) is not None:
                continue  # a nonce that was used, seen by a node that lags
            logger.warning("nonce %d of %s is missing; an empty transfer fills the gap", nonce, self._address)
            attempt = self._sign(call, nonce, PLAIN_GAS, fees)
            intent = Intent(f"gap:{nonce}", nonce, call, PLAIN_GAS, (attempt,))
            self._boundary("journal:intent")
            self._journal.add([intent])
            self.launch([Flight(intent)])

    def _sign(self, call: TxCall, nonce: int, gas: int, fees: Fees) -> Attempt:
        return sign(self._account, call, chain_id=self._client.chain_id, nonce=nonce, gas=gas, fees=fees)

    # Sending again

    def _resend(self, unmined: Sequence[Flight], view: _View) -> None:
        now = self._clock()
        lost = [flight for flight in unmined if flight.sent is None and not flight.cheap]
        stale = [flight for flight in unmined if flight.sent is not None and now - flight.sent >= self._resend_seconds]
        cheap = [flight for flight in unmined if flight.cheap]
        pooled = self._checked([("eth_getTransactionByHash", [_hex(flight.latest.tx_hash)]) for flight in stale])
        for flight, found in zip(stale, pooled, strict=True):
            if found is None:
                logger.info("transaction %s was dropped; sending it again", flight.intent.key)
                lost.append(flight)
            elif flight.intent.nonce == view.mined_nonce:
                cheap.append(flight)  # first in line and not mined: only a higher fee can help
            else:
                flight.sent = now
        lost += [flight for flight in cheap if self._bumped(flight, view)]
        lost.sort(key=lambda flight: flight.intent.nonce)
        self._broadcast(lost)
        # A node that has dropped a transaction for its low fee says so only when it is offered again.
        self._broadcast([flight for flight in lost if flight.cheap and self._bumped(flight, view)])

    def _bumped(self, flight: Flight, view: _View) -> bool:
        """Signs and journals a replacement; False when fees are at their maximum and nothing better can be sent."""
        flight.cheap = False
        flight.sent = self._clock()
        try:
            fresh = suggest(self._client.network.fees, base_fee=view.base_fee, gas_price=view.gas_price)
        except Retryable as error:
            logger.warning("transaction %s waits: %s", flight.intent.key, error)
            return False
        fees = bump(self._client.network.fees, flight.latest.fees, fresh)
        if fees is None:
            logger.warning("transaction %s waits: its fee is at the network's maximum", flight.intent.key)
            return False
        intent = flight.intent
        attempt = self._sign(intent.call, intent.nonce, intent.gas, fees)
        self._boundary("journal:attempt")
        self._journal.add_attempt(intent.key, attempt)
        flight.intent = replace(intent, attempts=(*intent.attempts, attempt))
        logger.info("transaction %s: fee raised to %d wei", intent.key, fees.maximum)
        return True

    def _broadcast(self, flights: Sequence[Flight]) -> None:
        if not flights:
            return
        self._boundary("broadcast")
        answers = self._client.batch([("eth_sendRawTransaction", [_hex(flight.latest.raw)]) for flight in flights])
        now = self._clock()
        for flight, answer in zip(flights, answers, strict=True):
            self._take_answer(flight, answer, now)

    def _take_answer(self, flight: Flight, answer: Any, now: float) -> None:
        words = answer.message.lower() if isinstance(answer, RpcFailure) else ""
        flight.sent, flight.refusal, flight.cheap = now, None, False
        if not words or any(known in words for known in KNOWN_WORDS + STALE_WORDS):
            return  # "nonce too low": one of its attempts, or a stranger, is mined; the next look tells which
        if any(cheap in words for cheap in CHEAP_WORDS):
            flight.cheap = True
        elif isinstance(answer, RpcFailure) and answer.is_busy:
            flight.sent = None
        else:
            flight.refusal = answer.message
            logger.warning("transaction %s refused: %s", flight.intent.key, answer.message)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
