"""Terms, manifest and allow list: what is refused, in which words, and what reads back."""

from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from offchain.data.sklearn_sets import load_sklearn
from offchain.errors import Rejected
from offchain.federated.aggregation.rule import Rule, RuleId
from offchain.federated.allow_list import AllowList, allow, parse_allow_list
from offchain.federated.local_data import dataset_for, load_local
from offchain.federated.manifest import (
    ExamplePrivacy,
    FederatedManifest,
    GradientPrivacy,
    LocalTerms,
    SumPrivacy,
    ledger_of,
)
from offchain.federated.terms import (
    AggregationRule,
    Mode,
    OptimizerKind,
    OptimizerTerms,
    PrivacyTerms,
    RuleTerms,
    least_request_bond,
)
from offchain.model.shorthand import spec_from_shorthand
from offchain.protocol.commitments import update_commitment
from offchain.protocol.manifest import Preprocessing
from offchain.types import TOKEN, CidDigest, Ppm, Root, Salt, Seconds, TaskId, Wei
from tests.unit.federated.views import TERMS, WINDOWS, account


def test_the_defaults_of_the_tests_are_sound() -> None:
    TERMS.check()
    assert TERMS.escrow == 36 * TOKEN


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dimension": (1 << 24) + 1}, r"dimension \(parameters of the model\): 16777217; give 1 to 16777216"),
        ({"rounds": 0}, "rounds: 0; give 1 to 10000"),
        ({"minimum_participants": 6}, "minimum participants: 6; give 2 to 5"),
        ({"maximum_participants": 129}, "maximum participants: 129"),
        ({"leader_penalty": Wei(101 * TOKEN)}, "leader penalty"),
        ({"request_bond": Wei(TOKEN - 1)}, "4 must reach an even share of the reward"),
        ({"mode": Mode.NONE}, "mode: choose plain or secure"),
        ({"group_size": 4}, "plain mode has no groups"),
        ({"mode": Mode.SECURE, "group_size": 2}, "group size: 2; give 3 to 5"),
        ({"windows": replace(WINDOWS, commit=Seconds(0))}, r"commit window \(seconds\): 0; give 1 to 2592000"),
        (
            {"windows": replace(WINDOWS, keys=Seconds(9))},
            "keys window .* which this mode does not have: 9; give 0 to 0",
        ),
        ({"privacy": PrivacyTerms((2000,), (9,), (8,))}, "not even one release"),
        ({"privacy": PrivacyTerms((2000,), (9,), ())}, "a cost and a limit each"),
        ({"optimizer": OptimizerTerms(OptimizerKind.FED_AVG, 1, beta1=1)}, "beta1"),
        ({"rule": RuleTerms(AggregationRule.KRUM, 340_000)}, "with the least participants, 3: Krum"),
        ({"rule": RuleTerms(AggregationRule.CLIPPED_MEAN)}, "parameter of CLIPPED_MEAN"),
    ],
)
def test_terms_out_of_bounds_are_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Rejected, match=words):
        replace(TERMS, **changes).check()


def test_rules_that_no_contract_decides_are_refused() -> None:
    assert RuleTerms.of(Rule(RuleId.MULTI_KRUM, 1, 2)).definition == Rule(RuleId.MULTI_KRUM, 1, 2)
    with pytest.raises(Rejected, match="geometric-median: a contract cannot decide it"):
        RuleTerms.of(Rule(RuleId.GEOMETRIC_MEDIAN, 0, 10))


@given(st.integers(1, 1 << 90), st.integers(2, 128))
def test_four_bonds_are_an_even_share(reward: int, participants: int) -> None:
    bond = least_request_bond(Wei(reward), participants, Ppm(0))
    assert 4 * bond * participants >= reward > 4 * (bond - 1) * participants


