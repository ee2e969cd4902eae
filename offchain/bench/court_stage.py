"""Brings a validation to the point where it can be challenged, on a chain of its own: where disputes are measured."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from eth_account.signers.local import LocalAccount

from offchain.chain.client import ChainClient
from offchain.chain.contracts import AssayContracts
from offchain.chain.deploy import deploy
from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts, travel
from offchain.chain.enums import Role, ScoreFunction
from offchain.chain.parameters import default_parameters
from offchain.chain.sender import Sender, open_sender
from offchain.chain.views import OrderTerms, encode
from offchain.protocol.commitments import claim_commitment, client_commitment, scores_commitment
from offchain.protocol.scores import NO_MINIMUM
from offchain.roles.funding import bond, fund
from offchain.types import TOKEN, CidDigest, OrderId, Root, Salt, Wei

WINDOW = 10_000
"""Seconds of each window: longer than any measurement's transactions take."""

PARAMETERS = replace(default_parameters(31337), move_seconds=WINDOW, maximum_window=10 * WINDOW)
PURSE = Wei(100_000 * TOKEN)
SALT = Salt(b"salt".ljust(32, b"\0"))
CID = CidDigest(b"cid".ljust(32, b"\0"))


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be scored. Sizes in elements; `claimed` is the score that the defendant reveals."""

    model_root: Root
    test_root: Root
    samples: int
    input_size: int
    output_size: int
    score_function: ScoreFunction
    claimed: int


@dataclass(frozen=True, slots=True)
class CourtStage:
    """One sender for each participant."""

    client: ChainClient
    contracts: AssayContracts
    buyer: Sender
    provider: Sender
    defendant: Sender
    challenger: Sender

    def reveal(self, subject: Subject) -> OrderId:
        """An order in the phase Challenge, with one model and one validation of it, the defendant's."""
        oid = OrderId(self.contracts.order_count() + 1)
        self._put(oid, subject)
        proof, book = self.contracts.proof.functions, self.contracts.book.functions
        claim = claim_commitment(oid, self.provider.address, subject.model_root, CID, SALT)
        self.provider.send(f"claim:{oid}", proof.claim(oid, claim))
        travel(self.client, WINDOW)
        self.provider.send(f"reveal:{oid}", proof.reveal(oid, subject.model_root, CID, SALT))
        self.buyer.send(f"release:{oid}", book.releaseTest(oid, subject.test_root, subject.samples, CID, SALT))
        travel(self.client, WINDOW)
        commitment = scores_commitment(oid, self.defendant.address, [subject.claimed], SALT)
        stake = PARAMETERS.minimum_v_stake
        self.defendant.send(f"commit:{oid}", proof.commitScores(oid, commitment, stake))
        travel(self.client, WINDOW)
        self.defendant.send(f"scores:{oid}", proof.revealScores(oid, [subject.claimed], SALT))
        travel(self.client, WINDOW)
        return oid

    def _put(self, oid: OrderId, subject: Subject) -> None:
        commitment = client_commitment(self.buyer.address, subject.test_root, subject.samples, CID, SALT)
        terms = OrderTerms(
            reward=Wei(10 * TOKEN),
            manifest_cid=CID,
            test_commitment=commitment,
            score_function=subject.score_function,
            minimum_score_ppm=NO_MINIMUM,
            train_seconds=WINDOW,
            reveal_seconds=WINDOW,
            validate_seconds=2 * WINDOW,
            challenge_seconds=WINDOW,
            minimum_validators=1,
            max_model_bytes=PARAMETERS.max_model_bytes,
            max_tensor_bytes=PARAMETERS.max_tensor_bytes,
            input_size=subject.input_size,
            output_size=subject.output_size,
        )
        book = self.contracts.book
        self.buyer.send(f"approve:{oid}", self.contracts.token.functions.approve(book.address, terms.reward))
        self.buyer.send(f"put:{oid}", book.functions.put(encode(terms)))


@contextmanager
def court_stage(folder: Path) -> Iterator[CourtStage]:
    """A fresh Anvil with the contracts, and everybody bonded; `folder` holds the journals."""
    with Anvil.start(AnvilOptions()) as anvil, ExitStack() as stack:
        client = anvil.client()

        def opened(account: LocalAccount) -> Sender:
            sender = open_sender(client, account, folder)
            stack.callback(sender.close)
            return sender

        bank, buyer, provider, defendant, challenger = (opened(account) for account in dev_accounts(5))
        contracts = AssayContracts(client, deploy(bank, folder / "addresses.json", parameters=PARAMETERS))
        roles = {provider: Role.PROVIDER, defendant: Role.VALIDATOR, challenger: Role.VERIFIER}
        for sender in (buyer, *roles):
            fund(contracts, bank, sender.address, amount=PURSE, coins=Wei(0), intent=sender.address)
        for sender, role in roles.items():
            bond(contracts, sender, role, Wei(10_000 * TOKEN), intent="bench")
        yield CourtStage(client, contracts, buyer, provider, defendant, challenger)
