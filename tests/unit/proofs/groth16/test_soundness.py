"""Every class of witness is bound, and every group of constraints is needed: without it, a forgery would hold."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from offchain.proofs.field import ORDER
from offchain.proofs.groth16.witness import broken_groups, public_inputs
from offchain.proofs.statement import Chunk
from tests.unit.proofs.groth16.forging import (
    Bench,
    constant_bench,
    constant_network,
    copied,
    get,
    put,
    same_number,
    weighted_bench,
)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return weighted_bench()


@pytest.fixture(scope="module")
def flat() -> Bench:
    """Outputs 8, 10, 3, -50 whatever the input: the winner is class 1; the last sample's label is 2."""
    return constant_bench([8, 10, 3, -50], wrong=1)


def assigned_wires(layout: object, name: str = "layout") -> dict[str, np.ndarray]:
    """Every array of wires of a layout by its name."""
    if isinstance(layout, np.ndarray):
        return {name: layout}
    items: dict[str, object] = {}
    if is_dataclass(layout):
        items = {f.name: getattr(layout, f.name) for f in fields(layout) if f.name not in ("targets", "sources")}
    elif isinstance(layout, dict):
        items = {str(key): value for key, value in layout.items()}
    return {k: v for key, part in items.items() for k, v in assigned_wires(part, f"{name}.{key}").items()}


def test_true_statements_hold(bench: Bench, flat: Bench) -> None:
    for each in (bench, flat):
        assert not broken_groups(each.system, each.solved)
        assert not each.broken(each.honest)


def test_no_edited_wire_of_any_class_holds(bench: Bench) -> None:
    """Weights, biases, multipliers, products, excesses, flags, outputs, pools, choices, samples, labels, salt."""
    rng = np.random.default_rng(1)
    classes = assigned_wires(bench.layout)
    assert len(classes) > 30
    for name, wires in classes.items():
        flat_wires = wires.reshape(-1)
        if not len(flat_wires):
            continue
        for wire in rng.choice(flat_wires, min(3, len(flat_wires)), replace=False):
            value = get(bench.honest, np.array([wire]))[0]
            for other in {1 - value if value in (0, 1) else value + 1, value + 2}:
                edited = bench.honest.copy()
                put(edited, np.array([wire]), [other])
                assert broken_groups(bench.system, bench.solve(edited)), f"{name}: wire {wire} {value} -> {other}"


def test_no_defined_wire_is_free(bench: Bench) -> None:
    rng = np.random.default_rng(2)
    for group in sorted(bench.groups()):
        defined = bench.defined(group) if any(n == group for n, _, _ in bench.system.groups) else []
        for wire in rng.permutation(defined)[:2]:
            value = get(bench.solved.wires, np.array([wire]))[0]
            assert broken_groups(bench.system, bench.solve(bench.honest, {int(wire): value + 1})), group


def test_no_other_statement_holds(bench: Bench) -> None:
    said = bench.said
    others = [
        replace(said, model_hash=said.model_hash + 1),
        replace(said, chunk_hash=said.chunk_hash + 1),
        replace(said, correct=said.correct + 1),
        replace(said, prover=said.prover + 1),
    ]
    for other in others:
        wires = bench.honest.copy()
        put(wires, bench.layout.public, public_inputs(other))
        assert broken_groups(bench.system, bench.solve(wires)) == {"statement value"}


# One forgery for each group: everything else holds, so without the group it would be believed.

Forgery = Callable[[Bench, Bench], set[str]]


def bits(pick: Callable[[Bench], np.ndarray]) -> Forgery:
    """A number whose wires are not bits."""

    def forge(bench: Bench, _: Bench) -> set[str]:
        wires = pick(bench)
        return bench.broken(same_number(bench.honest, wires.reshape(-1, wires.shape[-1])[0]))

    return forge


def off_by_one(group: str, which: int = 0) -> Forgery:
    """A defined wire is not what it should be, and all that follows is right."""

    def forge(bench: Bench, _: Bench) -> set[str]:
        wire = bench.defined(group)[which]
        return bench.broken(bench.honest, {wire: get(bench.solved.wires, np.array([wire]))[0] + 1})

    return forge


def last_output(change: int, how: str) -> Forgery:
    """The output of a class that has not won is claimed `change` more, and the excess made to fit."""

    def forge(_: Bench, flat: Bench) -> set[str]:
        circuit, layout = flat.circuit, flat.layout
        scale, winner, wires = layout.scales[0], layout.winner, flat.honest.copy()
        number = lambda where: sum(b << i for i, b in enumerate(get(wires, where)))  # noqa: E731
        write = lambda where, v: put(wires, where, [(v >> i) & 1 for i in range(len(where))])  # noqa: E731
        gap = winner.gaps[0, 2]
        write(gap, number(gap) - change)
        excess = number(scale.excess[2]) - (change << circuit.shift)
        if how == "lower":
            put(wires, scale.lower[2:3], [1])
            excess = (1 << circuit.shift) - 1 - excess
        if how == "upper":
            put(wires, scale.upper[2:3], [1])
        if how == "bits":
            put(wires, scale.excess[2], [excess] + [0] * (len(scale.excess[2]) - 1))
        elif how != "excess":
            write(scale.excess[2], excess)
        return flat.broken(wires)

    return forge


