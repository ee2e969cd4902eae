"""A development chain with a federated task on it: who takes part is decided once it is known who will lead."""

import gc
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from offchain.chain.devnet import dev_accounts, travel
from offchain.chain.enums import Role
from offchain.chain.federated import Federation
from offchain.chain.federated_court import FederatedCourt, of_task
from offchain.chain.sender import open_sender
from offchain.data.raw import RawData
from offchain.federated.aggregation.rule import Rule, RuleId
from offchain.federated.local_data import load_local
from offchain.federated.round_rules import Intent, TaskView
from offchain.federated.task_state import TaskPhase
from offchain.federated.terms import FederatedWindows
from offchain.model.shorthand import spec_from_shorthand
from offchain.roles.context import RoleContext
from offchain.roles.federated_accuracy import publish_verifier
from offchain.roles.federated_client import TaskRequest, create_task, prepare_task
from offchain.roles.federated_deeds import FederatedOptions
from offchain.roles.federated_participant import FederatedWorker
from offchain.roles.journal import Boundary, Journal, chain_key, no_boundary
from offchain.types import TOKEN, Seconds, TaskId, Wei
from tests.integration.roles.killing import Inline, Killed
from tests.integration.roles.stage import Stage

STAKE = Wei(100 * TOKEN)
VERIFIER_BOND = Wei(200 * TOKEN)
PURSE = Wei(1_000 * TOKEN)
PASSES = 400
WINDOWS = FederatedWindows(*(Seconds(length) for length in (600, 0, 0, 600, 600, 600, 600, 0, 600, 600, 300)))


def request(participants: int, *, rounds: int, **changes: Any) -> TaskRequest:
    """Breast cancer with 530 parameters, which are three chunks."""
    asked = TaskRequest(
        title="breast cancer",
        spec=spec_from_shorthand("mlp:16", input_shape=(30,), outputs=2),
        classes=("malignant", "benign"),
        rounds=rounds,
        reward=Wei(12 * TOKEN),
        bond=STAKE,
        windows=WINDOWS,
        minimum_participants=3,
        maximum_participants=participants,
        rule=Rule(RuleId.TRIMMED_MEAN, parameter=200_000),
    )
    return replace(asked, **changes)


def admit(stage: Stage, accounts: dict[str, LocalAccount]) -> None:
    """Tokens for all; those called `p…` get a bond as participant, everybody but the client one as verifier."""
    sender = open_sender(stage.client, dev_accounts(1)[0], stage.folder / "deployer")
    transfer = stage.contracts.token.functions.transfer
    sender.wait_all([sender.submit(f"purse:{a.address}", transfer(a.address, PURSE)) for a in accounts.values()])
    sender.close()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda item: _bond(stage, *item), accounts.items()))


def _bond(stage: Stage, name: str, account: LocalAccount) -> None:
    if name == "client":
        return
    vault, token = stage.contracts.vault, stage.contracts.token
    sender = open_sender(stage.client, account, stage.folder / name)
    sender.send("approve", token.functions.approve(vault.address, STAKE + VERIFIER_BOND))
    sender.send("verifier", vault.functions.bond(int(Role.VERIFIER), VERIFIER_BOND))
    if name.startswith("p"):
        sender.send("participant", vault.functions.bond(int(Role.PARTICIPANT), STAKE))
    sender.close()


def put_task(stage: Stage, account: LocalAccount, asked: TaskRequest, intent: str) -> TaskId:
    sender = open_sender(stage.client, account, stage.folder / "client")
    try:
        prepared = prepare_task(stage.store, asked)
        if prepared.accuracy is not None:
            publish_verifier(stage.contracts, sender, prepared.accuracy.verifier)
        return create_task(stage.contracts, sender, prepared.terms, intent=intent)
    finally:
        sender.close()


def options(stage: Stage, name: str, share: int, shares: int) -> FederatedOptions:
    """Takes part with every `shares`-th sample of breast cancer, beginning with number `share`."""
    data = _cancer()
    part = data.take(np.arange(share, len(data), shares))
    return FederatedOptions(stage.folder / name, intent=Intent(stake=STAKE, patience=5), data=part)


@cache
def _cancer() -> RawData:
    return load_local("sklearn:breast_cancer")