@given(st.integers(1, 1 << 90), st.integers(2, 128), st.integers(0, 500_000))
def test_four_bonds_are_no_less_than_leading_is_worth(reward: int, participants: int, share: int) -> None:
    bond = least_request_bond(Wei(reward), participants, Ppm(share))
    assert 4 * bond >= reward * share // 10**6
    assert bond >= least_request_bond(Wei(reward), participants, Ppm(0))


# Manifest

SPEC = spec_from_shorthand("mlp:8", input_shape=(30,), outputs=2).model_dump(mode="json", exclude_none=True)


def manifest(**changes: Any) -> FederatedManifest:
    return FederatedManifest(**{"title": "t", "spec": SPEC, "classes": ("benign", "malignant"), **changes})


def test_a_manifest_reads_back_and_stands_for_its_bytes() -> None:
    made = manifest(preprocessing=Preprocessing(offset=(0.5,), scale=(2.0,)))
    again = FederatedManifest.parse(made.to_bytes(), source="x")
    assert again == made
    assert again.spec_hash == keccak(made.to_bytes())
    assert again.settings.batch_size == 16


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": ("a", "b", "c")}, "has 2 units; the data needs 3"),
        ({"classes": ("a", "a")}, "differ from each other"),
        ({"preprocessing": Preprocessing(offset=(0.5, 1.0), scale=(2.0, 1.0))}, "the inputs have 30 features"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_unsound_manifests_are_refused(changes: dict[str, Any], words: str) -> None:
    import json

    fields = json.loads(manifest().to_bytes()) | {
        key: value.model_dump(mode="json") if isinstance(value, Preprocessing) else value
        for key, value in changes.items()
    }
    with pytest.raises(Rejected, match=words):
        FederatedManifest.parse(json.dumps(fields).encode(), source="x")


def test_nobody_joins_a_task_that_understates_what_a_release_costs() -> None:
    made = manifest(privacy=SumPrivacy(epsilon=8.0, delta=1e-5, clip_norm=1000, variance=400_000, contributors=4))
    terms = replace(
        TERMS,
        dimension=made.model_spec.weight_count,
        mode=Mode.SECURE,
        group_size=5,
        minimum_participants=5,
    )
    with pytest.raises(Rejected, match="keeps no ledger"):
        made.require_honest(terms)
    ledger = ledger_of(made.budget(terms))
    made.require_honest(replace(terms, privacy=ledger))
    cheap = replace(ledger, costs=tuple(cost // 2 for cost in ledger.costs))
    with pytest.raises(Rejected, match="do not join"):
        made.require_honest(replace(terms, privacy=cheap))
    with pytest.raises(Rejected, match="names no mechanism"):
        manifest().require_honest(replace(terms, privacy=ledger))
    with pytest.raises(Rejected, match="a model of 266 parameters; the task says 1500"):
        manifest().require_honest(TERMS)


def test_example_privacy_reads_back() -> None:
    privacy = ExamplePrivacy(epsilon=3.0, delta=1e-5, sample_rate=0.1, noise_multiplier=1.1, clip_norm=1.0, steps=5)
    made = manifest(privacy=privacy, preprocessing=Preprocessing(offset=(0.5,), scale=(2.0,)))
    assert FederatedManifest.parse(made.to_bytes(), source="x").privacy == privacy


SHARES = SumPrivacy(epsilon=8.0, delta=1e-5, clip_norm=1000, variance=400_000, contributors=4)


GRADIENTS = GradientPrivacy(epsilon=8.0, delta=1e-5, clip_norm=0.5, rate=0.04, variance=400_000, contributors=4)
SCALED = Preprocessing(offset=(0.5,), scale=(2.0,))


@pytest.mark.parametrize("privacy", [SHARES, GRADIENTS])
def test_shares_of_noise_protect_only_sums_that_hold_so_many(privacy: SumPrivacy | GradientPrivacy) -> None:
    made = manifest(privacy=privacy, preprocessing=SCALED)
    assert FederatedManifest.parse(made.to_bytes(), source="x").privacy == privacy
    secure = replace(TERMS, mode=Mode.SECURE, group_size=5, minimum_participants=5)
    assert made.budget(secure) is not None
    with pytest.raises(Rejected, match="updates are seen alone"):
        made.budget(TERMS)
    for changes in ({"group_size": 4}, {"minimum_participants": 4}):
        with pytest.raises(Rejected, match="4 shares of noise are counted on, but a group's sum may hold 3"):
            made.budget(replace(secure, **changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"privacy": SHARES, "local": LocalTerms(memory=0.5)}, "tell of the noise in earlier ones"),
        ({"privacy": GRADIENTS}, "needs a scaling that the task fixes"),
        (
            {"privacy": ExamplePrivacy(epsilon=3, delta=1e-5, sample_rate=1, noise_multiplier=1, clip_norm=1, steps=1)},
            "needs a scaling that the task fixes",
        ),
    ],
)
def test_manifests_whose_privacy_would_leak_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        manifest(**changes)


# Data


def test_own_data_in_the_tasks_order_of_classes() -> None:
    cancer = load_sklearn("breast_cancer")
    task = manifest(classes=("malignant", "benign"))
    swapped = manifest(classes=("benign", "malignant"))
    one, other = dataset_for(task, cancer), dataset_for(swapped, cancer)
    assert (one.inputs == other.inputs).all()
    assert (one.labels == 1 - other.labels).all()
    with pytest.raises(Rejected, match="class 'malignant' is not among the task's"):
        dataset_for(manifest(classes=("good", "benign")), cancer)
    with pytest.raises(Rejected, match=r"samples of shape \[8, 8, 1\]; the task's have \[30\]"):
        dataset_for(task, load_sklearn("digits"))


def test_shares_make_up_the_training_part() -> None:
    parts = [load_local(f"sklearn:breast_cancer:{k}/3") for k in (1, 2, 3)]
    held = load_local("sklearn:breast_cancer:test")
    assert sum(map(len, parts)) + len(held) == 569
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert len(load_local("sklearn:breast_cancer:2/3:dirichlet:0.5")) > 0
    with pytest.raises(Rejected, match="give 1/3 to 3/3"):
        load_local("sklearn:breast_cancer:4/3")


# Allow list and commitment


@given(st.sets(st.integers(1, 2**160 - 1), min_size=1, max_size=20))
def test_everybody_on_the_list_has_a_proof(numbers: set[int]) -> None:
    allowed = allow([number.to_bytes(20, "big").hex() for number in numbers])
    assert parse_allow_list(b"# members\n" + allowed.to_bytes(), source="x") == allowed
    for one in allowed.accounts:
        node = keccak(keccak(encode(["address"], [one])))
        for sibling in allowed.prove(one):
            node = keccak(min(node, sibling) + max(node, sibling))  # OpenZeppelin's MerkleProof.processProof
        assert node == allowed.root


def test_who_is_not_on_the_list_is_told() -> None:
    with pytest.raises(Rejected, match="not among the 1 accounts"):
        allow([account(5)]).prove(account(6))
    with pytest.raises(Rejected, match="'nobody'; give one address a line"):
        parse_allow_list(b"nobody\n", source="--allow f")
    assert AllowList().root == bytes(32)


def test_a_commitment_binds_everything() -> None:
    base: list[Any] = [
        1,
        account(1),
        TaskId(2),
        3,
        account(4),
        Root(b"r" * 32),
        CidDigest(b"c" * 32),
        5,
        Salt(b"s" * 32),
    ]
    others: list[Any] = [9, account(9), TaskId(9), 9, account(9), b"x" * 32, b"x" * 32, 9, b"x" * 32]
    made = {update_commitment(*base)}
    for place, other in enumerate(others):
        made.add(update_commitment(*[*base[:place], other, *base[place + 1 :]]))
    assert len(made) == len(base) + 1
