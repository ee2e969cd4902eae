"""`assay prove train`: from data to what a proof of accuracy needs: model, circuit, test samples."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from offchain.cli import options
from offchain.cli.files import require_folder
from offchain.cli.output import errors, print_facts
from offchain.cli.prove_inputs import read_circuit
from offchain.errors import Rejected

if TYPE_CHECKING:
    from offchain.data.dataset import Dataset
    from offchain.model.graph import IntegerNetwork
    from offchain.proofs.circuit import Circuit

TRAIN_FILE, TEST_FILE, CIRCUIT_FILE = "train.safetensors", "test.safetensors", "circuit.json"


def train(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="CSV, Parquet, NPZ, idx images, CIFAR-10 batches, a scikit-learn set by name; or an order's "
            "train.safetensors (see `assay private data`).",
        ),
    ],
    model: Annotated[str, typer.Option("--model", help="In a word, such as mlp:16 (without batch normalisation).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory to write to.")],
    label: Annotated[
        str | None, typer.Option("--label", help="Label column of a table, or file of idx labels.")
    ] = None,
    test_fraction: Annotated[
        float, typer.Option("--test-fraction", help="The part of DATA that is kept back as test samples.")
    ] = 0.2,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**31, help="Of split and training.")] = 0,
    samples: Annotated[int, typer.Option("--samples", min=1, max=65_535, help="Of a chunk, in the circuit.")] = 64,
    circuit: Annotated[
        Path | None, typer.Option("--circuit", help="An order's circuit, which the model has to fit.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Train a small model here, and write it with a circuit and test samples.

    The circuit has room for other models of the same shape, so it can be
    ordered in (`assay private put`), and the model claimed with.
    """
    require_folder(out, "--out")
    from offchain.federated.local_network import fit, task_circuit
    from offchain.model.export import write_files
    from offchain.model.files import GRAPH_FILE, WEIGHTS_FILE, encode_graph, encode_weights

    asked = None if circuit is None else read_circuit(circuit)
    rest, test = _parts(data, label, test_fraction, seed)
    with errors.status("training"):
        network = _trained(model, rest, seed, asked)
    made = task_circuit(network, samples) if asked is None else asked
    network = fit(made, network)
    files = {
        GRAPH_FILE: encode_graph(network),
        WEIGHTS_FILE: encode_weights(network),
        CIRCUIT_FILE: made.description(),
        TRAIN_FILE: rest.to_bytes(),
        TEST_FILE: test.to_bytes(),
    }
    write_files(files, out)
    facts = {
        "right": f"{_right(network, test)} of {len(test)} test samples",
        "circuit_hash": made.circuit_hash,
        "samples": made.samples,
        "files": ", ".join(str(out / name) for name in files),
    }
    print_facts(facts, title="Trained", as_json=as_json)


def _parts(location: str, label: str | None, fraction: float, seed: int) -> tuple["Dataset", "Dataset"]:
    """(training, test) samples, int8. A data set file is taken as it is, all else scaled by its training part."""
    from offchain.cli.prove_inputs import MAX_DATA_BYTES
    from offchain.data.dataset import Dataset
    from offchain.data.preprocessing import fit_preprocessing
    from offchain.data.source import load_source
    from offchain.data.split import split

    if location.endswith(".safetensors"):
        with Path(location).open("rb") as file:
            whole = Dataset.from_bytes(file.read(MAX_DATA_BYTES + 1), max_bytes=MAX_DATA_BYTES, name=location)
        return split(whole, fraction=fraction, seed=seed, stratify=True)
    raw = load_source(location, label=label)
    if raw.classes is None:
        raise Rejected(f"{location}: labels are numbers; accuracy is of classes, so name another --label")
    rest, test = split(raw, fraction=fraction, seed=seed, stratify=True)
    scaling = fit_preprocessing(rest)
    return scaling.apply(rest), scaling.apply(test)


def _trained(word: str, data: "Dataset", seed: int, circuit: "Circuit | None") -> "IntegerNetwork":
    """The best network of a small search. Raises Rejected when model and data do not fit."""
    from offchain.model.search import search
    from offchain.model.shorthand import spec_from_shorthand
    from offchain.protocol.scores import ScoreFunction

    outputs = int(data.labels.max()) + 1 if circuit is None else circuit.output_count
    spec = spec_from_shorthand(word, input_shape=data.shape, outputs=outputs, batch_norm=False)
    *_, best = search(spec, data, ScoreFunction.ACCURACY, seed=seed, should_stop=lambda: False)
    return best.network


def _right(network: "IntegerNetwork", data: "Dataset") -> int:
    from offchain.model.evaluator import evaluate
    from offchain.model.scores import total_score
    from offchain.protocol.scores import ScoreFunction

    return int(total_score(ScoreFunction.ACCURACY, evaluate(network, data.inputs), data.labels))
