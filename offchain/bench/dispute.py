"""What a dispute costs: gas and calldata by move, and the challenger's time beside one plain evaluation.

Whole games are played through the deployed contracts on Anvil, each move a transaction. The defendant lies about one
element of one node and tells the truth about everything before it, which is the longest story there is; the node and
the element are those whose game should cost most by the size of their operands, and a few of the next ones.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from offchain.bench.court_stage import CourtStage, Subject, court_stage
from offchain.bench.dispute_lie import Falsehood, LyingEvidence
from offchain.bench.dispute_networks import NETWORKS
from offchain.bench.gas import ARTIFACTS, ROOT, read_artifacts
from offchain.chain.court import Case, Court
from offchain.chain.enums import ScoreFunction
from offchain.dispute.evidence import Evidence, Work
from offchain.dispute.gain import rounds
from offchain.dispute.operands import calldata_size, plan_element
from offchain.dispute.solver import next_move
from offchain.dispute.state import Side, Verdict
from offchain.dispute.steps import elements_of
from offchain.errors import Bug, Rejected
from offchain.model.evaluator import evaluate
from offchain.model.graph import Int32Array, Int64Array, IntegerNetwork
from offchain.model.limits import MAX_TEST_SAMPLES
from offchain.model.roots import ModelTree, SampleTree
from offchain.model.scores import sample_scores

MOST_GAS = 3_000_000
MOST_MOVE_GAS = 1_000_000
CANDIDATES = 2
"""How many of the costliest places to lie about are played."""
TRIED_ELEMENTS = 16
"""How many elements of a node are compared for the size of their operands."""


@dataclass(frozen=True, slots=True)
class Played:
    """One move. `calldata` in bytes."""

    move: str
    side: str
    gas: int
    calldata: int


@dataclass(frozen=True, slots=True)
class Row:
    """The costliest game of a network and a number of samples.

    `node`, `op`: where the lie was. Times in seconds of CPU: `evaluation` of the test set alone, `roots` of model and
    test set (which everybody checks who scores), `game` for all of the challenger's decisions; `cpu_ratio` is
    (evaluation + game) / evaluation.
    """

    network: str
    samples: int
    node: int
    op: str
    moves: int
    gas: int
    worst_move: str
    worst_move_gas: int
    calldata: int
    worst_calldata: int
    evaluation: float
    roots: float
    game: float
    cpu_ratio: float
    by_move: tuple[Played, ...]


@dataclass(frozen=True, slots=True)
class _Scored:
    """A network, its test set, and what evaluating it took."""

    name: str
    network: IntegerNetwork
    work: Work
    scores: Int64Array
    labels: Int32Array
    evaluation: float
    roots: float


def run(samples: Sequence[int], networks: Sequence[str], seed: int) -> list[Row]:
    """Plays for each network (names of `NETWORKS`) and number of samples; the rows."""
    with TemporaryDirectory() as folder, court_stage(Path(folder)) as stage:
        court = Court(stage.contracts)
        return [
            max(_games(stage, court, _score(name, count, seed), seed), key=lambda row: row.gas)
            for name in networks
            for count in sorted({min(count, NETWORKS[name].most_samples) for count in samples})
        ]


def parse_samples(text: str) -> list[int]:
    """Sizes of test sets from `--samples`. Raises Rejected."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdigit() and 1 <= int(word) <= MAX_TEST_SAMPLES for word in words):
        raise Rejected(f"--samples {text}: give numbers from 1 to {MAX_TEST_SAMPLES}, with commas")
    return [int(word) for word in words]


def parse_networks(text: str | None) -> list[str]:
    """Names of networks from `--networks`. Raises Rejected."""
    names = [*NETWORKS] if text is None else [word.strip() for word in text.split(",")]
    unknown = [name for name in names if name not in NETWORKS]
    if unknown:
        raise Rejected(f"--networks: no network {unknown[0]!r}; there are {', '.join(NETWORKS)}")
    return names


def _score(name: str, count: int, seed: int) -> _Scored:
    network = NETWORKS[name].make(seed)
    rng = np.random.default_rng(seed)
    inputs = rng.integers(-127, 128, (count, *network.input_shape), dtype=np.int8)
    labels = rng.integers(0, int(np.prod(network.output_shape)), count, dtype=np.int32)
    evaluate(network, inputs[:8])
    begun = _cpu()
    scores = sample_scores(ScoreFunction.ACCURACY, evaluate(network, inputs), labels)
    evaluated = _cpu()
    model, tests = ModelTree(network), SampleTree(inputs, labels)
    hashed = _cpu()
    work = Work(network, model, tests, inputs, ScoreFunction.ACCURACY)
    return _Scored(name, network, work, scores, labels, evaluated - begun, hashed - evaluated)


def _games(stage: CourtStage, court: Court, scored: _Scored, seed: int) -> Iterator[Row]:
    count = len(scored.labels)
    sample = int(np.random.default_rng(seed).integers(count))
    for node, element in _places(scored, sample):
        liar = LyingEvidence(scored.work, scored.scores, scored.labels, Falsehood(sample, node, element))
        fresh = Evidence(scored.work, scored.scores)
        played, seconds = _play(stage, court, scored, fresh, liar)
        worst = max(played, key=lambda move: move.gas)
        yield Row(
            network=scored.name,
            samples=count,
            node=node,
            op=scored.network.nodes[node].op.name.lower(),
            moves=len(played),
            gas=sum(move.gas for move in played),
            worst_move=worst.move,
            worst_move_gas=worst.gas,
            calldata=sum(move.calldata for move in played),
            worst_calldata=max(move.calldata for move in played),
            evaluation=scored.evaluation,
            roots=scored.roots,
            game=seconds,
            cpu_ratio=(scored.evaluation + seconds) / scored.evaluation,
            by_move=tuple(played),
        )


