"""A model that nobody can have, or that is malformed, wins nothing, and costs those who claim to have scored it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from offchain.chain.availability import Availability
from offchain.chain.devnet import travel
from offchain.chain.enums import Role
from offchain.data.dataset import Dataset
from offchain.dispute.requests import Item, RequestStatus
from offchain.model.files import encode_graph, encode_weights
from offchain.model.graph import IntegerNetwork
from offchain.model.roots import compute_model_root
from offchain.model.shorthand import spec_from_shorthand
from offchain.protocol.commitments import claim_commitment
from offchain.protocol.lifecycle import Phase
from offchain.protocol.manifest import FileRef, ModelManifest
from offchain.protocol.scores import PPM
from offchain.protocol.settlement import Outcome
from offchain.roles.context import RoleContext
from offchain.roles.funding import bond
from offchain.roles.lies import Conspiracy
from offchain.roles.settled import compute_settlement, sealed_payouts
from offchain.roles.verifier import VerifierOptions, VerifierWorker
from offchain.storage.cid import Cid
from offchain.storage.store import Store
from offchain.types import TOKEN, Salt, Wei
from tests.integration.roles.court_stage import (
    OID,
    Courthouse,
    client_worker,
    courthouse,
    liar,
    play,
    score,
    verifier,
)
from tests.integration.roles.killing import Build, Inline
from tests.unit.training.networks import random_model
from tests.unit.training.test_quantisation import integer_network

VILLAIN = "provider2"
CONSPIRATORS = [f"validator{i}" for i in range(3)]
VOID = 0
"""Index of the villain's model, which it claims first: so a draw would be won by it."""
SALT = Salt(b"\x07" * 32)


def sound_network() -> IntegerNetwork:
    spec = spec_from_shorthand("mlp:8", input_shape=(4,), outputs=3)
    random = np.random.default_rng(3)
    sample = Dataset(random.integers(-128, 128, (20, 4)).astype(np.int8), np.zeros(20, dtype=np.int32))
    return integer_network(random_model(spec, seed=3), sample)


def malformed_network() -> IntegerNetwork:
    """One unit's multiplier is 0, which no rule allows; everything else is as it should be."""
    network = sound_network()
    node = network.nodes[0]
    assert node.requantisation is not None
    multiplier = node.requantisation.multiplier.copy()
    multiplier[5] = 0
    broken = replace(node, requantisation=replace(node.requantisation, multiplier=multiplier))
    return replace(network, nodes=(broken, *network.nodes[1:]))


@dataclass
class Villain:
    """Claims and reveals a network by hand, as no provider's worker would."""

    network: IntegerNetwork
    cids: list[Cid] = field(default_factory=list)

    def __call__(self, house: Courthouse) -> None:
        house.mortal(VILLAIN).alive(self.act)

    def act(self, context: RoleContext) -> None:
        contracts, root = context.contracts, compute_model_root(self.network)
        manifest = self.publish(context.store)
        if contracts.phase(OID) == Phase.TRAINING:
            commitment = claim_commitment(OID, context.account, root, manifest.digest, SALT)
            context.sender.send("claim", contracts.claim_model(OID, commitment))
        else:
            context.sender.send("reveal", contracts.reveal_model(OID, root, manifest.digest, SALT))

    def publish(self, store: Store) -> Cid:
        files = [encode_graph(self.network), encode_weights(self.network), b"float"]
        graph, weights, floats = (FileRef(cid=store.add(data), size=len(data)) for data in files)
        root = compute_model_root(self.network)
        manifest = ModelManifest(graph=graph, weights=weights, float_weights=floats, model_root=root)
        self.cids = [graph.cid, weights.cid, store.add(manifest.to_bytes())]
        return self.cids[-1]


@contextmanager
def conspiracy(folder: Path, villain: Villain) -> Iterator[Courthouse]:
    """Everybody says that the villain's model is the best."""
    with courthouse(folder, villain) as house:
        score(house, conspirators(house))
        assert compute_settlement(house.stage.contracts, OID).winner == house.address(VILLAIN)
        yield house


def conspirators(house: Courthouse) -> dict[str, Build]:
    return dict.fromkeys(CONSPIRATORS, liar(Conspiracy(house.address(VILLAIN))))


def fast_clock() -> Callable[[], float]:
    """Five minutes in which every look takes two seconds; then time stands still."""
    now = 0.0

    def clock() -> float:
        nonlocal now
        now = min(now + 2, 300)
        return now

    return clock


def tireless(context: RoleContext) -> VerifierWorker:
    """A verifier that has looked for everything again and again."""
    return VerifierWorker(replace(context, clock=fast_clock()), VerifierOptions(), executor=Inline())