def flags(_: Bench, flat: Bench) -> set[str]:
    """A flag between 0 and 1 turns any excess into 0: class 1, the winner, is held at the lower bound."""
    layout, shift = flat.layout, flat.circuit.shift
    other = flat.assigned(constant_network([8, -100, 3, -50]), flat.chunk)
    wires = copied(other, flat.honest, layout.units[0].bias)
    # what is requantised is the honest number; what it is said to be is the lower bound
    half = 1 << (shift - 1)
    e = 10 * 4 * (1 << 20) + half + (100 << shift)
    put(wires, layout.scales[0].lower[1::4], [-e * pow((1 << shift) - 1 - 2 * e, -1, ORDER)] * 2)
    put(wires, layout.scales[0].excess[1::4], [0] * layout.scales[0].excess[1::4].size)
    put(wires, layout.units[0].products, [0] * layout.units[0].products.size)
    return flat.broken(wires)


def another_network(forced: str) -> Forgery:
    """The outputs of a network with another bias, multiplier or weight, under the commitment to the first."""

    def forge(_: Bench, flat: Bench) -> set[str]:
        layout = flat.layout
        node = flat.network.nodes[0]
        if forced in ("bias", "scaled"):
            changed = replace(node, bias=node.bias + np.array([0, 0, 40, 0], dtype=np.int32))
        elif forced == "multiplier":
            made = node.requantisation
            changed = replace(node, requantisation=replace(made, multiplier=made.multiplier + np.int32(1 << 18)))
        else:
            changed = replace(node, weight=node.weight + np.array([[0, 0], [0, 0], [2, 0], [0, 0]], dtype=np.int8))
        other = flat.assigned(replace(flat.network, nodes=(changed,)), flat.chunk)
        units = layout.units[0]
        wires = copied(other, flat.honest, units.weight, units.bias, units.multiplier)
        if forced in ("scaled", "products"):
            wires = copied(wires, flat.honest, units.inverse)
        # wires of the other network, but of this run's challenge: what depends on it is solved first
        with_other = flat.solve(copied(other, flat.honest, units.weight) if forced == "terms" else other)
        if forced in ("bias", "multiplier", "scaled"):
            named = flat.defined(forced)
            return flat.broken(wires, dict(zip(named, get(with_other.wires, np.array(named)), strict=True)))
        if forced == "products":
            return flat.broken(wires)
        solved = flat.solve(wires)
        powers = get(solved.wires, np.array([flat.defined("powers")[0], flat.defined("challenge")[-1]]))
        if forced == "outputs":
            products = get(flat.honest, units.products)
            named = flat.defined("weighted outputs")
            said = [power * p for power, p in zip(np.repeat(np.array(powers, dtype=object), 4), products, strict=True)]
            return flat.broken(wires, dict(zip(named, said, strict=True)))
        named = flat.defined("weights times inputs")
        places = get(solved.wires, np.array(flat.defined("places")))
        return flat.broken(wires, {named[4]: 2 * places[0]})

    return forge


def another_input(forced: str) -> Forgery:
    """The outputs for a sample that differs in one pixel, under the hash of the first."""

    def forge(bench: Bench, _: Bench) -> set[str]:
        layout, inputs = bench.layout, bench.chunk.inputs.copy()
        inputs[0, 1, 1, 0] = 100 if inputs[0, 1, 1, 0] < 0 else -100
        other = bench.assigned(bench.network, Chunk(inputs, bench.chunk.labels))
        wires = copied(other, bench.honest, layout.inputs)
        named = bench.defined(forced)
        # the challenge is that of these outputs, whatever the inputs are said to be
        pretended = bench.solve(copied(other, bench.honest, layout.inputs))
        challenge = get(pretended.wires, np.array(bench.defined("challenge")[-1:]))[0]
        forced_values = pixels_weighted(bench, inputs, challenge, forced)
        return bench.broken(wires, dict(zip(named[: len(forced_values)], forced_values, strict=True)))

    return forge


