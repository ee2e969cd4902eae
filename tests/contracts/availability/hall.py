"""Orders on the real contracts, in the EVM, whose models and test set are real data or none at all."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from eth_typing import ChecksumAddress

from offchain.chain.enums import Role
from offchain.chain.views import encode
from offchain.dispute.answers import Answer, answer_from_model, answer_from_test
from offchain.dispute.requests import RequestStatus, Target, is_of_test
from offchain.model.graph import Int8Array, Int32Array
from offchain.model.limits import ModelLimits
from offchain.model.roots import ModelTree, SampleTree
from offchain.protocol import commitments
from offchain.protocol.lifecycle import Phase
from offchain.protocol.scores import NO_MINIMUM, ScoreFunction
from offchain.types import CidDigest, OrderId, Root, Salt
from tests.simulation.dispute_chain import CLIENT, DEPLOYER, MOVE_SECONDS, UNLIMITED, Chain, fresh_chain
from tests.simulation.evm import Contract, Evm, Reverted, account, intrinsic_gas
from tests.simulation.lifecycle_model import Parameters
from tests.simulation.revm import FastEvm

ASKER, HOLDER = account(60), account(61)
PROVIDERS = tuple(account(70 + index) for index in range(3))
VALIDATORS = tuple(account(80 + index) for index in range(3))
OID = OrderId(1)
REWARD, BOND, V_STAKE, CHALLENGE_SECONDS = 10_000, 4_000, 40, 500
PARAMETERS = Parameters(move_seconds=MOVE_SECONDS)
START = 1_800_000_000
WINDOW = 1_000
WORD = bytes([9]) * 32
SALT = Salt(WORD)


@dataclass(frozen=True, slots=True)
class Samples:
    """A test set: int8 (n, *shape) and int32 (n,)."""

    inputs: Int8Array
    labels: Int32Array

    @property
    def size(self) -> int:
        """int8 elements of one sample."""
        return int(self.inputs[0].size)


def some_samples(size: int, count: int = 3) -> Samples:
    """Random ones."""
    rng = np.random.default_rng(size)
    return Samples(rng.integers(-128, 128, (count, size), dtype=np.int8), np.arange(count, dtype=np.int32) % 2)


@dataclass(frozen=True, slots=True)
class Hall:
    """An order in which everything about it can be asked for."""

    chain: Chain
    samples: Samples
    tests: SampleTree

    @property
    def court(self) -> Contract:
        """The availability court."""
        return self.chain["AvailabilityCourt"]

    @property
    def proof(self) -> Contract:
        """The protocol."""
        return self.chain["ProofOfTraining"]

    def ask(self, target: Target, who: ChecksumAddress = ASKER) -> int:
        """Asks for a leaf."""
        return int(self.court.send(who, "request", encode(target)))

    def gas_of(self, function: str, *values: object) -> int:
        """The gas that the last transaction has cost, which was this call."""
        return self.chain.evm.gas_used + intrinsic_gas(self.court.calldata(function, *values))

    def answer(self, number: int, answer: Answer, who: ChecksumAddress = HOLDER) -> int:
        """Answers; the gas that the transaction costs."""
        self.court.send(who, answer.function, number, *answer.arguments)
        return self.gas_of(answer.function, number, *answer.arguments)

    def answer_with(self, target: Target, tree: ModelTree | None) -> Answer:
        """The answer of who holds everything."""
        if tree is None or is_of_test(target):
            samples = self.samples
            return answer_from_test(target, self.tests, samples=len(samples.inputs), input_size=samples.size)
        return answer_from_model(target, tree)

    def refusal(self, target: Target, tree: ModelTree | None) -> str | None:
        """Asks for a leaf and shows it; None if that is an answer, else the word of the rule that it breaks."""
        number = self.ask(target)
        try:
            self.answer(number, self.answer_with(target, tree))
        except Reverted as error:
            if error.name != "Malformed":
                raise
            return str(error.arguments[0])
        return None

    def status(self, number: int) -> RequestStatus:
        """Where a request stands."""
        return RequestStatus(self.court.read("requestOf", number)[2])

    def let_pass(self, seconds: int) -> None:
        """Time goes by."""
        self.chain.evm.now += seconds

    def phase(self) -> Phase:
        """The order's."""
        return Phase(self.proof.read("phaseOf", OID))

    def score(self, rows: Sequence[Sequence[int]]) -> None:
        """Validators commit and reveal these scores; then the challenge window begins."""
        for who, row in zip(VALIDATORS, rows, strict=False):
            self.proof.send(who, "commitScores", OID, commitments.scores_commitment(OID, who, row, SALT), V_STAKE)
        self.let_pass(WINDOW)
        for who, row in zip(VALIDATORS, rows, strict=False):
            self.proof.send(who, "revealScores", OID, list(row), SALT)
        self.let_pass(WINDOW)
        assert self.phase() is Phase.CHALLENGE

    def seal(self) -> None:
        """Waits until the order can be sealed, and does."""
        self.let_pass(CHALLENGE_SECONDS + MOVE_SECONDS)
        self.proof.send(HOLDER, "seal", OID)


def open_hall(
    roots: Sequence[Root],
    samples: Samples,
    limits: ModelLimits,
    output_size: int,
    *,
    input_size: int | None = None,
    machine: type[Evm] = FastEvm,
) -> Hall:
    """An order whose providers have revealed these roots; its ScoreCommit begins now. `input_size`: by its terms."""
    chain = fresh_chain(START, machine)
    for who, role in {ASKER: Role.VERIFIER, **dict.fromkeys(PROVIDERS, Role.PROVIDER)}.items():
        _admit(chain, who, role)
    for who in VALIDATORS:
        _admit(chain, who, Role.VALIDATOR)
    admitted = dataclasses.replace(PARAMETERS, max_model_bytes=2**40 - 1, max_tensor_bytes=2**40 - 1)
    chain["Parameters"].send(DEPLOYER, "setParameters", dataclasses.astuple(admitted))
    tests = SampleTree(samples.inputs, samples.labels)
    proof, book = chain["ProofOfTraining"], chain["OrderBook"]
    test = (tests.root, len(samples.inputs), CidDigest(WORD), SALT)
    sizes = (limits.max_model_bytes, limits.max_tensor_bytes, input_size or samples.size, output_size)
    times = (WINDOW, WINDOW, 2 * WINDOW, CHALLENGE_SECONDS)
    commitment = commitments.client_commitment(CLIENT, *test)
    book.send(CLIENT, "put", (REWARD, WORD, commitment, int(ScoreFunction.ACCURACY), NO_MINIMUM, *times, 1, *sizes))
    for who, root in zip(PROVIDERS, roots, strict=False):
        proof.send(who, "claim", OID, commitments.claim_commitment(OID, who, root, CidDigest(WORD), SALT))
    chain.evm.now += WINDOW
    for who, root in zip(PROVIDERS, roots, strict=False):
        proof.send(who, "reveal", OID, root, WORD, SALT)
    book.send(CLIENT, "releaseTest", OID, *test)
    chain.evm.now += WINDOW
    return Hall(chain, samples, tests)


def _admit(chain: Chain, who: ChecksumAddress, role: Role) -> None:
    token, vault = chain["UtilityToken"], chain["StakeVault"]
    token.send(DEPLOYER, "transfer", who, BOND)
    token.send(who, "approve", vault.address, UNLIMITED)
    vault.send(who, "bond", role, BOND)
