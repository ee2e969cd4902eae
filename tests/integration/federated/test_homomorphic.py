"""Homomorphic mode on a real chain: others add what members encrypt, members sign what they decrypt."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest
from eth_account.signers.local import LocalAccount

from offchain.chain.devnet import Anvil, AnvilOptions, dev_accounts
from offchain.chain.enums import Role
from offchain.chain.federated import Story
from offchain.federated.aggregation.rule import Rule, RuleId
from offchain.federated.groups import assign, mean_of
from offchain.federated.homomorphic.messages import card_root
from offchain.federated.homomorphic.parameters import choose
from offchain.federated.homomorphic.sealing import READERS, sealed_size
from offchain.federated.homomorphic.sums import head
from offchain.federated.manifest import SecureMethod
from offchain.federated.round_actions import Action, Speak
from offchain.federated.round_rules import TaskView
from offchain.federated.secure.terms import Position, Stage
from offchain.federated.task_state import TaskPhase, indices
from offchain.federated.terms import FederatedWindows, Mode
from offchain.federated.vector_tree import LeafKind
from offchain.protocol.hashing import keccak
from offchain.roles.federated_adversaries import Mute
from offchain.roles.federated_deeds import Deeds
from offchain.roles.federated_participant import FederatedWorker
from offchain.types import Seconds
from tests.integration.federated.stage import STAKE, Cast, Reborn, admit, context, options, put_task, request, worker
from tests.integration.roles.stage import Stage as Scene
from tests.integration.roles.stage import set_stage

MEMBERS = [f"p{number}" for number in range(8)]
WINDOWS = FederatedWindows(*(Seconds(length) for length in (600, 600, 600, 600, 0, 600, 600, 600, 600, 600, 300)))


class GarbageDeeds(Deeds):
    """Posts a file of the right length with no ciphertext in it."""

    def act(self, view: TaskView, story: Story, action: Action) -> None:
        if action != Speak(Stage.MASKED):
            super().act(view, story, action)
            return
        data = np.random.default_rng(0).bytes(sealed_size(choose(4), view.terms.dimension))
        cid = self.files.keep(data)
        self.files.publish(cid)
        root = card_root(keccak(data), view.terms.dimension)
        functions = self.federation.contract.functions
        self._send_once(f"masked:{view.state.round}", functions.postMasked(self.task, root, cid))


class Garbage(FederatedWorker):
    """See GarbageDeeds."""

    conduct: ClassVar[type[Deeds]] = GarbageDeeds


class SlothDeeds(Deeds):
    """Says nothing once vectors are posted: a group's first adder that adds nothing."""

    def act(self, view: TaskView, story: Story, action: Action) -> None:
        if action != Speak(Stage.UNMASK):
            super().act(view, story, action)


class Sloth(FederatedWorker):
    """See SlothDeeds."""

    conduct: ClassVar[type[Deeds]] = SlothDeeds


class ShiftDeeds(Deeds):
    """As a group's first adder posts a sum of its own."""

    def act(self, view: TaskView, story: Story, action: Action) -> None:
        if action != Speak(Stage.UNMASK):
            super().act(view, story, action)
            return
        sessions = self.table.homomorphic
        number, _ = sessions.base.place_of(view, view.place_of(self.context.account) or 0)
        before, _ = sessions.neighbours(view, number)
        session = sessions.base.session(view, before)
        blocks = bytes((1, 0, 0, 0, 0, 0)) * (2 * 2048)
        data = head(session, tuple(map(Position, range(session.threshold)))) + blocks
        cid = self.files.keep(data)
        self.files.publish(cid)
        self._send_once("unmask", self.federation.contract.functions.postUnmask(self.task, keccak(data), cid))


class Shifter(FederatedWorker):
    """See ShiftDeeds."""

    conduct: ClassVar[type[Deeds]] = ShiftDeeds