def _places(scored: _Scored, sample: int) -> list[tuple[int, int]]:
    """The nodes and elements that should cost most: rounds of hashes first, then calldata of the step."""
    tensors = Evidence(scored.work, scored.scores).trace(sample)
    found = []
    for index, node in enumerate(scored.work.model.descriptors):
        size = elements_of(node.shape)
        first = tensors.data(node.inputs[0])
        elements = np.unique(np.linspace(0, size - 1, TRIED_ELEMENTS).astype(int))
        sizes = {
            int(element): calldata_size(node, len(scored.network.nodes), plan_element(node, int(element), first), 32)
            for element in elements
        }
        element = max(sizes, key=lambda place: sizes[place])
        found.append((rounds(-(-size // 1024)), sizes[element], index, element))
    return [(index, element) for _, _, index, element in sorted(found, reverse=True)[:CANDIDATES]]


def _play(
    stage: CourtStage, court: Court, scored: _Scored, honest: Evidence, liar: LyingEvidence
) -> tuple[list[Played], float]:
    """One game to its end, which must be that the validation is false; the moves, and the challenger's CPU seconds."""
    count = len(scored.labels)
    oid = stage.reveal(
        Subject(
            model_root=scored.work.model.root,
            test_root=scored.work.samples.root,
            samples=count,
            input_size=int(np.prod(scored.network.input_shape)),
            output_size=int(np.prod(scored.network.output_shape)),
            score_function=ScoreFunction.ACCURACY,
            claimed=liar.total(0, count),
        )
    )
    opened = stage.challenger.send(f"open:{oid}", court.open(oid, stage.defendant.address, 0))
    played = [Played("open", "challenger", opened.gas_used, 4 + 3 * 32)]
    seconds = 0.0
    while True:
        case = court.look(stage.client.head())[-1]
        side = case.dispute.on_turn
        if side is None:
            break
        move, spent = _move(court, case, side, honest if side is Side.CHALLENGER else liar)
        seconds += spent if side is Side.CHALLENGER else 0.0
        sender = stage.challenger if side is Side.CHALLENGER else stage.defendant
        call = court.move(case.id, move)
        receipt = sender.send(f"move:{case.id}:{len(played)}", call)
        data = bytes.fromhex(call._encode_transaction_data()[2:])
        played.append(Played(move.function, side.name.lower(), receipt.gas_used, len(data)))
    if case.dispute.verdict is not Verdict.FALSE:
        raise Bug(f"a false score stands: {scored.name}, dispute {case.id}")
    return played, seconds


def _move(court: Court, case: Case, side: Side, evidence: Evidence) -> tuple[Any, float]:
    posted = court.posted(case)
    begun = _cpu()
    move = next_move(case.dispute, posted, evidence, side)
    spent = _cpu() - begun
    if move is None:
        raise Bug(f"dispute {case.id}: {side.name.lower()} has no move at {case.dispute.stage.name}")
    return move, spent


def _cpu() -> float:
    return time.process_time()


def facts(seed: int) -> dict[str, object]:
    """What the figures depend on."""
    setting, _ = read_artifacts(ROOT / ARTIFACTS)
    return {
        "seed": seed,
        "compiler": f"solc {setting.compiler}, {setting.evm_version}, optimiser runs {setting.optimizer_runs}",
        "bounds": f"{MOST_GAS:,} gas in total, {MOST_MOVE_GAS:,} a move, 48 KiB of calldata",
    }


def table(rows: Sequence[Row]) -> Table:
    """The rows for a terminal."""
    caption = "KiB: calldata of the largest move. CPU: the challenger's, evaluation and game over evaluation."
    title = "The costliest dispute found, all moves of both players"
    shown = Table(title=title, caption=caption, box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("network", "lie at", "worst move"):
        shown.add_column(name, overflow="fold")
    for name in ("samples", "moves", "gas", "its gas", "KiB", "CPU"):
        shown.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        shown.add_row(
            row.network,
            f"node {row.node} {row.op}",
            row.worst_move,
            f"{row.samples:,}",
            str(row.moves),
            f"{row.gas:,}",
            f"{row.worst_move_gas:,}",
            f"{row.worst_calldata / 1024:.1f}",
            f"{row.cpu_ratio:.2f}",
        )
    return shown


def move_table(rows: Sequence[Row]) -> Table:
    """Each move of the costliest game of each network, for the largest test set."""
    shown = Table(title="Gas by move (largest test set)")
    for name in ("network", "move", "by"):
        shown.add_column(name)
    shown.add_column("gas", justify="right")
    shown.add_column("calldata", justify="right")
    largest = {row.network: row for row in sorted(rows, key=lambda row: row.samples)}
    for row in largest.values():
        for move in row.by_move:
            shown.add_row(row.network, move.move, move.side, f"{move.gas:,}", f"{move.calldata:,}")
        shown.add_section()
    return shown
