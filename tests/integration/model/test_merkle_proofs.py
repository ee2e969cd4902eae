"""Our roots, leaves and openings, followed by the contracts' own library in the EVM."""

import json
import subprocess
from contextlib import suppress
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from eth_abi.abi import encode
from eth_tester.exceptions import TransactionFailed
from eth_utils.crypto import keccak
from web3 import EthereumTesterProvider, Web3

from offchain.model.blobs import CHUNK, BlobTree, blob_root
from offchain.model.graph import IntegerNetwork, Op
from offchain.model.leaves import OPERANDS_ABI, Operands, UnitOpening
from offchain.model.merkle import root_of_all
from offchain.model.oracle import trace
from offchain.model.roots import ModelTree, SampleTree, TraceTree
from tests.unit.model.networks import random_inputs, random_network

ROOT = Path(__file__).resolve().parents[3]
SUPPORT = "tests/contracts/support/MerkleHarness.sol"
LIBRARY = "@openzeppelin/contracts/utils/cryptography/Hashes.sol"
OWN = ("contracts/libraries/IndexedMerkle.sol", "contracts/libraries/ModelTree.sol")


@pytest.fixture(scope="module")
def harness() -> Any:
    places = {name: ROOT / name for name in (SUPPORT, *OWN)} | {LIBRARY: ROOT / "node_modules" / LIBRARY}
    request = {
        "language": "Solidity",
        "sources": {name: {"content": path.read_text()} for name, path in places.items()},
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
    compiled = output["contracts"][SUPPORT]["MerkleHarness"]
    web3 = Web3(EthereumTesterProvider())
    factory = web3.eth.contract(abi=compiled["abi"], bytecode=compiled["evm"]["bytecode"]["object"])
    receipt = web3.eth.wait_for_transaction_receipt(factory.constructor().transact())
    return web3.eth.contract(receipt["contractAddress"], abi=compiled["abi"]).functions


def example() -> IntegerNetwork:
    ops = [Op.CONV2D, Op.DEPTHWISE_CONV2D, Op.ADD, Op.MAX_POOL2D, Op.AVERAGE_POOL2D, Op.DENSE]
    return random_network(ops, seed=5, input_shape=(8, 8, 3))


def test_the_contract_hashes_headers_and_nodes_alike(harness: Any) -> None:
    network = example()
    tree = ModelTree(network)
    assert harness.modelRoot(astuple(tree.header)).call() == tree.root
    for index in range(len(network.nodes)):
        opening = tree.open_node(index)
        assert harness.nodesRoot(astuple(opening)).call() == tree.header.nodes_root
        other = replace(opening, node=replace(opening.node, low=opening.node.low - 1))
        assert harness.nodesRoot(astuple(other)).call() != tree.header.nodes_root
        moved = replace(opening, node=replace(opening.node, index=len(network.nodes)))
        with pytest.raises(TransactionFailed):
            harness.nodesRoot(astuple(moved)).call()


def test_the_contract_hashes_units_and_their_weights_alike(harness: Any) -> None:
    network = example()
    tree = ModelTree(network)
    for index, node in enumerate(network.nodes):
        if node.weight is None:
            continue
        descriptor = tree.descriptors[index]
        for unit in {0, descriptor.units // 2, descriptor.units - 1}:
            opening = tree.open_unit(index, unit)
            assert harness.unitsRoot(astuple(opening), descriptor.units).call() == descriptor.units_root
            other = replace(opening, unit=replace(opening.unit, bias=opening.unit.bias ^ 1))
            assert harness.unitsRoot(astuple(other), descriptor.units).call() != descriptor.units_root
            chunk = tree.open_weights(index, unit, 0)
            assert harness.blobRoot(astuple(chunk), descriptor.row_bytes).call() == opening.unit.weight_root
            assert chunk.data == node.weight[unit].tobytes()[:CHUNK]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13])
def test_the_contract_hashes_samples_alike(harness: Any, count: int) -> None:
    rng = np.random.default_rng(count)
    inputs = rng.integers(-128, 128, (count, 3, 5, 2), dtype=np.int8)
    labels = rng.integers(-(2**23), 2**23, count).astype(np.int32)
    tree = SampleTree(inputs, labels)
    for index in range(count):
        sample, proof = tree.sample(index), tree.prove(index)
        assert harness.rootOfTest(astuple(sample), index, count, proof).call() == tree.root
        other = replace(sample, label=sample.label + 1)
        assert harness.rootOfTest(astuple(other), index, count, proof).call() != tree.root
        assert harness.blobRoot(astuple(tree.open_input(index, 0)), 30).call() == sample.input_root


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 3000, 33 * 1024, 70_001])
def test_the_contract_follows_every_chunk_of_a_blob(harness: Any, size: int) -> None:
    data = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8).tobytes()
    tree = BlobTree(data)
    assert tree.root == blob_root(data)
    for index in {0, 1, tree.chunks // 2, tree.chunks - 2, tree.chunks - 1} & set(range(tree.chunks)):
        opening = tree.open(index)
        assert harness.blobRoot(astuple(opening), size).call() == tree.root
        for other in {index ^ 1, index + 1}:
            moved = harness.blobRoot(astuple(replace(opening, index=other)), size)
            with suppress(TransactionFailed):
                assert moved.call() != tree.root


@pytest.mark.parametrize("chunks", [1, 2, 31, 32, 33, 64, 65, 1000, 1024])
def test_what_the_game_posts_of_a_blob_leads_to_its_root(harness: Any, chunks: int) -> None:
    data = np.random.default_rng(chunks).integers(0, 256, chunks * CHUNK - 5, dtype=np.uint8).tobytes()
    tree = BlobTree(data)
    hashes = tree.hashes(0, chunks)
    assert len(hashes) <= 32
    assert harness.rootOfAll(hashes).call() == tree.root == root_of_all(hashes)
    if chunks > 32:
        for index, subtree in enumerate(hashes):
            below = tree.hashes(index * 32, min(32, chunks - index * 32))
            assert harness.rootOfAll(below).call() == subtree
            assert below[-1] == keccak(tree.chunk(index * 32 + len(below) - 1))


def test_a_trace_and_operands_are_encoded_alike(harness: Any) -> None:
    network = example()
    tensors = [tensor[0] for tensor in trace(network, random_inputs(1, 1, network.input_shape))]
    found = TraceTree(network, tensors)
    for tensor in range(len(tensors)):
        opening = found.open(tensor)
        assert harness.traceRoot(astuple(opening), tensor, len(tensors)).call() == found.root
        assert harness.blobRoot(astuple(found.blob(tensor).open(0)), len(found.data(tensor))).call() == opening.root
    model = ModelTree(network)
    operands = Operands(
        node=model.open_node(0),
        unit=model.open_unit(0, 1),
        weights=(model.open_weights(0, 1, 0),),
        tensors=(found.open(0),),
        first=(found.blob(0).open(0),),
        second=(),
    )
    expected = keccak(encode([OPERANDS_ABI], [astuple(operands)]))
    assert harness.operandsHash(astuple(operands)).call() == expected
    without = replace(operands, unit=UnitOpening(), weights=())
    assert harness.operandsHash(astuple(without)).call() == keccak(encode([OPERANDS_ABI], [astuple(without)]))