def people() -> dict[str, LocalAccount]:
    return dict(zip(["client", *MEMBERS], dev_accounts(10)[1:], strict=True))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with Anvil.start(AnvilOptions()) as anvil:
        made = set_stage(anvil.client(), tmp_path)
        admit(made, people())
        yield made


@pytest.mark.parametrize("to_the_end", [False, pytest.param(True, marks=pytest.mark.long)])
def test_groups_add_for_each_other_and_sign_exact_sums(scene: Scene, to_the_end: bool) -> None:
    """Eight in two groups: one drops out, one posts garbage, one is killed at every write and send.

    And one that is to add sleeps, or (to the end) posts a sum that nobody signs.
    """
    accounts = people()
    asked = request(
        8,
        rounds=1,
        mode=Mode.SECURE,
        secure_method=SecureMethod.HOMOMORPHIC,
        group_size=3,
        windows=WINDOWS,
        rule=Rule(RuleId.MEAN),
        minimum_participants=6,
    )
    task = put_task(scene, accounts["client"], asked, "homomorphic")
    chosen = {name: options(scene, name, place, len(MEMBERS)) for place, name in enumerate(MEMBERS)}
    contexts = {name: context(scene, name, accounts[name]) for name in MEMBERS}
    cast = Cast(scene, task, {name: worker(contexts[name], task, chosen[name]) for name in MEMBERS})

    view = cast.play(lambda view: view.phase is TaskPhase.KEYS)
    names = [next(n for n in MEMBERS if contexts[n].account == one.account) for one in view.participants]
    first, second = assign(view.state.seed, 1, indices(view.round.roster), 3)
    assert len(first) == len(second) == 4
    # Adders of the first group are the first of the second that dealt: garbage is no reason to trust them less.
    sloth, garbage, mute, mortal = names[second[0]], names[second[READERS]], names[first[READERS]], names[second[1]]
    for name, kind in ((sloth, Shifter if to_the_end else Sloth), (garbage, Garbage), (mute, Mute)):
        cast.workers[name] = worker(contexts[name], task, chosen[name], kind)
    scene.close(contexts[mortal])
    cast.workers[mortal] = reborn = Reborn(scene, mortal, accounts[mortal], task, chosen[mortal])

    view = cast.play(lambda view: view.phase is TaskPhase.CHALLENGE)
    story = cast.federation.story(task, scene.client.head())
    assert len(story.named("SharesPosted")) == 8
    assert len(story.named("MaskedPosted")) == 7
    settled = cast.workers[names[first[0]]].table.settled(view)  # type: ignore[attr-defined]
    sums = [[index for index in group if names[index] not in (garbage, mute)] for group in (first, second)]
    expected = [mean_of_updates(cast, names, members, view) for members in sums]
    assert all(np.array_equal(*pair) for pair in zip(settled.material.columns, expected, strict=True))

    assert reborn.killer.deaths > 8
    if not to_the_end:
        return
    cast.play(lambda view: view.phase is TaskPhase.OVER)
    cast.play(lambda view: all(one.gone for one in view.participants))
    story = cast.federation.story(task, scene.client.head())
    assert story.results() == [1]
    assert len(story.named("RewardPaid")) == 7
    assert not story.named("LeaderReplaced")
    assert not story.named("Objected")
    for one in cast.workers.values():
        assert scene.contracts.bond(one.context.account, Role.PARTICIPANT).free == STAKE
        scene.close(one.context)


def mean_of_updates(cast: Cast, names: list[str], members: list[int], view: TaskView) -> npt.NDArray[np.int16]:
    """Computed openly, from what lies in the members' own directories."""
    total = np.zeros(view.terms.dimension, dtype=np.int64)
    for index in members:
        one = cast.workers[names[index]]
        deeds = (one.awake() if isinstance(one, Reborn) else one).deeds
        record = deeds.record(1)
        assert record is not None
        total += deeds.files.vector(record.cid, record.root, view.terms.dimension, LeafKind.UPDATE)
    return mean_of(total.astype(np.int32), len(members))
