"""A development chain with a registered verifier, a client and providers of private orders, some of whom cheat."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from eth_account.signers.local import LocalAccount

from offchain.chain.devnet import dev_accounts, travel
from offchain.chain.proofs import Verifiers
from offchain.chain.sender import open_sender
from offchain.model.graph import IntegerNetwork, Node, Op, Requantisation
from offchain.proofs.circuit import Circuit
from offchain.proofs.pieces import PIECE_BYTES
from offchain.proofs.private_manifest import TestFile
from offchain.proofs.private_order import Handover, PrivateId, PrivateState
from offchain.proofs.statement import Chunk
from offchain.proofs.system import ProofSystem
from offchain.roles.context import RoleContext
from offchain.roles.private_client import PrivateClient, PrivateRequest, PrivateWindows
from offchain.roles.private_desk import PrivateOrder
from offchain.roles.private_provider import PrivateProvider
from offchain.roles.private_records import PrivateClaimRecord
from offchain.storage.store import open_store
from offchain.types import TOKEN, CidDigest, Wei
from tests.integration.roles.stage import PURSE, Stage

SAMPLES = 3
WINDOWS = PrivateWindows(claim=600, release=300, prove=900, handover=600, dispute=600, answer=300)
REWARD, BOND, ASKED = Wei(300 * TOKEN), Wei(20 * TOKEN), Wei(TOKEN // 100)


def network() -> IntegerNetwork:
    """Four inputs, three classes, twelve weights."""
    scale = Requantisation(np.array([1 << 20, 1 << 21, 3 << 19], np.int32), np.array([20, 21, 19], np.uint8))
    weight = np.array([[9, -2, 1, 0], [-3, 8, 0, 1], [0, -1, 7, -128]], np.int8)
    bias = np.array([-4, 0, 3], np.int32)
    dense = Node(Op.DENSE, (0,), (3,), -60_000, 60_000, weight=weight, bias=bias, requantisation=scale)
    return IntegerNetwork((4,), (dense,), 1.0)


def chunks(count: int) -> tuple[Chunk, ...]:
    """Samples that the network classifies right, but for the last of each chunk."""
    rng = np.random.default_rng(4)
    found = []
    for _ in range(count):
        labels = np.array([0, 1, 1], np.int32)
        inputs = rng.integers(-4, 4, (SAMPLES, 4), dtype=np.int8)
        inputs[[0, 1, 2], [0, 1, 0]] += 90
        found.append(Chunk(inputs, labels))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Play:
    """`key` is that of the registered verifier."""

    stage: Stage
    system: ProofSystem
    circuit: Circuit
    key: bytes

    def context(self, name: str, account: LocalAccount) -> RoleContext:
        """What `account` has, also after a restart."""
        return self.stage.context(account, name)

    def client(self, context: RoleContext, kind: type[PrivateClient] = PrivateClient) -> PrivateClient:
        """The client with its own archive."""
        return kind(context, open_store(f"local:{self.stage.folder / 'client-archive'}"))

    def provider(self, kind: type[PrivateProvider], context: RoleContext) -> PrivateProvider:
        """A provider of a kind, with an archive of its own."""
        archive = open_store(f"local:{self.stage.folder / ('archive-' + context.account)}")
        return kind(context, archive, self.system)

    def request(self, *, sealed: bool) -> PrivateRequest:
        """An order for two chunks, of which one is drawn."""
        return PrivateRequest(
            title="tiny",
            circuit=self.circuit,
            system=self.system.name,
            verifier=self.key,
            chunks=chunks(2),
            sealed=sealed,
            reward=REWARD,
            bond=BOND,
            request_bond=ASKED,
            draws=1,
            minimum_correct=2,
            maximum_claims=8,
            windows=WINDOWS,
        )

    def pass_time(self, seconds: int) -> None:
        """Moves the chain's clock."""
        travel(self.stage.client, seconds)


def set_play(stage: Stage, system: ProofSystem, accounts: list[LocalAccount]) -> Play:
    """Deploys and registers the circuit's verifier; gives everybody tokens."""
    circuit = Circuit.of(network(), SAMPLES)
    verifier = system.verifier(circuit)
    contracts = stage.contracts
    sender = open_sender(stage.client, dev_accounts(1)[0], stage.folder / "deployer")
    verifiers = Verifiers(contracts)
    at = sender.send("verifier", verifiers.deployment(verifier)).contract_address
    assert at is not None
    sender.send("register", verifiers.register(at))
    for account in accounts:
        sender.send(f"purse:{account.address}", contracts.token.functions.transfer(account.address, PURSE))
    sender.close()
    return Play(stage, system, circuit, verifier.registry_key)


class PromisesOtherSamples(PrivateClient):
    """Seals a test set of which one byte is another than in what it has committed to."""

    def _sealed(self, circuit: Circuit, chunks: Sequence[Chunk], key: bytes) -> TestFile:
        data = bytearray(super()._sealed(circuit, chunks, key).data)
        for start in range(0, len(data), PIECE_BYTES):
            data[start + 30] ^= 1
        return TestFile(circuit, bytes(data))


class SealsAnotherKey(PrivateProvider):
    """Publishes the file, and seals a key that does not open it."""

    def _handover(self, order: PrivateOrder, state: PrivateState, record: PrivateClaimRecord) -> Handover:
        honest = super()._handover(order, state, record)
        return replace(honest, sealed_key=bytes([honest.sealed_key[0] ^ 1]) + honest.sealed_key[1:])


class SpoilsAByte(PrivateProvider):
    """Hands over a file in which one byte of one weight's element is another."""

    def _pieces(self, order: PrivateOrder, record: PrivateClaimRecord) -> list[bytes]:
        first, *rest = super()._pieces(order, record)
        return [first[:20] + bytes([first[20] ^ 1]) + first[21:], *rest]


class KeepsTheFile(PrivateProvider):
    """Hands over the root of a file that nobody else has, and answers nobody."""

    def _publish(self, pieces: list[bytes]) -> CidDigest:
        return CidDigest(bytes([7]) * 32)

    def _answer(self, order: PrivateOrder, state: PrivateState, record: PrivateClaimRecord) -> str:
        return "keeps it"


class LosesTheFile(KeepsTheFile):
    """An honest provider whose store is gone: it posts what it is asked for."""

    def _answer(self, order: PrivateOrder, state: PrivateState, record: PrivateClaimRecord) -> str:
        return PrivateProvider._answer(self, order, state, record)


class HandsNothingOver(PrivateProvider):
    """Proves, wins, and is gone."""

    def _hand_over(self, order: PrivateOrder, state: PrivateState, record: PrivateClaimRecord) -> str:
        return "gone"


def copy_claim(play: Play, context: RoleContext, oid: PrivateId, model_hash: int) -> None:
    """Claims with the hash of somebody else's model."""
    thief = play.provider(PrivateProvider, context)
    thief.desk.pay(f"private-claim:{oid}", BOND, thief.desk.orders.claim_model(oid, model_hash))
