"""Two orders played to their end on a development chain, by the deployed contracts: what `assay bench explorer` copies.

One is ordinary: claims, a provider that does not reveal, a validator that does not, sealing. In the other a validator
lies about one sample and a verifier plays the whole dispute. The logs are those of the chain, whole transactions.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from eth_typing import ChecksumAddress
from web3.contract.contract import ContractFunction

from offchain.bench.court_stage import CID, PARAMETERS, PURSE, SALT, WINDOW
from offchain.bench.dispute_lie import Falsehood, LyingEvidence
from offchain.bench.evaluation_networks import multilayer_perceptron
from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.court import Court
from offchain.chain.devnet import dev_accounts, travel
from offchain.chain.enums import Role, ScoreFunction
from offchain.chain.views import OrderTerms, encode
from offchain.dispute.evidence import Evidence, Work
from offchain.dispute.solver import next_move
from offchain.dispute.state import Side, Verdict
from offchain.errors import Bug
from offchain.model.evaluator import evaluate
from offchain.model.roots import ModelTree, SampleTree
from offchain.model.scores import sample_scores
from offchain.protocol.commitments import claim_commitment, client_commitment, scores_commitment
from offchain.protocol.scores import NO_MINIMUM
from offchain.types import TOKEN, OrderId, Wei

SAMPLES = 256
STORY_PARAMETERS = replace(PARAMETERS, move_seconds=WINDOW // 100)
ROLES = {Role.PROVIDER: 3, Role.VALIDATOR: 4, Role.VERIFIER: 1}


Transactions = tuple[tuple[dict[str, Any], ...], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """The logs of one order and of the bonds behind it, by transaction, as the node gives them.

    `cast`: the accounts in it. `disputes`: how many there had been before it.
    """

    oid: OrderId
    disputes: int
    cast: tuple[ChecksumAddress, ...]
    bonds: Transactions
    order: Transactions


@dataclass(frozen=True, slots=True)
class _Subject:
    """A network and a test set, scored."""

    work: Work
    evidence: Evidence
    liar: LyingEvidence

    @property
    def score(self) -> int:
        """The true one."""
        return self.evidence.total(0, SAMPLES)


class Story:
    """Plays orders with accounts that the node signs for."""

    def __init__(self, client: ChainClient, contracts: AssayContracts, seed: int) -> None:
        self._client = client
        self._contracts = contracts
        accounts = [account.address for account in dev_accounts(2 + sum(ROLES.values()))]
        self._bank, self._buyer, *others = accounts
        self._by_role: dict[Role, list[ChecksumAddress]] = {}
        for role, count in ROLES.items():
            self._by_role[role], others = others[:count], others[count:]
        self._cast = tuple(accounts[1:])
        self._subject = _scored(seed)

    def play(self, *, dispute: bool) -> Told:
        """One order from the bonds to the seal."""
        begun = self._client.head().number
        oid = OrderId(self._contracts.order_count() + 1)
        disputes = int(self._contracts.court.functions.disputeCount().call())
        self._bond()
        bonded = self._client.head().number
        self._put(oid)
        self._train(oid)
        self._validate(oid, lie=dispute)
        if dispute:
            self._dispute(oid)
        travel(self._client, 3 * WINDOW)
        self._act(self._contracts.proof.functions.seal(oid), self._bank)
        last = self._client.head().number
        return Told(oid, disputes, self._cast, self._logs(begun + 1, bonded), self._logs(bonded + 1, last))

    def _bond(self) -> None:
        token, vault = self._contracts.token.functions, self._contracts.vault
        self._act(token.transfer(self._buyer, PURSE), self._bank)
        for role, accounts in self._by_role.items():
            for account in accounts:
                stake = Wei(2_000 * TOKEN)
                self._act(token.transfer(account, stake), self._bank)
                self._act(token.approve(vault.address, stake), account)
                self._act(vault.functions.bond(int(role), stake), account)

    def _put(self, oid: OrderId) -> None:
        tests, network = self._subject.work.samples, self._subject.work.network
        terms = OrderTerms(
            reward=Wei(100 * TOKEN + oid),
            manifest_cid=CID,
            test_commitment=client_commitment(self._buyer, tests.root, SAMPLES, CID, SALT),
            score_function=ScoreFunction.ACCURACY,
            minimum_score_ppm=NO_MINIMUM,
            train_seconds=WINDOW,
            reveal_seconds=WINDOW,
            validate_seconds=2 * WINDOW,
            challenge_seconds=WINDOW,
            minimum_validators=2,
            max_model_bytes=PARAMETERS.max_model_bytes,
            max_tensor_bytes=PARAMETERS.max_tensor_bytes,
            input_size=int(np.prod(network.input_shape)),
            output_size=int(np.prod(network.output_shape)),
        )
        book = self._contracts.book
        self._act(self._contracts.token.functions.approve(book.address, terms.reward), self._buyer)
        self._act(book.functions.put(encode(terms)), self._buyer)

    def _train(self, oid: OrderId) -> None:
        proof, root = self._contracts.proof.functions, self._subject.work.model.root
        providers = self._by_role[Role.PROVIDER]
        for provider in providers:
            self._act(proof.claim(oid, claim_commitment(oid, provider, root, CID, SALT)), provider)
        travel(self._client, WINDOW)
        for provider in providers[:-1]:
            self._act(proof.reveal(oid, root, CID, SALT), provider)
        release = self._contracts.book.functions.releaseTest
        self._act(release(oid, self._subject.work.samples.root, SAMPLES, CID, SALT), self._buyer)
        travel(self._client, WINDOW)

    def _validate(self, oid: OrderId, *, lie: bool) -> None:
        proof, validators = self._contracts.proof.functions, self._by_role[Role.VALIDATOR]
        models = len(self._by_role[Role.PROVIDER]) - 1
        said = {account: [self._subject.score] * models for account in validators}
        if lie:
            said[validators[0]][0] = self._subject.liar.total(0, SAMPLES)
        for account, scores in said.items():
            commitment = scores_commitment(oid, account, scores, SALT)
            self._act(proof.commitScores(oid, commitment, STORY_PARAMETERS.minimum_v_stake), account)
        travel(self._client, WINDOW)
        for account in validators[:-1]:
            self._act(proof.revealScores(oid, said[account], SALT), account)
        travel(self._client, WINDOW)

    def _dispute(self, oid: OrderId) -> None:
        court = Court(self._contracts)
        (challenger,), defendant = self._by_role[Role.VERIFIER], self._by_role[Role.VALIDATOR][0]
        self._act(court.challenge(oid, defendant, 0, self._subject.score), challenger)
        while True:
            case = court.look(self._client.head())[-1]
            side = case.dispute.on_turn
            if side is None:
                break
            truth = side is Side.CHALLENGER
            evidence = self._subject.evidence if truth else self._subject.liar
            move = next_move(case.dispute, court.posted(case), evidence, side)
            if move is None:
                raise Bug(f"dispute {case.id}: {side.name.lower()} has no move")
            self._act(court.move(case.id, move), challenger if truth else defendant)
        if case.dispute.verdict is not Verdict.FALSE:
            raise Bug("a false score stands")

    def _act(self, function: ContractFunction, account: ChecksumAddress) -> None:
        tx = function.transact({"from": account})
        receipt = self._client.web3.eth.wait_for_transaction_receipt(tx, poll_latency=0.01)
        if receipt["status"] != 1:
            raise Bug(f"{function.fn_name} failed")

    def _logs(self, first: int, last: int) -> Transactions:
        addresses = self._contracts.addresses
        ours = [addresses.of(name) for name in addresses.contracts]
        wanted = {"fromBlock": hex(first), "toBlock": hex(last), "address": ours}
        found: dict[str, list[dict[str, Any]]] = {}
        for log in self._client.request("eth_getLogs", wanted):
            found.setdefault(log["transactionHash"], []).append(log)
        return tuple(tuple(logs) for logs in found.values())


def _scored(seed: int) -> _Subject:
    network = multilayer_perceptron([64, 32, 10], seed)
    rng = np.random.default_rng(seed)
    inputs = rng.integers(-127, 128, (SAMPLES, *network.input_shape), dtype=np.int8)
    labels = rng.integers(0, int(np.prod(network.output_shape)), SAMPLES, dtype=np.int32)
    scores = sample_scores(ScoreFunction.ACCURACY, evaluate(network, inputs), labels)
    work = Work(network, ModelTree(network), SampleTree(inputs, labels), inputs, ScoreFunction.ACCURACY)
    sample = int(rng.integers(SAMPLES))
    liar = LyingEvidence(work, scores, labels, Falsehood(sample, 0, 0))
    return _Subject(work, Evidence(work, scores), liar)