@dataclass
class Cast:
    """Workers by name, each with its context; `end` says when the next thing happens by itself."""

    stage: Stage
    task: TaskId
    workers: dict[str, FederatedWorker]

    def __post_init__(self) -> None:
        self.federation = Federation(self.stage.contracts)
        self.court = FederatedCourt(self.stage.contracts)

    def view(self) -> TaskView:
        return self.federation.view(self.task, self.stage.client.head())

    def play(self, until: Callable[[TaskView], bool]) -> TaskView:
        """Everybody takes turns; when nobody has anything to do the clock moves on."""
        for _ in range(PASSES):
            view = self.view()
            if until(view):
                return view
            if not self.settle_down():
                continue
            view = self.view()
            if until(view):
                return view
            travel(self.stage.client, max(self._next(view) - view.now, 1))
        raise AssertionError(f"the task does not get there: {self.view()}")

    def settle_down(self) -> bool:
        """One pass; whether nobody did anything."""
        acted = [worker.tick() for worker in self.workers.values()]
        return not any(acted) and not any(worker.in_flight for worker in self.workers.values())

    def _next(self, view: TaskView) -> int:
        ends = [view.round.end_of(view.phase)]
        if view.phase is TaskPhase.JOINING:
            ends = [view.state.join_ends]
        if view.phase is TaskPhase.REQUEST:
            ends.append(Seconds(view.round.request_ends - view.terms.windows.request // 2))
        if view.phase is TaskPhase.UNMASK:
            window = view.terms.windows.unmask
            ends += [Seconds(view.round.unmask_ends - window + quarter * window // 4) for quarter in (1, 2, 3)]
        if view.phase is TaskPhase.PROVE and view.proofs is not None:
            ends.append(view.proofs.prove_until)
        if view.phase is TaskPhase.CHALLENGE:
            ends.append(Seconds(view.round.challenge_ends - view.terms.windows.challenge // 2))
        contests = of_task(self.court.look(self.stage.client.head()), self.task)
        ends += [contest.game.deadline for contest in contests if contest.is_open]
        later = [end for end in ends if end > view.now]
        return min(later, default=view.now + 5)


def leader_of(view: TaskView, included: Iterable[int], attempt: int = 0) -> int:
    """Who will lead, with equal stakes: `Sortition.sol`, written again."""
    eligible = sorted(included)
    ticket = int.from_bytes(
        keccak(encode(["bytes32", "uint32", "uint16"], [view.state.seed, view.state.round, attempt])), "big"
    )
    return eligible[ticket % len(eligible)]


def context(stage: Stage, name: str, account: LocalAccount, *, boundary: Boundary = no_boundary) -> RoleContext:
    """Like `Stage.context`, with the same objects for contracts: to make them anew takes longer than a round."""
    home, addresses = stage.folder / name, stage.contracts.addresses
    key = chain_key(addresses.chain_id, addresses.genesis, addresses.proof_of_training)
    return RoleContext(
        client=stage.client,
        contracts=stage.contracts,
        sender=open_sender(stage.client, account, home, boundary=boundary, contract_name=addresses.contract_at),
        store=stage.store,
        journal=Journal(home / "journal.sqlite", chain=key, boundary=boundary),
        report=stage.events.append,
    )


def worker(
    made: RoleContext, task: TaskId, chosen: FederatedOptions, kind: type[FederatedWorker] = FederatedWorker
) -> FederatedWorker:
    return kind(made, task, chosen, executor=Inline())


@dataclass
class KillsEveryOther:
    """Kills at each boundary the first time that it is met, the third, and so on: every write and send is interrupted
    once, and gets through when it is tried again."""

    seen: Counter[str] = field(default_factory=Counter)
    deaths: int = 0

    def __call__(self, name: str) -> None:
        self.seen[name] += 1
        if self.seen[name] % 2:
            self.deaths += 1
            raise Killed(name)


class Reborn(FederatedWorker):
    """A participant whose process dies at every other boundary, and is started again from what it left on disk."""

    def __init__(self, stage: Stage, name: str, account: LocalAccount, task: TaskId, chosen: FederatedOptions) -> None:
        self._stage, self._name, self._of = stage, name, account
        self._task, self._chosen = task, chosen
        self.killer = KillsEveryOther()
        self._alive: FederatedWorker | None = None
        self.awake()

    def awake(self) -> FederatedWorker:
        """The process that lives now."""
        while self._alive is None:
            with suppress(Killed):
                made = context(self._stage, self._name, self._of, boundary=self.killer)
                self._alive = worker(made, self._task, self._chosen)
            if self._alive is None:
                # A process that dies while it starts lets go of its files too; here its frames do, and only now.
                gc.collect()
        return self._alive

    def tick(self) -> bool:
        alive = self.awake()
        try:
            return alive.tick()
        except Killed:
            self._stage.close(alive.context)
            self._alive = None
            return True

    @property
    def context(self) -> RoleContext:  # type: ignore[override]
        return self.awake().context

    @property
    def in_flight(self) -> int:
        return 0 if self._alive is None else self._alive.in_flight

    def close(self) -> None:
        self._stage.close(self.awake().context)
