"""Rules and server optimisers in a word: `trimmed-mean:0.2`, `multi-krum:0.3:0.5`, `fedadam:0.01:0.9:0.99:0.001`."""

from __future__ import annotations

import re
from typing import Final

from offchain.errors import Rejected
from offchain.federated.aggregation.rule import PPM, Rule, RuleId
from offchain.federated.server_optimizer import ONE, OptimizerId, ServerOptimizer

RULES: Final = "mean, median, trimmed-mean:0.2, clipped-mean:1.0, krum:0.3 or multi-krum:0.3:0.5"
OPTIMIZERS: Final = "fedavg:1.0, fedavgm:1.0:0.9 or fedadam:0.01:0.9:0.99:0.001"

_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?")
_ARGUMENTS = {
    "mean": (RuleId.MEAN, 0),
    "median": (RuleId.MEDIAN, 0),
    "trimmed-mean": (RuleId.TRIMMED_MEAN, 1),
    "clipped-mean": (RuleId.CLIPPED_MEAN, 1),
    "krum": (RuleId.KRUM, 1),
    "multi-krum": (RuleId.MULTI_KRUM, 2),
}


def parse_rule(text: str, *, scale_bits: int) -> Rule:
    """The rule that a word names.

    Shares are parts of the updates: trimmed at each side, hostile (Krum), selected (Multi-Krum). A clipped mean's norm
    is in units of the weights. Raises Rejected.
    """
    name, *given = text.split(":")
    if name not in _ARGUMENTS or len(given) != _ARGUMENTS[name][1] or not all(map(_NUMBER.fullmatch, given)):
        raise Rejected(f"--rule {text!r}: use {RULES}")
    rule_id, numbers = _ARGUMENTS[name][0], [float(number) for number in given]
    if rule_id is RuleId.CLIPPED_MEAN:
        rule = Rule(rule_id, round(numbers[0] * 2**scale_bits))
    else:
        rule = Rule(rule_id, *(round(number * PPM) for number in numbers))
    try:
        rule.check_terms()
    except Rejected as error:
        raise Rejected(f"--rule {text!r}: {error}; use {RULES}") from None
    return rule


def parse_optimizer(text: str, *, scale_bits: int) -> ServerOptimizer:
    """The server optimiser that a word names: `NAME[:LEARNING RATE[:BETA1[:BETA2[:TAU]]]]`, in units of the weights.

    Raises Rejected.
    """
    name, *given = text.split(":")
    defaults = {"fedavg": [1.0], "fedavgm": [1.0, 0.9], "fedadam": [0.01, 0.9, 0.99, 0.001]}
    if name not in defaults or len(given) > len(defaults[name]) or not all(map(_NUMBER.fullmatch, given)):
        raise Rejected(f"--optimizer {text!r}: use {OPTIMIZERS}")
    numbers = [*(float(number) for number in given), *defaults[name][len(given) :]]
    if name == "fedadam":
        rate, beta1, beta2, tau = numbers
        made = ServerOptimizer(
            OptimizerId.FEDADAM,
            round(rate * 2**scale_bits * ONE),
            round(beta1 * ONE),
            round(beta2 * ONE),
            round(tau * 2**scale_bits),
        )
    else:
        beta = round(numbers[1] * ONE) if name == "fedavgm" else 0
        made = ServerOptimizer(OptimizerId[name.upper()], round(numbers[0] * ONE), beta)
    try:
        made.check()
    except Rejected as error:
        raise Rejected(f"--optimizer {text!r}: {error}; use {OPTIMIZERS}") from None
    return made


def describe_rule(rule: Rule, *, scale_bits: int) -> str:
    """The word for a rule."""
    name = rule.id.name.lower().replace("_", "-")
    match rule.id:
        case RuleId.CLIPPED_MEAN:
            return f"{name}:{rule.parameter / 2**scale_bits:g}"
        case RuleId.MULTI_KRUM:
            return f"{name}:{rule.parameter / PPM:g}:{rule.selected / PPM:g}"
        case RuleId.TRIMMED_MEAN | RuleId.KRUM:
            return f"{name}:{rule.parameter / PPM:g}"
        case _:
            return name


def describe_optimizer(made: ServerOptimizer, *, scale_bits: int) -> str:
    """The word for a server optimiser."""
    if made.id is OptimizerId.FEDADAM:
        rate, tau = made.lr / 2**scale_bits / ONE, made.tau / 2**scale_bits
        return f"fedadam:{rate:.4g}:{made.beta1 / ONE:.4g}:{made.beta2 / ONE:.4g}:{tau:.4g}"
    words = [made.id.name.lower(), f"{made.lr / ONE:.4g}"]
    return ":".join([*words, f"{made.beta1 / ONE:.4g}"] if made.id is OptimizerId.FEDAVGM else words)
