"""Rules and optimisers in a word: there and back."""

import pytest

from offchain.errors import Rejected
from offchain.federated.aggregation.rule import Rule, RuleId
from offchain.federated.server_optimizer import OptimizerId, ServerOptimizer
from offchain.federated.shorthand import describe_optimizer, describe_rule, parse_optimizer, parse_rule
from offchain.model.layers import Conv2D
from offchain.model.shorthand import spec_from_shorthand


@pytest.mark.parametrize(
    ("word", "rule"),
    [
        ("mean", Rule(RuleId.MEAN)),
        ("median", Rule(RuleId.MEDIAN)),
        ("trimmed-mean:0.2", Rule(RuleId.TRIMMED_MEAN, 200_000)),
        ("clipped-mean:1.5", Rule(RuleId.CLIPPED_MEAN, 3 << 13)),
        ("krum:0.3", Rule(RuleId.KRUM, 300_000)),
        ("multi-krum:0.3:0.5", Rule(RuleId.MULTI_KRUM, 300_000, 500_000)),
    ],
)
def test_rules(word: str, rule: Rule) -> None:
    assert parse_rule(word, scale_bits=14) == rule
    assert describe_rule(rule, scale_bits=14) == word


@pytest.mark.parametrize("word", ["mean:1", "trimmed-mean", "trimmed-mean:0.6", "krum:x", "bulyan:0.2", "", "krum:-1"])
def test_other_rules_are_refused(word: str) -> None:
    with pytest.raises(Rejected, match="use mean, median"):
        parse_rule(word, scale_bits=14)


@pytest.mark.parametrize(
    ("word", "made"),
    [
        ("fedavg:1", ServerOptimizer(OptimizerId.FEDAVG, 1 << 16)),
        ("fedavgm:0.5:0.75", ServerOptimizer(OptimizerId.FEDAVGM, 1 << 15, 3 << 14)),
        ("fedadam:0.5:0.5:0.75:0.125", ServerOptimizer(OptimizerId.FEDADAM, 1 << 29, 1 << 15, 3 << 14, 1 << 11)),
    ],
)
def test_optimisers(word: str, made: ServerOptimizer) -> None:
    assert parse_optimizer(word, scale_bits=14) == made
    assert describe_optimizer(made, scale_bits=14) == word


def test_optimisers_have_defaults_and_bounds() -> None:
    assert parse_optimizer("fedavg", scale_bits=14) == ServerOptimizer()
    for word in ("sgd", "fedavg:0", "fedavg:1:1", "fedavgm:1:1"):
        with pytest.raises(Rejected, match="use fedavg"):
            parse_optimizer(word, scale_bits=14)


def test_a_model_in_a_word_without_batch_normalisation() -> None:
    spec = spec_from_shorthand("cnn:4-8", input_shape=(8, 8, 1), outputs=3, batch_norm=False)
    assert [layer.kind for layer in spec.layers] == ["conv2d", "max_pool2d", "conv2d", "max_pool2d", "dense", "dense"]
    assert [layer.activation for layer in spec.layers if isinstance(layer, Conv2D)] == ["relu", "relu"]
    with pytest.raises(Rejected, match=r"use mlp:64-32, cnn:8-16, lstm"):
        spec_from_shorthand("resnet:8", input_shape=(8, 8, 1), outputs=3, batch_norm=False)
