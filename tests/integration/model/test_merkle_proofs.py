"""Our proofs and leaf encodings, checked by OpenZeppelin's MerkleProof in the EVM."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from web3 import EthereumTesterProvider, Web3

from offchain.model.graph import IntegerNetwork, Node, Op
from offchain.model.roots import ModelTree, SampleTree
from tests.unit.model.networks import random_network

ROOT = Path(__file__).resolve().parents[3]
SUPPORT = Path("tests/contracts/support/MerkleHarness.sol")
LIBRARY = Path("@openzeppelin/contracts/utils/cryptography")


@pytest.fixture(scope="module")
def harness() -> Any:
    sources = {
        str(SUPPORT): ROOT / SUPPORT,
        **{str(LIBRARY / name): ROOT / "node_modules" / LIBRARY / name for name in ("MerkleProof.sol", "Hashes.sol")},
    }
    request = {
        "language": "Solidity",
        "sources": {name: {"content": path.read_text()} for name, path in sources.items()},
        "settings": {
            "evmVersion": "cancun",
            "optimizer": {"enabled": True, "runs": 1000},
            "outputSelection": {"*": {"MerkleHarness": ["abi", "evm.bytecode.object"]}},
        },
    }
    solc = ROOT / "scripts" / "solc"
    answer = subprocess.run([solc, "--standard-json"], input=json.dumps(request), capture_output=True, text=True)
    output = json.loads(answer.stdout)
    assert [error for error in output.get("errors", []) if error["severity"] == "error"] == []
    compiled = output["contracts"][str(SUPPORT)]["MerkleHarness"]
    web3 = Web3(EthereumTesterProvider())
    factory = web3.eth.contract(abi=compiled["abi"], bytecode=compiled["evm"]["bytecode"]["object"])
    receipt = web3.eth.wait_for_transaction_receipt(factory.constructor().transact())
    return web3.eth.contract(receipt["contractAddress"], abi=compiled["abi"]).functions


def padded(values: tuple[int, ...], length: int) -> list[int]:
    return [*values, *[0] * (length - len(values))]


def shape_words(shape: tuple[int, ...]) -> list[int]:
    return padded((len(shape), *shape), 4)


def descriptor(index: int, node: Node) -> tuple[Any, ...]:
    multipliers, shift = [0, 0], 0
    if node.op in (Op.ADD, Op.AVERAGE_POOL2D):
        assert node.requantisation is not None
        multipliers = padded(tuple(int(m) for m in node.requantisation.multiplier), 2)
        shift = int(node.requantisation.shift[0])
    inputs, output = padded(node.inputs, 2), shape_words(node.output_shape)
    return (
        index,
        int(node.op),
        inputs,
        output,
        node.low,
        node.high,
        node.kernel,
        node.stride,
        node.padding,
        multipliers,
        shift,
    )


def example() -> IntegerNetwork:
    ops = [Op.CONV2D, Op.DEPTHWISE_CONV2D, Op.ADD, Op.MAX_POOL2D, Op.AVERAGE_POOL2D, Op.DENSE]
    return random_network(ops, seed=5, input_shape=(8, 8, 3))


def test_the_contract_rebuilds_header_and_node_leaves(harness: Any) -> None:
    network = example()
    tree = ModelTree(network)
    scale = int(np.float64(network.output_scale).view(np.uint64))
    header = (shape_words(network.input_shape), len(network.nodes), scale)
    assert harness.provesHeader(tree.root, header, tree.prove_header().siblings).call()
    assert not harness.provesHeader(tree.root, (header[0], header[1] + 1, scale), tree.prove_header().siblings).call()
    for index, node in enumerate(network.nodes):
        words, proof = descriptor(index, node), tree.prove_node(index)
        assert harness.provesNode(tree.root, words, proof.siblings).call()
        assert not harness.provesNode(tree.root, (index + 1, *words[1:]), proof.siblings).call()


def test_the_contract_rebuilds_unit_leaves(harness: Any) -> None:
    network = example()
    tree = ModelTree(network)
    for index, node in enumerate(network.nodes):
        if node.weight is None:
            continue
        assert node.bias is not None
        assert node.requantisation is not None
        for unit in {0, len(node.weight) - 1}:
            scale = (int(node.requantisation.multiplier[unit]), int(node.requantisation.shift[unit]))
            words = (index, unit, int(node.bias[unit]), *scale)
            weights, proof = node.weight[unit].tobytes(), tree.prove_unit(index, unit)
            assert harness.provesUnit(tree.root, words, weights, proof.siblings).call()
            other = bytes([weights[0] ^ 1]) + weights[1:]
            assert not harness.provesUnit(tree.root, words, other, proof.siblings).call()


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13])
def test_the_contract_rebuilds_sample_leaves(harness: Any, count: int) -> None:
    rng = np.random.default_rng(count)
    inputs = rng.integers(-128, 128, (count, 3, 5, 2), dtype=np.int8)
    labels = rng.integers(-(2**23), 2**23, count).astype(np.int32)
    tree = SampleTree(inputs, labels)
    for index in range(count):
        proof, data, label = tree.prove(index).siblings, inputs[index].tobytes(), int(labels[index])
        assert harness.provesSample(tree.root, index, data, label, proof).call()
        assert not harness.provesSample(tree.root, index, data, label + 1, proof).call()
        assert not harness.provesSample(tree.root, index + 1, data, label, proof).call()