def check_that_it_is_void(house: Courthouse, before: dict[str, int], item: Item) -> None:
    contracts = house.stage.contracts
    order = contracts.order(OID)
    (asked,) = Availability(contracts).look()
    assert (asked.request.target.item, asked.request.target.model_index) == (item, VOID)
    assert asked.request.status is RequestStatus.EXPIRED
    per_stake = order.minimum_v_stake * order.dispute_share_ppm // PPM
    gained = {name: gain for name in before if (gain := house.wealth(name) - before[name])}
    assert gained == dict.fromkeys(CONSPIRATORS, -order.minimum_v_stake) | {
        VILLAIN: -order.claim_bond,
        "verifier0": 3 * per_stake + order.claim_bond * order.dispute_share_ppm // PPM,
    }
    assert contracts.bond(house.address("verifier0"), Role.VERIFIER).locked == 0
    facts = contracts.facts(OID)
    travel(house.client, max(order.windows.challenge_end, facts.challenge_until) - house.client.now())
    house.work("client", client_worker)
    settled = contracts.settlement(OID)
    assert (settled.outcome, settled.winner) == (Outcome.WON, house.address("provider1")), "the good model wins"


def bond_more(context: RoleContext) -> None:
    """Requests that are answered cost; with the least bond there is nothing to spare."""
    bond(context.contracts, context.sender, Role.VERIFIER, Wei(10 * TOKEN), intent="more")


def test_a_malformed_model_is_void_for_nobody_can_show_the_leaf_at_fault(tmp_path: Path) -> None:
    with conspiracy(tmp_path, Villain(malformed_network())) as house:
        before = {name: house.wealth(name) for name in house.accounts}
        players = {"verifier0": verifier, **conspirators(house)}
        play(house, players)
        travel(house.client, house.stage.contracts.order(OID).move_seconds + 1)
        play(house, players)
        check_that_it_is_void(house, before, Item.UNIT)


def test_a_withheld_model_is_void_when_nobody_shows_it(tmp_path: Path) -> None:
    villain = Villain(sound_network())
    with conspiracy(tmp_path, villain) as house:
        for cid in villain.cids:
            (path,) = (tmp_path / "store").rglob(str(cid))
            path.unlink()
        windows = house.stage.contracts.order(OID).windows
        travel(house.client, (windows.score_reveal_end + windows.challenge_end) // 2 - house.client.now())
        before = {name: house.wealth(name) for name in house.accounts}
        play(house, {"verifier0": tireless})
        travel(house.client, house.stage.contracts.order(OID).move_seconds + 1)
        play(house, {"verifier0": tireless})
        check_that_it_is_void(house, before, Item.HEADER)


def test_a_model_that_is_shown_on_request_is_not_void_and_the_answer_earns_the_bond(tmp_path: Path) -> None:
    """The villain keeps its model to itself and the conspirators, but answers; the asker pays for each leaf."""
    villain = Villain(sound_network())
    with conspiracy(tmp_path, villain) as house:
        contracts, order = house.stage.contracts, house.stage.contracts.order(OID)
        house.mortal("verifier0").alive(bond_more)
        paths = {cid: next((tmp_path / "store").rglob(str(cid))) for cid in villain.cids}
        before = house.wealth("verifier0")
        hidden = {path: path.read_bytes() for path in paths.values()}
        for _ in range(2):
            for path in hidden:
                path.unlink()
            play(house, {"verifier0": tireless})
            for path, data in hidden.items():
                path.write_bytes(data)
            travel(house.client, order.move_seconds // 2)
            play(house, dict.fromkeys(CONSPIRATORS[:1], liar(Conspiracy(house.address(VILLAIN)))))
        answered = [one.request.status for one in Availability(contracts).look()]
        assert answered == [RequestStatus.ANSWERED] * 2
        assert house.wealth("verifier0") - before == -2 * order.request_bond
        # Once the files can be had, the score is what it is: false.
        play(house, {"verifier0": verifier, **conspirators(house)})
        verdicts = [case.dispute.verdict.name for case in house.cases()]
        assert verdicts == ["FALSE"] * 3


def test_a_withheld_test_set_is_void_and_its_order_shared_among_the_providers(tmp_path: Path) -> None:
    with courthouse(tmp_path) as house:
        contracts = house.stage.contracts
        (path,) = (tmp_path / "store").rglob(str(Cid(contracts.test_set(OID).cid)))
        path.unlink()
        windows = contracts.order(OID).windows
        travel(house.client, (windows.score_commit_end - windows.reveal_end) // 4)
        before = house.wealth("verifier0")
        play(house, {"verifier0": tireless})
        (asked,) = Availability(contracts).look()
        assert (asked.request.target.item, asked.is_open) == (Item.SAMPLE, True)
        travel(house.client, contracts.order(OID).move_seconds + 1)
        play(house, {"verifier0": tireless})
        assert contracts.phase(OID) == Phase.SEALABLE
        assert house.wealth("verifier0") == before
        assert contracts.bond(house.address("verifier0"), Role.VERIFIER).locked == 0
        house.work("client", client_worker)
        assert contracts.settlement(OID).outcome is Outcome.SHARED
        paid = {payout.account for payout in sealed_payouts(contracts, OID)}
        assert paid == {house.address("provider0"), house.address("provider1")}