def pixels_weighted(bench: Bench, inputs: np.ndarray, challenge: int, group: str) -> list[int]:
    """Node 0's weighted inputs, or its four places, for these inputs: a 2 x 2 window over 3 x 3 pixels."""
    top, length = 2 * 2 + 2, 2 * 2 + 2 + 1
    weights = {
        (n, y, x): pow(challenge, n * length + top - (2 * y + x), ORDER)
        for n in range(2)
        for y in range(3)
        for x in range(3)
    }
    values = {key: int(inputs[key[0], key[1], key[2], 0]) * weight % ORDER for key, weight in weights.items()}
    if group == "weighted inputs":
        return list(values.values())
    places = []
    for dy in range(2):
        for dx in range(2):
            seen = sum(values[n, y + dy, x + dx] for n in range(2) for y in range(2) for x in range(2))
            places.append(seen * pow(challenge, 2 * dy + dx, ORDER) % ORDER)
    return places


def powers(bench: Bench, _: Bench) -> set[str]:
    """A power that is 0 leaves a pixel's weight out: another input, as long as its outputs' weights are 0 as well."""
    other_inputs = bench.chunk.inputs.copy()
    other_inputs[1] = np.where(other_inputs[1] < 0, 90, -90)
    other = bench.assigned(bench.network, Chunk(other_inputs, bench.chunk.labels))
    wires = copied(other, bench.honest, bench.layout.inputs)
    # sample 1's exponents are 7 .. 13; the first node's powers come first, the second's DENSE ones after them
    solved = bench.solve(wires)
    challenge = get(solved.wires, np.array(bench.defined("challenge")[-1:]))[0]
    named = bench.defined("powers")
    by_value = dict(zip(get(solved.wires, np.array(named)), named, strict=True))
    forced = {by_value[pow(challenge, k, ORDER)]: 0 for k in range(7, 14)}
    return bench.broken(wires, forced)


def winner(change: Callable[[Bench, np.ndarray], int]) -> Forgery:
    """A choice, a margin or a count that is not what the outputs give; `change` edits the wires, says how many more."""

    def forge(_: Bench, flat: Bench) -> set[str]:
        wires = flat.honest.copy()
        more = change(flat, wires)
        return flat.broken(wires, more=more)

    return forge


def write(wires: np.ndarray, where: np.ndarray, value: int) -> None:
    put(wires, where, [(value >> i) & 1 for i in range(len(where))])


def choose(flat: Bench, wires: np.ndarray, choice: list[int], best: int, gaps: list[int], margin: int) -> None:
    made = flat.layout.winner
    put(wires, made.choice[1], choice)
    write(wires, made.best[1], best + 100)
    write(wires, made.room[1], 120 - best)
    write(wires, made.margin[1], margin)
    for where, gap in zip(made.gaps[1], gaps, strict=True):
        write(wires, where, gap)
    put(wires, made.right[1:], [1])


def fractional_choice(flat: Bench, wires: np.ndarray) -> int:
    """-1 of class 0 and 2 of class 1 make class 2, whose output is 3: 8 = 10 - 2, and so they are all best."""
    choose(flat, wires, [-1, 2, 0, 0], 10, [0, 0, 7, 60], 10 + 100 - 2 + 1)
    write(wires, flat.layout.winner.margin[1], 10 + 100 - 2)
    return 0


def no_choice(flat: Bench, wires: np.ndarray) -> int:
    """No class is chosen: as if class 0 were, and its label right, whatever its output."""
    choose(flat, wires, [0, 0, 0, 0], 10, [2, 0, 7, 60], 110)
    put(wires, flat.layout.winner.right[1:], [0])
    return 0


def second_best(flat: Bench, wires: np.ndarray) -> int:
    """Class 2 is chosen, the label, though its output is less."""
    choose(flat, wires, [0, 0, 1, 0], 11, [2, 0, 8, 61], 110)
    return 0


def wrong_label(flat: Bench, wires: np.ndarray) -> int:
    put(wires, flat.layout.winner.right[1:], [1])
    return 0


def counted_twice(flat: Bench, wires: np.ndarray) -> int:
    put(wires, flat.layout.winner.right[:1], [2])
    return 0


def flipped(pick: Callable[[Bench], np.ndarray]) -> Callable[[Bench, np.ndarray], int]:
    def change(flat: Bench, wires: np.ndarray) -> int:
        where = pick(flat)
        put(wires, where, [1 - get(wires, where)[0]])
        return 0

    return change


def flip(pick: Callable[[Bench], np.ndarray]) -> Forgery:
    def forge(bench: Bench, _: Bench) -> set[str]:
        wires = bench.honest.copy()
        flipped(pick)(bench, wires)
        return bench.broken(wires)

    return forge


def no_multiplier(_: Bench, flat: Bench) -> set[str]:
    wires = flat.honest.copy()
    put(wires, flat.layout.units[0].inverse[:1], [0])
    return flat.broken(wires)


