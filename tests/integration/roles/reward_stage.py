"""Sealed orders on Anvil and a committee whose members agree on reward roots over a table in this process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from coincurve import PrivateKey
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress

from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts, travel
from offchain.chain.enums import ScoreFunction
from offchain.chain.sender import Sender, open_sender
from offchain.chain.views import OrderTerms
from offchain.protocol.commitments import claim_commitment
from offchain.protocol.hashing import keccak
from offchain.protocol.scores import NO_MINIMUM
from offchain.protocol.signatures import sign_compact
from offchain.roles.context import RoleContext
from offchain.roles.journal import Boundary, no_boundary
from offchain.roles.order_view import OrderView
from offchain.roles.treasurer import Treasurer
from offchain.roles.treasurer_rules import OrderedProposal, Pace, TreasurerOptions
from offchain.roles.worker import Worker
from offchain.types import TOKEN, CidDigest, Commitment, OrderId, Root, Salt, Seconds, Wei
from tests.integration.roles.stage import PARAMETERS, Stage, admit, set_stage

NAMES = ("client", *(f"provider{i}" for i in range(2)), *(f"aggregator{i}" for i in range(5)))
MEMBERS = NAMES[3:7]
OPTIONS = TreasurerOptions(patience=20, stagger=0, repeat=0.0)
PACE = Pace(update_seconds=10, stall_delay=4000)
WINDOWS = {"train_seconds": 200, "reveal_seconds": 200, "validate_seconds": 2, "challenge_seconds": 1}


@dataclass
class Table:
    """What the ledger and the links do, in one process: one order of proposals, shares to everybody.

    `absent` hear and say nothing.
    """

    proposals: list[OrderedProposal] = field(default_factory=list)
    boxes: dict[str, list[bytes]] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)


@dataclass
class Chair:
    """One member's place at the table."""

    table: Table
    name: str

    def submit(self, body: bytes) -> None:
        if self.name not in self.table.absent:
            self.table.proposals.append(OrderedProposal(len(self.table.proposals) + 1, body))

    def proposals(self) -> list[OrderedProposal]:
        return [] if self.name in self.table.absent else self.table.proposals[-20:]

    def broadcast_share(self, share: bytes) -> None:
        if self.name not in self.table.absent:
            for name, box in self.table.boxes.items():
                if name != self.name:
                    box.append(share)

    def take_shares(self) -> list[bytes]:
        box = self.table.boxes.setdefault(self.name, [])
        found = [] if self.name in self.table.absent else list(box)
        box.clear()
        return found


class TreasurerWorker(Worker):
    """An aggregator that does nothing but the update cycle."""

    role: ClassVar[str] = "aggregator"

    def __init__(
        self, context: RoleContext, chair: Chair, key: bytes, kind: type[Treasurer], options: TreasurerOptions
    ) -> None:
        super().__init__(context)
        secret = PrivateKey(key)
        self.treasurer = kind(
            context,
            self._hands,
            chair,
            lambda digest: sign_compact(secret, digest),
            options,
        )

    def _prepare(self) -> None:
        self.treasurer.look(self._now, PACE)

    def _has_news(self) -> bool:
        return super()._has_news() or self.treasurer.has_news()

    def _is_over(self, view: OrderView) -> bool:
        return True

    def _advance(self, view: OrderView) -> None:
        pass


