"""A malformed leaf behind files in which it has been put right, and a villain who shows every other leaf."""

from dataclasses import dataclass, replace
from pathlib import Path

from offchain.chain.availability import Availability
from offchain.chain.devnet import travel
from offchain.chain.enums import Role
from offchain.chain.errors import ContractRejected
from offchain.dispute.answers import answer_from_model
from offchain.dispute.requests import Item, RequestStatus
from offchain.model.files import encode_graph, encode_weights
from offchain.model.roots import ModelTree, compute_model_root
from offchain.protocol.manifest import FileRef, ModelManifest
from offchain.roles.context import RoleContext
from offchain.roles.funding import bond
from offchain.roles.verifier import VerifierOptions, VerifierWorker
from offchain.storage.cid import Cid
from offchain.storage.store import Store
from offchain.types import TOKEN, Wei
from tests.integration.roles.court_stage import OID, play
from tests.integration.roles.killing import Inline
from tests.integration.roles.test_disputes_void import (
    VILLAIN,
    VOID,
    Villain,
    conspiracy,
    malformed_network,
    sound_network,
)


@dataclass
class Pretender(Villain):
    """Publishes the sound network, and commits to the malformed one."""

    def publish(self, store: Store) -> Cid:
        files = [encode_graph(sound_network()), encode_weights(sound_network()), b"float"]
        graph, weights, floats = (FileRef(cid=store.add(data), size=len(data)) for data in files)
        root = compute_model_root(self.network)
        manifest = ModelManifest(graph=graph, weights=weights, float_weights=floats, model_root=root)
        return store.add(manifest.to_bytes())

    def answer(self, context: RoleContext) -> None:
        """Shows every leaf that it can."""
        court = Availability(context.contracts)
        for one in court.look():
            if one.is_open:
                answer = answer_from_model(one.request.target, ModelTree(self.network))
                try:
                    context.sender.send(f"answer:{one.key}", court.answer(one.id, answer))
                except ContractRejected as error:
                    if error.name != "Malformed":
                        raise


def rich(context: RoleContext) -> None:
    bond(context.contracts, context.sender, Role.VERIFIER, Wei(100 * TOKEN), intent="more")


def persistent(context: RoleContext) -> VerifierWorker:
    return VerifierWorker(context, replace(VerifierOptions(), requests=12), executor=Inline())


def test_a_leaf_put_right_in_the_files_is_found_and_void(tmp_path: Path) -> None:
    villain = Pretender(malformed_network())
    with conspiracy(tmp_path, villain) as house:
        house.mortal("verifier0").alive(rich)
        contracts = house.stage.contracts
        for _ in range(12):
            play(house, {"verifier0": persistent})
            asked = Availability(contracts).look()
            assert asked, "the verifier asks"
            if asked[-1].request.status is not RequestStatus.OPEN:
                break
            house.mortal(VILLAIN).alive(villain.answer)
            if Availability(contracts).look()[-1].is_open:
                travel(house.client, contracts.order(OID).move_seconds + 1)
        *shown, last = Availability(contracts).look()
        assert last.request.status is RequestStatus.EXPIRED
        target = last.request.target
        assert (target.item, target.model_index, target.node, target.unit) == (Item.UNIT, VOID, 0, 5)
        assert {one.request.status for one in shown} <= {RequestStatus.ANSWERED}
        assert len(shown) <= 6, "header, a node or two, and at most four units of eight"
        assert contracts.read(contracts.proof.functions.isVoid(OID, VOID))
