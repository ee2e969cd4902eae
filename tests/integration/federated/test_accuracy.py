"""Proofs of accuracy in federated rounds on a real chain, with real proofs: the best leads, cheats are out and pay."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount

from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.enums import Role
from offchain.data.preprocessing import fit_preprocessing
from offchain.federated.aggregation.rule import Rule, RuleId
from offchain.federated.local_data import load_local
from offchain.federated.task_state import TaskPhase
from offchain.federated.terms import FederatedWindows, Mode
from offchain.model.shorthand import spec_from_shorthand
from offchain.proofs.prove import open_system
from offchain.proofs.system import ProofSystem
from offchain.protocol.manifest import Preprocessing
from offchain.roles.federated_accuracy import AccuracyRequest
from offchain.roles.federated_adversaries import Overclaimer, ProofCopier
from offchain.roles.federated_client import TaskRequest
from offchain.roles.federated_participant import FederatedWorker
from offchain.roles.federated_prover import Systems
from offchain.types import Seconds, Wei
from tests.integration.federated.stage import (
    STAKE,
    WINDOWS,
    Cast,
    Reborn,
    admit,
    context,
    options,
    put_task,
    request,
    worker,
)
from tests.integration.roles.stage import Stage, set_stage

MEMBERS = [f"p{number}" for number in range(6)]
SAMPLES = 8
SECURE = FederatedWindows(*(Seconds(length) for length in (600, 600, 600, 600, 0, 600, 600, 600, 600, 600, 300, 600)))


def people() -> dict[str, LocalAccount]:
    return dict(zip(["client", *MEMBERS], dev_accounts(8)[1:], strict=True))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Anvil.start(AnvilOptions()) as anvil:
        made = set_stage(anvil.client(), tmp_path)
        admit(made, people())
        yield made


def systems(folder: Path) -> Systems:
    """One for all: what it has set up is kept."""
    opened: dict[str, ProofSystem] = {}

    def open_once(name: str) -> ProofSystem:
        return opened.setdefault(name, open_system(name, folder))

    return open_once


def proven(asked: TaskRequest, prove_with: Systems) -> TaskRequest:
    """Breast cancer with 134 parameters, two of many chunks to be proven."""
    raw = load_local("sklearn:breast_cancer")
    scaling = Preprocessing(**fit_preprocessing(raw).model_dump())
    accuracy = AccuracyRequest(
        test=raw,
        systems=prove_with,
        minimum=0.5,
        baseline=0.25,
        beacon=bytes(31) + b"1",
        samples=SAMPLES,
        draws=2,
        system="groth16",
    )
    spec = spec_from_shorthand("mlp:4", input_shape=(30,), outputs=2)
    windows = replace(asked.windows, prove=Seconds(600))
    return replace(asked, spec=spec, preprocessing=scaling, accuracy=accuracy, windows=windows)


@pytest.mark.long
@pytest.mark.parametrize("killed", [False, True])
def test_secure_sums_are_of_those_who_have_proven(stage: Stage, killed: bool) -> None:
    """Six in two groups: nobody sees an update, who has not proven is unmasked as one who dropped out.

    One is killed at every write and send, and goes on with the model that it has committed to.
    """
    accounts, prove_with = people(), systems(stage.folder / "proofs")
    plain = request(
        6, rounds=1, mode=Mode.SECURE, group_size=3, windows=SECURE, rule=Rule(RuleId.MEAN), minimum_participants=4
    )
    asked = proven(plain, prove_with)
    task = put_task(stage, accounts["client"], asked, "secure")
    cast = Cast(stage, task, {})
    for place, name in enumerate(MEMBERS):
        chosen = replace(options(stage, name, place, len(MEMBERS)), systems=prove_with)
        if name == "p0" and killed:
            cast.workers[name] = Reborn(stage, name, accounts[name], task, chosen)
        else:
            kind = Overclaimer if name == "p5" else FederatedWorker
            cast.workers[name] = worker(context(stage, name, accounts[name]), task, chosen, kind)
    cast.play(lambda view: view.phase is TaskPhase.OVER)
    cast.play(lambda view: all(one.gone for one in view.participants))
    story = cast.federation.story(task, stage.client.head())
    assert story.results() == [1]
    liar = cast.view().place_of(accounts["p5"].address)
    assert liar is not None
    final = story.named("RoundFinal")[0].arguments
    assert final["included"] == 0b111111 & ~(1 << liar)
    assert len(story.named("MaskedPosted")) == 6
    assert len(story.named("UnmaskPosted")) == 5
    assert len(story.named("LocalModelCommitted")) == 6
    assert not story.named("Revealed")
    assert not story.named("Objected")
    assert not story.named("LeaderReplaced")
    honest = {e.arguments["index"]: e.arguments["correct"] for e in story.named("AccuracyCounted")}
    assert honest[final["leader"]] == max(honest[index] for index in honest if index != liar)
    assert sum(event.arguments["amount"] for event in story.named("RewardPaid")) == asked.reward
    for one in cast.workers.values():
        stage.close(one.context)


def test_the_best_leads_and_cheats_are_out_and_pay(stage: Stage) -> None:
    """Four honest; one claims a sample more than it has right, one copies a commitment and the proofs for it."""
    accounts, prove_with = people(), systems(stage.folder / "proofs")
    asked = proven(request(6, rounds=1, rule=Rule(RuleId.MEAN), windows=WINDOWS), prove_with)
    task = put_task(stage, accounts["client"], asked, "proven")
    kinds = {"p4": Overclaimer, "p5": ProofCopier}
    cast = Cast(stage, task, {})
    for place, name in enumerate(MEMBERS):
        chosen = replace(options(stage, name, place, len(MEMBERS)), systems=prove_with)
        cast.workers[name] = worker(
            context(stage, name, accounts[name]), task, chosen, kinds.get(name, FederatedWorker)
        )
    cast.play(lambda view: view.phase is TaskPhase.OVER)
    cast.play(lambda view: all(one.gone for one in view.participants))
    story = cast.federation.story(task, stage.client.head())
    assert story.results() == [1]
    places = {name: cast.view().place_of(accounts[name].address) for name in MEMBERS}
    counted = {event.arguments["index"]: event.arguments for event in story.named("AccuracyCounted")}
    cheats = {places["p4"], places["p5"]}
    assert {index for index, said in counted.items() if not said["accepted"]} == cheats
    assert {event.arguments["index"] for event in story.named("NoShowPenalised")} == cheats
    final = story.named("RoundFinal")[0].arguments
    honest = {index: said["correct"] for index, said in counted.items() if said["accepted"]}
    assert honest[final["leader"]] == max(honest.values())
    assert final["included"] == sum(1 << index for index in honest)
    # paid by what exceeds the baseline, to the last wei
    pool = asked.reward - asked.reward * asked.leader_share_ppm // 1_000_000
    merits = {index: correct - 4 for index, correct in honest.items()}
    paid = {event.arguments["index"]: event.arguments["amount"] for event in story.named("RewardPaid")}
    for index, merit in merits.items():
        if index != final["leader"]:
            assert paid[index] == pool * merit // sum(merits.values())
    assert sum(paid.values()) == asked.reward
    penalty = cast.federation.terms(task).leader_penalty
    for name in MEMBERS:
        free = stage.contracts.bond(accounts[name].address, Role.PARTICIPANT).free
        assert free == (Wei(STAKE - penalty) if name in kinds else STAKE)
        stage.close(cast.workers[name].context)
