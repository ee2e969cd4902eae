"""The groups of constraints that a circuit consists of; without any one of them a proof of a falsehood can be made."""

from enum import IntEnum


class Group(IntEnum):
    """A group's place among the switches of `generate_switched`; what it is for is in docs/accuracy-circuit.md."""

    WEIGHT_RANGE = 0
    BIAS_RANGE = 1
    MULTIPLIER_RANGE = 2
    MODEL_HASH = 3
    SAMPLE_RANGE = 4
    LABEL_RANGE = 5
    CHUNK_HASH = 6
    OUTPUT_RANGE = 7
    OUTPUT_LIMIT = 8
    BELOW_RANGE = 9
    ABOVE_RANGE = 10
    CLAMP = 11
    REST_RANGE = 12
    PRODUCT = 13
    CHALLENGE = 14
    SUM = 15
    ACCUMULATOR_RANGE = 16
    LARGEST_RANGE = 17
    LARGEST_IS_ONE = 18
    BEST_RANGE = 19
    WINNER_RANGE = 20
    WINNER_AHEAD = 21
    WINNER_IS_ONE = 22
    RIGHT_IS_BIT = 23
    RIGHT_IS_LABEL = 24
    COUNT = 25