@dataclass
class Treasury:
    """The stage, who plays, and helpers that do what is not the subject."""

    stage: Stage
    accounts: dict[str, LocalAccount]
    url: str
    table: Table = field(default_factory=Table)
    workers: dict[str, TreasurerWorker] = field(default_factory=dict)
    put: int = 0
    runs: int = 0

    def address(self, name: str) -> ChecksumAddress:
        return self.accounts[name].address

    @contextmanager
    def sender(self, name: str) -> Iterator[Sender]:
        found = open_sender(self.stage.client, self.accounts[name], self.stage.folder / name)
        try:
            yield found
        finally:
            found.close()

    def seat(
        self,
        name: str,
        kind: type[Treasurer] = Treasurer,
        options: TreasurerOptions = OPTIONS,
        memory: str = "",
        boundary: Boundary = no_boundary,
    ) -> TreasurerWorker:
        """Sets a member to work; it remembers what was written under `memory`, and nothing else."""
        if name in self.workers:
            self.rise(name)
        context = self.stage.context(self.accounts[name], f"{name}-seat{memory}", boundary=boundary)
        worker = TreasurerWorker(context, Chair(self.table, name), bytes(self.accounts[name].key), kind, options)
        self.table.boxes.setdefault(name, [])
        self.workers[name] = worker
        return worker

    def rise(self, name: str) -> None:
        """Ends a member's work, as a crash would: what is not on disk is lost."""
        worker = self.workers.pop(name)
        self.stage.close(worker.context)

    def seal(self, orders: int = 1, reward: int = 300) -> list[OrderId]:
        """So many orders, each shared by both providers because the client withholds its test set."""
        contracts = self.stage.contracts
        oids = [OrderId(self.put + place + 1) for place in range(orders)]
        self.put += orders
        with self.sender("client") as sender:
            book = contracts.book
            sender.send(f"approve:{oids[0]}", contracts.token.functions.approve(book.address, orders * reward * TOKEN))
            for oid in oids:
                sender.send(f"put:{oid}", contracts.put(_terms(reward)))
        opening = (Root(keccak(b"model")), CidDigest(keccak(b"cid")), Salt(keccak(b"salt")))
        for name in ("provider0", "provider1"):
            with self.sender(name) as sender:
                for oid in oids:
                    commitment = claim_commitment(oid, self.address(name), *opening)
                    sender.send(f"claim:{oid}", contracts.claim_model(oid, commitment))
        self.travel_to(contracts.windows(oids[-1]).train_end)
        for name in ("provider0", "provider1"):
            with self.sender(name) as sender:
                for oid in oids:
                    sender.send(f"reveal:{oid}", contracts.reveal_model(oid, *opening))
        self.travel_to(contracts.windows(oids[-1]).reveal_end)
        with self.sender("client") as sender:
            for oid in oids:
                sender.send(f"seal:{oid}", contracts.proof.functions.seal(oid))
        assert contracts.holding(oids[-1]).sequence > 0
        return oids

    def travel_to(self, when: Seconds | int) -> None:
        client = self.stage.client
        travel(client, max(int(when) - client.now(), 1))

    def pass_time(self, seconds: int) -> None:
        travel(self.stage.client, seconds)

    def turn(self, rounds: int = 6) -> None:
        """Lets everybody look so often in turn."""
        for _ in range(rounds):
            for worker in list(self.workers.values()):
                worker.tick()

    def run_until(self, condition: Callable[[], bool], rounds: int = 40, step: int = 0) -> None:
        """Everybody looks in turn until it is so; `step` seconds pass between rounds."""
        for _ in range(rounds):
            self.turn(1)
            if condition():
                return
            if step:
                self.pass_time(step)
        raise AssertionError("it never came to that")

    def cycles(self) -> int:
        return int(self.stage.contracts.read(self.stage.contracts.treasury.functions.cycles()))

    def stake(self, name: str) -> Wei:
        return self.stage.contracts.candidate_stake(self.address(name))

    def advance_epoch(self) -> None:
        self.runs += 1
        with self.sender("aggregator4") as sender:
            sender.send(f"advance:{self.runs}", self.stage.contracts.committee.functions.advanceEpoch())


@contextmanager
def treasury(folder: Path) -> Iterator[Treasury]:
    """A committee of four, aggregator0 first, in its first epoch; aggregator4 waits on the bench."""
    with Anvil.start(AnvilOptions()) as anvil:
        parameters = replace(
            PARAMETERS,
            exit_delay=1000,
            stall_delay=4000,
            fraud_seconds=100,
            update_seconds=10,
            epoch_seconds=10**6,
            max_members=4,
        )
        stage = set_stage(anvil.client(), folder, parameters=parameters)
        accounts = dict(zip(NAMES, dev_accounts(len(NAMES) + 1)[1:], strict=True))
        admit(stage, accounts)
        found = Treasury(stage, accounts, anvil.url)
        for place, name in enumerate(NAMES[3:]):
            with found.sender(name) as sender:
                sender.send("join", stage.contracts.committee.functions.join((600 - place) * TOKEN))
        found.advance_epoch()
        assert stage.contracts.members() == tuple(found.address(name) for name in MEMBERS)
        try:
            yield found
        finally:
            for name in list(found.workers):
                found.rise(name)


def _terms(reward: int) -> OrderTerms:
    return OrderTerms(
        reward=Wei(reward * TOKEN),
        manifest_cid=CidDigest(keccak(b"manifest")),
        test_commitment=Commitment(keccak(b"test")),
        score_function=ScoreFunction.ACCURACY,
        minimum_score_ppm=NO_MINIMUM,
        minimum_validators=1,
        max_model_bytes=10_000,
        max_tensor_bytes=10_000,
        input_size=4,
        output_size=3,
        **WINDOWS,
    )
