"""Commitments that bind order, sender and content: keccak256 over `abi.encode`, as the contracts' NatSpec says.

A copied commitment is worthless, for each binds its sender. All raise `eth_abi` encoding errors only on a bug of the
caller: every value here has been checked before.
"""

from collections.abc import Sequence

from eth_abi.abi import encode
from eth_typing import ChecksumAddress
from eth_utils.crypto import keccak

from offchain.types import CidDigest, Commitment, OrderId, Root, Salt, TaskId


def client_commitment(
    client: ChecksumAddress, test_root: Root, sample_count: int, test_cid: CidDigest, salt: Salt
) -> Commitment:
    """What a client commits to with `put`: keccak256(abi.encode(client, testRoot, sampleCount, testCid, salt))."""
    types = ["address", "bytes32", "uint32", "bytes32", "bytes32"]
    return Commitment(keccak(encode(types, [client, test_root, sample_count, test_cid, salt])))


def claim_commitment(
    oid: OrderId, provider: ChecksumAddress, model_root: Root, cid: CidDigest, salt: Salt
) -> Commitment:
    """What a provider commits to with `claim`: keccak256(abi.encode(oid, provider, modelRoot, cid, salt))."""
    types = ["uint256", "address", "bytes32", "bytes32", "bytes32"]
    return Commitment(keccak(encode(types, [oid, provider, model_root, cid, salt])))


def scores_commitment(oid: OrderId, validator: ChecksumAddress, scores: Sequence[int], salt: Salt) -> Commitment:
    """What a validator commits to with `commitScores`: keccak256(abi.encode(oid, validator, scores, salt)).

    `scores` has one int64 for each revealed model, in order of reveal.
    """
    types = ["uint256", "address", "int64[]", "bytes32"]
    return Commitment(keccak(encode(types, [oid, validator, list(scores), salt])))


def update_commitment(
    chain_id: int,
    contract: ChecksumAddress,
    task: TaskId,
    number: int,
    sender: ChecksumAddress,
    root: Root,
    cid: CidDigest,
    samples: int,
    salt: Salt,
) -> Commitment:
    """What a participant of a federated task commits to in round `number`.

    keccak256(abi.encode(chain id, contract, task, round, sender, updateRoot, cid, samples, salt)).
    """
    types = ["uint256", "address", "uint256", "uint32", "address", "bytes32", "bytes32", "uint32", "bytes32"]
    return Commitment(keccak(encode(types, [chain_id, contract, task, number, sender, root, cid, samples, salt])))