def statement(_: Bench, flat: Bench) -> set[str]:
    """One more than what is right: the last step made to fit."""
    said = replace(flat.said, correct=flat.said.correct + 1)
    challenge, value = public_inputs(said)
    wires = flat.honest.copy()
    put(wires, flat.layout.public, [challenge, value])
    named = flat.defined("statement")
    last = (value - said.model_hash) * pow(challenge, -1, ORDER) - said.chunk_hash
    return set(broken_groups(flat.system, flat.solve(wires, {named[1]: last})))


def statement_value(_: Bench, flat: Bench) -> set[str]:
    wires = flat.honest.copy()
    put(wires, flat.layout.public, public_inputs(replace(flat.said, correct=flat.said.correct + 1)))
    return set(broken_groups(flat.system, flat.solve(wires)))


def larger_than_all(how: str) -> Forgery:
    """A pool's largest is one more than any of its elements."""

    def forge(bench: Bench, _: Bench) -> set[str]:
        wires = bench.honest.copy()
        pool, scale = bench.layout.pools[1], bench.layout.scales[1]
        # a window whose output is held at the upper bound already: nothing after it changes
        held = np.flatnonzero(np.array(get(wires, scale.upper)))[0]
        put(wires, pool.largest[held : held + 1], [get(wires, pool.largest[held : held + 1])[0] + 1])
        for gap in pool.gaps[pool.targets == held] if how != "gaps" else []:
            write(wires, gap, sum(b << i for i, b in enumerate(get(wires, gap))) + 1)
        write(wires, scale.excess[held], sum(b << i for i, b in enumerate(get(wires, scale.excess[held]))) + 1)
        if how != "product":
            return bench.broken(wires)
        solved = bench.solve(wires)
        named = bench.defined("pool member")
        before, after = (get(each.wires, np.array(named)) for each in (bench.solved, solved))
        last = max(wire for wire, old, new in zip(named, before, after, strict=True) if new and not old)
        return bench.broken(wires, {last: 0})

    return forge


FORGERIES: dict[str, Forgery] = {
    "input bits": bits(lambda b: b.layout.inputs),
    "label bits": bits(lambda b: b.layout.labels),
    "weight bits": bits(lambda b: b.layout.units[0].weight),
    "bias bits": bits(lambda b: b.layout.units[0].bias),
    "multiplier bits": bits(lambda b: b.layout.units[0].multiplier),
    "output bits": bits(lambda b: b.layout.scales[0].output),
    "output room bits": bits(lambda b: b.layout.scales[0].room),
    "pool gap bits": bits(lambda b: b.layout.pools[1].gaps),
    "best bits": bits(lambda b: b.layout.winner.best),
    "gap bits": bits(lambda b: b.layout.winner.gaps),
    "excess bits": last_output(1, "bits"),
    "inside": last_output(-1, "none"),
    "at the lower bound": last_output(1, "lower"),
    "at the upper bound": last_output(-1, "upper"),
    "excess": last_output(-1, "excess"),
    "flags": flags,
    "chunk packing": off_by_one("chunk packing"),
    "chunk hash": off_by_one("chunk hash", 5),
    "model packing": off_by_one("model packing"),
    "model hash": off_by_one("model hash", 7),
    "challenge packing": off_by_one("challenge packing"),
    "challenge": off_by_one("challenge", -1),
    "bias": another_network("bias"),
    "multiplier": another_network("multiplier"),
    "scaled": another_network("scaled"),
    "products": another_network("products"),
    "weighted outputs": another_network("outputs"),
    "weights times inputs": another_network("terms"),
    "weighted inputs": another_input("weighted inputs"),
    "places": another_input("places"),
    "powers": powers,
    "multiplier not 0": no_multiplier,
    "output room": flip(lambda b: b.layout.scales[0].room[0, :1]),
    "pool gaps": larger_than_all("gaps"),
    "pool member": larger_than_all("product"),
    "pool member is one": larger_than_all("none"),
    "choice bits": winner(fractional_choice),
    "one choice": winner(no_choice),
    "choice is best": winner(second_best),
    "right": winner(wrong_label),
    "right bits": winner(counted_twice),
    "best room": winner(flipped(lambda b: b.layout.winner.room[0, :1])),
    "margin": winner(flipped(lambda b: b.layout.winner.margin[0, :1])),
    "statement": statement,
    "statement value": statement_value,
}


@pytest.mark.parametrize("group", FORGERIES)
def test_without_the_group_a_forgery_would_hold(group: str, bench: Bench, flat: Bench) -> None:
    assert FORGERIES[group](bench, flat) == {group}


def test_every_group_has_its_forgery(bench: Bench, flat: Bench) -> None:
    assert bench.groups() | flat.groups() == set(FORGERIES)
