// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    IAvailabilityCourt,
    Item,
    NodeAnswer,
    Request,
    RequestStatus,
    Target
} from "./interfaces/IAvailabilityCourt.sol";
import { IOrderBook, Order, TestSet } from "./interfaces/IOrderBook.sol";
import { IParameters } from "./interfaces/IParameters.sol";
import { IProofOfTraining } from "./interfaces/IProofOfTraining.sol";
import { IStakeVault, Role } from "./interfaces/IStakeVault.sol";
import { Blobs } from "./libraries/Blobs.sol";
import { IndexedMerkle } from "./libraries/IndexedMerkle.sol";
import { Leaves } from "./libraries/Leaves.sol";
import { Lifecycle } from "./libraries/Lifecycle.sol";
import { ModelRules, OrderLimits, Surroundings } from "./libraries/ModelRules.sol";
import { ChunkOpening, Descriptor, Header, NodeOpening, Sample, Totals, UnitOpening } from "./libraries/ModelTree.sol";

/// @title AvailabilityCourt
contract AvailabilityCourt is IAvailabilityCourt {
    // What is compared below are kinds and indices, never a balance or a time.
    // slither-disable-start incorrect-equality

    uint256 private constant PPM = 1_000_000;

    IOrderBook private immutable _BOOK;
    IProofOfTraining private immutable _PROOF;
    IStakeVault private immutable _VAULT;

    uint256 private _count;
    mapping(uint256 id => Request) private _requests;
    mapping(bytes32 target => uint256 id) private _askedAs;

    constructor(IOrderBook orderBook_, IProofOfTraining proofOfTraining_, IStakeVault vault_) {
        _BOOK = orderBook_;
        _PROOF = proofOfTraining_;
        _VAULT = vault_;
    }

    /// @inheritdoc IAvailabilityCourt
    function request(Target calldata target) external returns (uint256 id) {
        _requireCanonical(target);
        bytes32 key = keccak256(abi.encode(target));
        if (_askedAs[key] != 0) revert AlreadyAsked(_askedAs[key]);
        _requireVerifier();
        Order memory order = _BOOK.getOrder(target.oid);
        _requireSomethingToAskFor(target);
        uint64 deadline = uint64(block.timestamp) + order.moveSeconds;
        id = ++_count;
        _askedAs[key] = id;
        _requests[id] = Request({
            asker: msg.sender,
            deadline: deadline,
            status: RequestStatus.Open,
            // parameters bound it far below
            bond: uint128(order.requestBond),
            target: target
        });
        emit Requested(id, target.oid, msg.sender, target, deadline, order.requestBond);
        _VAULT.lock(msg.sender, Role.Verifier, order.requestBond, bytes32(target.oid));
        _PROOF.disputeOpened(target.oid);
    }

    /// @inheritdoc IAvailabilityCourt
    function answerHeader(uint256 id, Header calldata header) external {
        Request memory asked = _answerable(id, Item.Header);
        _requireModel(asked.target, header);
        ModelRules.checkHeader(header, _BOOK.getOrder(asked.target.oid).terms.inputSize);
        _answer(id, asked, abi.encode(header));
    }

    /// @inheritdoc IAvailabilityCourt
    function answerNode(uint256 id, NodeAnswer calldata answer) external {
        Request memory asked = _answerable(id, Item.Node);
        Header calldata header = answer.opening.header;
        uint256 index = asked.target.node;
        _requireModel(asked.target, header);
        if (index >= header.nodes) return _answer(id, asked, abi.encode(header));
        Descriptor calldata node = answer.opening.node;
        _requireNode("node", header, node, index, answer.opening.proof);
        ModelRules.checkInputs(node, index);
        ModelRules.checkNode(node, _surroundings(answer, index), index, _limitsOf(asked.target.oid));
        _answer(id, asked, abi.encode(node, answer.opening.proof));
    }

    /// @inheritdoc IAvailabilityCourt
    function answerUnit(uint256 id, NodeOpening calldata opening, UnitOpening calldata unit) external {
        Request memory asked = _answerable(id, Item.Unit);
        if (!_showsNode(asked.target, opening)) return _answer(id, asked, abi.encode(opening.header));
        if (!_showsUnit(asked.target, opening.node, unit)) return _answer(id, asked, abi.encode(opening.node));
        ModelRules.checkUnit(opening.node, unit.unit);
        _answer(id, asked, abi.encode(unit.unit, unit.proof));
    }

    /// @inheritdoc IAvailabilityCourt
    function answerWeights(
        uint256 id,
        NodeOpening calldata opening,
        UnitOpening calldata unit,
        ChunkOpening calldata chunk
    ) external {
        Request memory asked = _answerable(id, Item.Weights);
        if (!_showsNode(asked.target, opening)) return _answer(id, asked, abi.encode(opening.header));
        bool shown =
            asked.target.chunk < Blobs.count(opening.node.rowBytes) && _showsUnit(asked.target, opening.node, unit);
        if (!shown) return _answer(id, asked, abi.encode(opening.node));
        _requireChunk("weights", unit.unit.weightRoot, opening.node.rowBytes, asked.target.chunk, chunk);
        _answer(id, asked, abi.encode(chunk.data, chunk.proof));
    }

    /// @inheritdoc IAvailabilityCourt
    function answerSample(uint256 id, Sample calldata sample, bytes32[] calldata proof, ChunkOpening calldata chunk)
        external
    {
        Request memory asked = _answerable(id, Item.Sample);
        Target memory target = asked.target;
        TestSet memory test = _BOOK.testSetOf(target.oid);
        uint256 size = _BOOK.getOrder(target.oid).terms.inputSize;
        if (target.unit >= test.sampleCount || target.chunk >= Blobs.count(size)) return _answer(id, asked, "");
        bytes32 root = IndexedMerkle.rootOfCalldata(Leaves.ofSample(sample), target.unit, test.sampleCount, proof);
        if (root != test.root) revert WrongOpening("sample", test.root, root);
        ModelRules.checkSample(sample);
        _requireChunk("input", sample.inputRoot, size, target.chunk, chunk);
        _answer(id, asked, abi.encode(sample, proof, chunk.data, chunk.proof));
    }

    /// @inheritdoc IAvailabilityCourt
    function expire(uint256 id) external {
        Request memory asked = _open(id);
        if (block.timestamp < asked.deadline) revert NotLate(id, asked.deadline);
        Target memory target = asked.target;
        _requests[id].status = RequestStatus.Expired;
        emit Expired(id, target.oid, target);
        if (target.item == Item.Sample) _PROOF.voidTest(target.oid, asked.asker);
        else _PROOF.voidModel(target.oid, target.modelIndex, asked.asker);
        _VAULT.unlock(asked.asker, Role.Verifier, asked.bond, bytes32(target.oid));
        _close(target.oid);
    }

    /// @inheritdoc IAvailabilityCourt
    function dismiss(uint256 id) external {
        Request memory asked = _open(id);
        if (!_isVoid(asked.target)) revert StillStanding(id);
        _requests[id].status = RequestStatus.Moot;
        emit Mooted(id);
        _VAULT.unlock(asked.asker, Role.Verifier, asked.bond, bytes32(asked.target.oid));
        // what made it void has stretched the window
        _PROOF.disputeClosed(asked.target.oid, 0);
    }

    /// @inheritdoc IAvailabilityCourt
    function requestOf(uint256 id) external view returns (Request memory) {
        return _known(id);
    }

    /// @inheritdoc IAvailabilityCourt
    function requestCount() external view returns (uint256) {
        return _count;
    }

    /// @inheritdoc IAvailabilityCourt
    function askedAs(Target calldata target) external view returns (uint256) {
        return _askedAs[keccak256(abi.encode(target))];
    }

    /// @inheritdoc IAvailabilityCourt
    function proofOfTraining() external view returns (address) {
        return address(_PROOF);
    }

    /// @inheritdoc IAvailabilityCourt
    function orderBook() external view returns (address) {
        return address(_BOOK);
    }

    /// @inheritdoc IAvailabilityCourt
    function vault() external view returns (address) {
        return address(_VAULT);
    }

    function _answer(uint256 id, Request memory asked, bytes memory payload) private {
        _requests[id].status = RequestStatus.Answered;
        emit Answered(id, msg.sender, payload, asked.bond);
        bytes32 ref = bytes32(asked.target.oid);
        _VAULT.slashLocked(asked.asker, Role.Verifier, asked.bond, msg.sender, PPM, ref);
        _close(asked.target.oid);
    }

    function _close(uint256 oid) private {
        _PROOF.disputeClosed(oid, uint64(block.timestamp) + _BOOK.getOrder(oid).terms.challengeSeconds);
    }

    /// @dev Everything could be asked for since the scores were committed. Whoever answers its own request has its bond
    /// back; if requests could begin in a window that requests have stretched, one could stretch it forever, for nothing.
    function _requireSomethingToAskFor(Target calldata target) private view {
        uint64 end = Lifecycle.challengeEnd(_BOOK.windowsOf(target.oid));
        if (block.timestamp >= end) revert TooLateToAsk(target.oid, end);
        bool exists = target.item == Item.Sample
            ? _BOOK.testSetOf(target.oid).sampleCount != 0
            : _PROOF.modelAt(target.oid, target.modelIndex).provider != address(0);
        if (!exists || _isVoid(target)) revert NothingToAskFor(target.oid);
    }

    function _requireVerifier() private view {
        if (_VAULT.isActive(msg.sender, Role.Verifier)) return;
        uint256 expected = IParameters(_VAULT.parameters()).minimumBond(Role.Verifier);
        revert NotAVerifier(msg.sender, expected, _VAULT.bondOf(msg.sender, Role.Verifier).bonded);
    }

    function _isVoid(Target memory target) private view returns (bool) {
        if (target.item == Item.Sample) return _PROOF.isTestVoid(target.oid);
        return _PROOF.isVoid(target.oid, target.modelIndex);
    }

    function _known(uint256 id) private view returns (Request memory asked) {
        asked = _requests[id];
        if (asked.status == RequestStatus.None) revert UnknownRequest(id);
    }

    function _open(uint256 id) private view returns (Request memory asked) {
        asked = _known(id);
        if (asked.status != RequestStatus.Open) revert NotOpen(id, asked.status);
    }

    function _answerable(uint256 id, Item item) private view returns (Request memory asked) {
        asked = _open(id);
        if (asked.target.item != item) revert WrongItem(id, asked.target.item, item);
        if (block.timestamp >= asked.deadline) revert TooLate(id, asked.deadline);
    }

    function _limitsOf(uint256 oid) private view returns (OrderLimits memory) {
        Order memory order = _BOOK.getOrder(oid);
        return OrderLimits({
            inputSize: order.terms.inputSize,
            outputSize: order.terms.outputSize,
            maxModelBytes: order.terms.maxModelBytes,
            maxTensorBytes: order.terms.maxTensorBytes
        });
    }

    function _requireModel(Target memory target, Header calldata header) private view {
        bytes32 expected = _PROOF.modelAt(target.oid, target.modelIndex).modelRoot;
        bytes32 actual = Leaves.ofHeader(header);
        if (actual != expected) revert WrongOpening("header", expected, actual);
    }

    /// @return whether there is the node asked for, which is then the one opened
    function _showsNode(Target memory target, NodeOpening calldata opening) private view returns (bool) {
        _requireModel(target, opening.header);
        if (target.node >= opening.header.nodes) return false;
        _requireNode("node", opening.header, opening.node, target.node, opening.proof);
        return true;
    }

    /// @return whether there is the unit asked for, which is then the one opened
    function _showsUnit(Target memory target, Descriptor calldata node, UnitOpening calldata opening)
        private
        pure
        returns (bool)
    {
        if (target.unit >= node.units) return false;
        if (opening.index != target.unit) revert WrongIndex(target.unit, opening.index);
        bytes32 leaf = Leaves.ofUnit(opening.unit);
        bytes32 root = IndexedMerkle.rootOfCalldata(leaf, target.unit, node.units, opening.proof);
        if (root != node.unitsRoot) revert WrongOpening("unit", node.unitsRoot, root);
        return true;
    }

    /// @dev What stands before the node: every shape comes from a leaf at its place under the same root.
    function _surroundings(NodeAnswer calldata answer, uint256 index) private pure returns (Surroundings memory at) {
        Header calldata header = answer.opening.header;
        at.nodes = header.nodes;
        if (index == 0) {
            at.before.elements = ModelRules.elementsOf(header.inputShape);
        } else {
            _requireNode("previous", header, answer.previous, index - 1, answer.previousProof);
            at.before = answer.previous.totals;
        }
        at.first = _shapeRead(answer, index, 0);
        if (ModelRules.readsTwo(answer.opening.node)) at.second = _shapeRead(answer, index, 1);
    }

    /// @return the shape of the node's input 0 or 1, whose id is known to be at most `index`
    function _shapeRead(NodeAnswer calldata answer, uint256 index, uint256 which)
        private
        pure
        returns (uint256[4] memory)
    {
        uint256 tensor = answer.opening.node.inputs[which];
        if (tensor == 0) return answer.opening.header.inputShape;
        if (tensor == index) return answer.previous.shape;
        Descriptor calldata source = answer.sources[which];
        _requireNode("source", answer.opening.header, source, tensor - 1, answer.sourceProofs[which]);
        return source.shape;
    }

    function _requireNode(
        string memory what,
        Header calldata header,
        Descriptor calldata node,
        uint256 index,
        bytes32[] calldata proof
    ) private pure {
        bytes32 root = IndexedMerkle.rootOfCalldata(Leaves.ofNode(node), index, header.nodes, proof);
        if (root != header.nodesRoot) revert WrongOpening(what, header.nodesRoot, root);
    }

    /// @dev `index` is less than the number of chunks.
    function _requireChunk(string memory what, bytes32 root, uint256 size, uint256 index, ChunkOpening calldata chunk)
        private
        pure
    {
        if (chunk.index != index) revert WrongIndex(index, chunk.index);
        bytes32 actual = Blobs.rootOf(chunk, size);
        if (actual != root) revert WrongOpening(what, root, actual);
    }

    function _requireCanonical(Target calldata target) private pure {
        bool ofModel = target.item == Item.Unit || target.item == Item.Weights;
        bool canonical = target.item != Item.None && (target.node == 0 || ofModel || target.item == Item.Node)
            && (target.unit == 0 || ofModel || target.item == Item.Sample)
            && (target.chunk == 0 || target.item == Item.Weights || target.item == Item.Sample)
            && (target.modelIndex == 0 || target.item != Item.Sample);
        if (!canonical) revert MalformedTarget();
    }

    // slither-disable-end incorrect-equality
}
