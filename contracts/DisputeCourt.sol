// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { Dispute, IDisputeCourt, Stage, TracePosting, Verdict } from "./interfaces/IDisputeCourt.sol";
import { IOrderBook, Order, TestSet } from "./interfaces/IOrderBook.sol";
import { IProofOfTraining } from "./interfaces/IProofOfTraining.sol";
import { IStakeVault } from "./interfaces/IStakeVault.sol";
import { IStepVerifier, Question } from "./interfaces/IStepVerifier.sol";
import { Blobs } from "./libraries/Blobs.sol";
import { IndexedMerkle } from "./libraries/IndexedMerkle.sol";
import { Leaves } from "./libraries/Leaves.sol";
import { Descriptor, NodeOpening, Operands, UnitOpening } from "./libraries/ModelTree.sol";
import { OperationRules } from "./libraries/OperationRules.sol";
import { Segments } from "./libraries/Segments.sol";
import { DisputeState } from "./DisputeState.sol";

/// @title DisputeCourt
/// @notice The moves. Each checks whose turn it is, then what was posted or picked, and hands the turn on or closes.
contract DisputeCourt is DisputeState {
    using SafeCast for int256;
    using SafeCast for uint256;

    uint256 private constant MAX_NODES = 512;
    /// @dev Chunks below one hash that is posted while there are more than so many.
    uint32 private constant BRANCH = 32;
    /// @dev Bytes of an element of the last tensor.
    uint256 private constant OUTPUT_WIDTH = 4;

    constructor(IOrderBook orderBook_, IProofOfTraining proofOfTraining_, IStakeVault vault_, IStepVerifier verifier_)
        DisputeState(orderBook_, proofOfTraining_, vault_, verifier_)
    { }

    /// @inheritdoc IDisputeCourt
    function postSums(uint256 id, int64[] calldata sums) external {
        Dispute storage d = _turn(id, Stage.Sums);
        (uint32 low, uint32 high) = (d.low, d.high);
        _requireCount(Segments.count(low, high), sums.length);
        _requireValue(d, _sum(sums));
        d.posted = keccak256(abi.encode(sums));
        emit SumsPosted(id, low, high, sums);
        _advance(id, d, Stage.PickSum);
    }

    /// @inheritdoc IDisputeCourt
    function pickSum(uint256 id, int64[] calldata sums, uint256 index) external {
        Dispute storage d = _turn(id, Stage.PickSum);
        _requireChoice(d, keccak256(abi.encode(sums)), sums.length, index);
        (uint32 low, uint32 high) = Segments.at(d.low, d.high, index);
        (d.low, d.high, d.value) = (low, high, sums[index]);
        emit SumPicked(id, low, high, sums[index]);
        _advance(id, d, high - low == 1 ? Stage.Trace : Stage.Sums);
    }

    /// @inheritdoc IDisputeCourt
    function postTrace(uint256 id, TracePosting calldata posting) external {
        Dispute storage d = _turn(id, Stage.Trace);
        uint256 nodes = posting.roots.length;
        _requireRoot(_modelRoot(d), Leaves.ofHeader(posting.header));
        _requireCount(posting.header.nodes, nodes);
        if (nodes == 0 || nodes > MAX_NODES) revert WrongCount(MAX_NODES, nodes);
        _requireSample(d, posting);
        _requireOutput(d, posting);
        bytes32 traceRoot = _traceRoot(posting.sample.inputRoot, posting.roots);
        d.traceRoot = traceRoot;
        d.nodes = uint16(nodes);
        emit TracePosted(id, d.low, traceRoot, posting.sample.inputRoot, posting.roots, posting.output);
        _advance(id, d, Stage.PickTensor);
    }

    /// @inheritdoc IDisputeCourt
    function pickTensor(uint256 id, NodeOpening calldata opening, bytes32 root, bytes32[] calldata proof) external {
        Dispute storage d = _turn(id, Stage.PickTensor);
        _requireNode(d, opening);
        _requireRoot(d.traceRoot, IndexedMerkle.rootOfCalldata(root, opening.node.index + 1, d.nodes + 1, proof));
        _setTensor(d, opening.node, root);
        emit TensorPicked(id, d.node, d.op, root, d.size);
        _advance(id, d, d.count > 1 ? Stage.Hashes : Stage.Chunk);
    }

    /// @inheritdoc IDisputeCourt
    function postHashes(uint256 id, bytes32[] calldata hashes) external {
        Dispute storage d = _turn(id, Stage.Hashes);
        uint32 count = d.count;
        _requireCount(count > BRANCH ? (count - 1) / BRANCH + 1 : count, hashes.length);
        _requireRoot(d.blob, IndexedMerkle.rootOfAll(hashes));
        d.posted = keccak256(abi.encode(hashes));
        emit HashesPosted(id, d.base, hashes);
        _advance(id, d, Stage.PickHash);
    }

    /// @inheritdoc IDisputeCourt
    function pickHash(uint256 id, bytes32[] calldata hashes, uint256 index) external {
        Dispute storage d = _turn(id, Stage.PickHash);
        _requireChoice(d, keccak256(abi.encode(hashes)), hashes.length, index);
        (uint32 base, uint32 count) = (d.base, d.count);
        // `hashes` is as long as `count` demands, so no start lies beyond the chunks in play
        if (count > BRANCH) {
            uint32 start = uint32(index) * BRANCH;
            (base, count) = (base + start, count - start < BRANCH ? count - start : BRANCH);
        } else {
            (base, count) = (base + uint32(index), 1);
        }
        d.blob = hashes[index];
        (d.base, d.count) = (base, count);
        emit HashPicked(id, base, count, hashes[index]);
        _advance(id, d, count > 1 ? Stage.Hashes : Stage.Chunk);
    }

    /// @inheritdoc IDisputeCourt
    function postChunk(uint256 id, bytes calldata chunk) external {
        Dispute storage d = _turn(id, Stage.Chunk);
        _requireCount(Blobs.sizeOf(d.size, d.base), chunk.length);
        _requireRoot(d.blob, keccak256(chunk));
        emit ChunkPosted(id, d.base, chunk);
        _advance(id, d, Stage.PickElement);
    }

    /// @inheritdoc IDisputeCourt
    function compute(uint256 id, uint32 element, bytes calldata chunk, Operands calldata operands)
        external
        nonReentrant
    {
        Dispute storage d = _turn(id, Stage.PickElement);
        int64 claimed = _claimed(d, element, chunk);
        int256 computed = _VERIFIER.element(_question(d, element), operands);
        emit Computed(id, d.node, element, 0, 0, claimed, computed.toInt64());
        _close(id, d, computed == claimed ? Verdict.Stands : Verdict.False, false);
    }

    /// @inheritdoc IDisputeCourt
    function contest(uint256 id, uint32 element, bytes calldata chunk, NodeOpening calldata opening) external {
        Dispute storage d = _turn(id, Stage.PickElement);
        int64 claimed = _claimed(d, element, chunk);
        if (_terms(d, opening) < 2) revert Indivisible(id);
        (d.element, d.value) = (element, claimed);
        emit ElementPicked(id, element, claimed);
        _advance(id, d, Stage.Parts);
    }

    /// @inheritdoc IDisputeCourt
    function postParts(uint256 id, int64[] calldata parts, NodeOpening calldata opening, UnitOpening calldata unit)
        external
    {
        Dispute storage d = _turn(id, Stage.Parts);
        (uint32 from, uint32 to) = (d.from, d.to);
        bool whole = to == 0;
        if (whole) to = _terms(d, opening);
        _requireCount(Segments.count(from, to), parts.length);
        if (whole) {
            _requireValue(d, _VERIFIER.finish(_question(d, d.element), opening, unit, parts));
            d.to = to;
        } else {
            _requireValue(d, d.op == OperationRules.MAX_POOL2D ? _largest(parts) : _sum(parts));
        }
        d.posted = keccak256(abi.encode(parts));
        emit PartsPosted(id, from, to, parts);
        _advance(id, d, Stage.PickPart);
    }

    /// @inheritdoc IDisputeCourt
    function computePart(uint256 id, int64[] calldata parts, uint256 index, Operands calldata operands)
        external
        nonReentrant
    {
        Dispute storage d = _turn(id, Stage.PickPart);
        (uint32 from, uint32 to) = _pickPart(d, parts, index);
        int256 computed = _VERIFIER.part(_question(d, d.element), from, to, operands);
        emit Computed(id, d.node, d.element, from, to, parts[index], computed.toInt64());
        _close(id, d, computed == parts[index] ? Verdict.Stands : Verdict.False, false);
    }

    /// @inheritdoc IDisputeCourt
    function contestPart(uint256 id, int64[] calldata parts, uint256 index) external {
        Dispute storage d = _turn(id, Stage.PickPart);
        (uint32 from, uint32 to) = _pickPart(d, parts, index);
        if (to - from < 2) revert Indivisible(id);
        (d.from, d.to, d.value) = (from, to, parts[index]);
        emit PartPicked(id, from, to, parts[index]);
        _advance(id, d, Stage.Parts);
    }

    /// @dev Puts the output of `node` in play, all of its chunks.
    function _setTensor(Dispute storage d, Descriptor calldata node, bytes32 root) private {
        uint16 index = node.index.toUint16();
        uint256 width = index + 1 == d.nodes ? OUTPUT_WIDTH : 1;
        uint32 size = (OperationRules.elementsOf(node.shape) * width).toUint32();
        d.blob = root;
        (d.node, d.count, d.size, d.op) = (index, uint32(Blobs.count(size)), size, node.op.toUint8());
    }

    function _pickPart(Dispute storage d, int64[] calldata parts, uint256 index)
        private
        view
        returns (uint32 from, uint32 to)
    {
        _requireChoice(d, keccak256(abi.encode(parts)), parts.length, index);
        return Segments.at(d.from, d.to, index);
    }

    /// @dev That the sample in play is what the trace begins with.
    function _requireSample(Dispute storage d, TracePosting calldata posting) private view {
        TestSet memory test = _BOOK.testSetOf(d.oid);
        bytes32 leaf = Leaves.ofSample(posting.sample);
        _requireRoot(test.root, IndexedMerkle.rootOfCalldata(leaf, d.low, test.sampleCount, posting.sampleProof));
    }

    /// @dev That the output is the last tensor's and scores what the defendant claims.
    function _requireOutput(Dispute storage d, TracePosting calldata posting) private view {
        Order memory order = _BOOK.getOrder(d.oid);
        uint256 size = OUTPUT_WIDTH * order.terms.outputSize;
        if (posting.output.length != size) revert WrongOutputSize(size, posting.output.length);
        _requireRoot(posting.roots[posting.roots.length - 1], _blobRoot(posting.output));
        int64 score = _VERIFIER.sampleScore(order.terms.scoreFunction, posting.output, posting.sample.label);
        if (score != d.value) revert WrongScore(d.value, score);
    }

    /// @dev That the node is one of the model's, at its index.
    function _requireNode(Dispute storage d, NodeOpening calldata opening) private view {
        _requireRoot(_modelRoot(d), Leaves.ofHeader(opening.header));
        bytes32 leaf = Leaves.ofNode(opening.node);
        uint256 nodes = opening.header.nodes;
        bytes32 root = IndexedMerkle.rootOfCalldata(leaf, opening.node.index, nodes, opening.proof);
        _requireRoot(opening.header.nodesRoot, root);
    }

    /// @dev That `list` is what was posted, and `index` in it.
    function _requireChoice(Dispute storage d, bytes32 list, uint256 count, uint256 index) private view {
        if (list != d.posted) revert WrongList(d.posted, list);
        if (index >= count) revert NoSuchChoice(count, index);
    }

    function _requireValue(Dispute storage d, int256 actual) private view {
        if (actual != d.value) revert WrongSum(d.value, actual);
    }

    /// @return what the defendant says of an element that lies in the chunk in play
    function _claimed(Dispute storage d, uint32 element, bytes calldata chunk) private view returns (int64) {
        bytes32 actual = keccak256(chunk);
        if (actual != d.blob) revert WrongList(d.blob, actual);
        uint256 width = d.node + 1 == d.nodes ? OUTPUT_WIDTH : 1;
        uint256 start = d.base * Blobs.CHUNK;
        uint256 at = element * width;
        if (at < start || at - start >= chunk.length) revert NoSuchChoice(d.size / width, element);
        at -= start;
        if (width == 1) return int8(uint8(chunk[at]));
        return int32(uint32(bytes4(chunk[at:at + OUTPUT_WIDTH])));
    }

    function _terms(Dispute storage d, NodeOpening calldata opening) private view returns (uint32) {
        return _VERIFIER.terms(_modelRoot(d), d.node, opening).toUint32();
    }

    function _question(Dispute storage d, uint32 element) private view returns (Question memory) {
        return Question({ modelRoot: _modelRoot(d), traceRoot: d.traceRoot, node: d.node, element: element });
    }

    function _modelRoot(Dispute storage d) private view returns (bytes32) {
        return _PROOF.modelAt(d.oid, d.modelIndex).modelRoot;
    }

    function _blobRoot(bytes calldata data) private pure returns (bytes32) {
        bytes32[] memory level = new bytes32[](Blobs.count(data.length));
        for (uint256 i = 0; i < level.length; ++i) {
            uint256 start = i * Blobs.CHUNK;
            level[i] = keccak256(data[start:start + Blobs.sizeOf(data.length, i)]);
        }
        return IndexedMerkle.rootOfAll(level);
    }

    function _traceRoot(bytes32 inputRoot, bytes32[] calldata roots) private pure returns (bytes32) {
        bytes32[] memory level = new bytes32[](roots.length + 1);
        level[0] = inputRoot;
        // A loop over 512 of them would cost as much as hashing them
        assembly ("memory-safe") {
            calldatacopy(add(level, 64), roots.offset, shl(5, roots.length))
        }
        return IndexedMerkle.rootOfAll(level);
    }

    /// @dev At most 32 values are ever given, so nothing overflows.
    function _sum(int64[] calldata values) private pure returns (int256 sum) {
        for (uint256 i = 0; i < values.length; ++i) {
            sum += values[i];
        }
    }

    /// @param values at least one
    function _largest(int64[] calldata values) private pure returns (int256 largest) {
        largest = values[0];
        for (uint256 i = 1; i < values.length; ++i) {
            if (values[i] > largest) largest = values[i];
        }
    }

    function _requireCount(uint256 expected, uint256 actual) private pure {
        if (actual != expected) revert WrongCount(expected, actual);
    }

    function _requireRoot(bytes32 expected, bytes32 actual) private pure {
        if (actual != expected) revert WrongRoot(expected, actual);
    }
}
