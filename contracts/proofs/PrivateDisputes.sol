// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { NodeLayout, PieceClaim, UnitPlace } from "../interfaces/IHandoverVerifier.sol";
import {
    ChunkProof,
    Fault,
    IPrivateOrders,
    PieceOpening,
    PrivatePhase,
    PrivateTerms
} from "../interfaces/IPrivateOrders.sol";
import { IVerifierRegistry } from "../interfaces/IVerifierRegistry.sol";
import { IndexedMerkle } from "../libraries/IndexedMerkle.sol";
import { PrivateOrdersState } from "./PrivateOrdersState.sol";
import { SealedPieces } from "./SealedPieces.sol";

/// @title Whether somebody got what was committed to
/// @notice Each dispute is one transaction and needs no answer but a request for pieces, which has a clock.
abstract contract PrivateDisputes is PrivateOrdersState {
    /// @dev of the sponge (docs/proofs.md)
    uint256 private constant MODEL = 1;
    uint256 private constant CHUNK = 2;
    /// @dev kind of a chunk's leaf
    uint256 private constant CHUNK_LEAF = 9;
    /// @dev a winner has `answerSeconds` for each so many pieces: blocks do not hold more of them
    uint256 private constant PIECES_AT_ONCE = 256;

    /// @inheritdoc IPrivateOrders
    function request(uint256 oid, uint256 first, uint256 count) external nonReentrant onlyClient(oid) {
        _requirePhase(oid, PrivatePhase.Dispute);
        Record storage r = _records[oid];
        PieceRequest storage asked = r.request;
        if (asked.left != 0) revert RequestPending(oid, asked.left);
        // otherwise requests could stretch the window in which one can request
        if (block.timestamp >= r.requestUntil) revert TooLateToRequest(oid, r.requestUntil, uint64(block.timestamp));
        PrivateTerms storage terms = _terms[oid];
        uint256 pieces = SealedPieces.count(terms.elements);
        if (count == 0 || first >= pieces || count > pieces - first) revert PiecesOutOfRange(pieces, first, count);
        uint256 turns = (count + PIECES_AT_ONCE - 1) / PIECES_AT_ONCE;
        // each turn that is begun counts
        // slither-disable-next-line divide-before-multiply
        uint64 until = uint64(block.timestamp + turns * terms.answerSeconds);
        asked.number += 1;
        // both are at most the number of pieces, below 2^16
        // forge-lint: disable-next-line(unsafe-typecast)
        (asked.first, asked.count, asked.left) = (uint32(first), uint32(count), uint32(count));
        asked.until = until;
        uint256 bond = count * terms.requestBond;
        emit PiecesRequested(oid, first, count, bond, until);
        _take(oid, msg.sender, bond);
    }

    /// @inheritdoc IPrivateOrders
    function answer(uint256 oid, uint256 index, PieceOpening calldata piece) external nonReentrant {
        _requirePhase(oid, PrivatePhase.Dispute);
        if (!_isMissing(oid, index)) revert NotRequested(oid, index);
        PrivateTerms storage terms = _terms[oid];
        Record storage r = _records[oid];
        _requirePiece(r.handover.root, index, SealedPieces.count(terms.elements), piece);
        PieceRequest storage asked = r.request;
        uint256 at = index - asked.first;
        _answered[oid][asked.number][at >> 8] |= 1 << (at & 255);
        asked.left -= 1;
        if (asked.left == 0) {
            uint64 until = uint64(block.timestamp) + terms.disputeSeconds;
            if (until > r.disputeUntil) r.disputeUntil = until;
        }
        emit PieceAnswered(oid, index, piece.data);
        _give(oid, r.winner, terms.requestBond);
    }

    /// @inheritdoc IPrivateOrders
    function disputeKey(uint256 oid, bytes32 privateKey, bytes32 nextKey) external nonReentrant onlyClient(oid) {
        _requirePhase(oid, PrivatePhase.Dispute);
        Record storage r = _records[oid];
        bytes32 publicKey = _VERIFIER.publicKeyOf(privateKey);
        if (publicKey != r.clientKey) revert WrongClientKey(oid, r.clientKey, publicKey);
        bytes32 context = _context(oid, r.winner, publicKey, r.handover.ephemeralKey);
        (bytes32 key, bool usable) =
            _VERIFIER.unseal(privateKey, r.handover.ephemeralKey, context, r.handover.sealedKey);
        if (usable && keccak256(abi.encode(key)) == r.handover.keyHash) revert NoFault(oid);
        r.clientKey = nextKey;
        emit ClientKeyReplaced(oid, nextKey);
        _faulty(oid, Fault.WrongKey);
    }

    /// @inheritdoc IPrivateOrders
    function disputePiece(
        uint256 oid,
        bytes32 dataKey,
        uint256 index,
        PieceOpening calldata previous,
        PieceOpening calldata piece
    ) external nonReentrant onlyClient(oid) {
        PieceClaim memory shown = _shown(oid, dataKey, index);
        uint256 pieces = SealedPieces.count(shown.elements);
        _requireOpened(_records[oid].handover.root, index, pieces, index == 0, previous, piece);
        if (!_VERIFIER.breaksMessage(shown, previous.data, piece.data)) revert NoFault(oid);
        _faulty(oid, Fault.WrongPiece);
    }

    /// @inheritdoc IPrivateOrders
    function disputeMultiplier(
        uint256 oid,
        bytes32 dataKey,
        uint256 shift,
        NodeLayout[] calldata layout,
        UnitPlace calldata place,
        uint256 index,
        PieceOpening calldata piece
    ) external nonReentrant onlyClient(oid) {
        PieceClaim memory shown = _shown(oid, dataKey, index);
        bytes32 actual = keccak256(abi.encode(shift, layout));
        if (actual != _terms[oid].layoutHash) revert WrongLayout(oid, _terms[oid].layoutHash, actual);
        _requirePiece(_records[oid].handover.root, index, SealedPieces.count(shown.elements), piece);
        if (!_VERIFIER.breaksMultiplier(shown, shift, layout, place, piece.data)) revert NoFault(oid);
        _faulty(oid, Fault.WrongMultiplier);
    }

    /// @inheritdoc IPrivateOrders
    function disputeTest(
        uint256 oid,
        ChunkProof calldata chunk,
        uint256 index,
        PieceOpening calldata previous,
        PieceOpening calldata piece
    ) external nonReentrant {
        _requirePhase(oid, PrivatePhase.Prove);
        if (!_records[oid].released) revert NoFault(oid);
        if (!_breaksTest(oid, chunk, index, previous, piece)) revert NoFault(oid);
        emit TestSetFaulty(oid, msg.sender, chunk.chunk, index);
        _share(oid);
    }

    function _shown(uint256 oid, bytes32 dataKey, uint256 index) private view returns (PieceClaim memory shown) {
        _requirePhase(oid, PrivatePhase.Dispute);
        Record storage r = _records[oid];
        bytes32 actual = keccak256(abi.encode(dataKey));
        if (actual != r.handover.keyHash) revert WrongDataKey(oid, r.handover.keyHash, actual);
        // slither-disable-next-line unused-return
        (, uint256 modelHash,,) = _PROOFS.proverOf(r.round, r.winner);
        return PieceClaim(dataKey, MODEL, _terms[oid].elements, index, index, modelHash);
    }

    /// @dev The digest that the chunk must have is what its leaf in the order's tree says.
    function _breaksTest(
        uint256 oid,
        ChunkProof calldata chunk,
        uint256 index,
        PieceOpening calldata previous,
        PieceOpening calldata piece
    ) private view returns (bool) {
        PrivateTerms storage terms = _terms[oid];
        _requireChunk(chunk, terms);
        // slither-disable-next-line unused-return
        (, uint256 samples) = IVerifierRegistry(_PROOFS.registry()).verifierOf(terms.verifier);
        uint256 elements = _VERIFIER.chunkElements(samples, terms.sampleSize);
        uint256 each = SealedPieces.count(elements);
        if (index >= each) revert PiecesOutOfRange(each, index, 1);
        uint256 number = chunk.chunk * each + index;
        _requireOpened(terms.testRoot, number, each * terms.chunks, index == 0, previous, piece);
        PieceClaim memory shown = PieceClaim(_records[oid].testKey, CHUNK, elements, index, number, chunk.chunkHash);
        return _VERIFIER.breaksMessage(shown, previous.data, piece.data)
            || _VERIFIER.overfillsChunk(shown, samples, terms.sampleSize, piece.data);
    }

    function _requireChunk(ChunkProof calldata chunk, PrivateTerms storage terms) private view {
        bytes32 leaf = keccak256(abi.encode(CHUNK_LEAF, chunk.chunkHash));
        bytes32 root = IndexedMerkle.rootOfCalldata(leaf, chunk.chunk, terms.chunks, chunk.path);
        if (root != terms.chunkRoot) revert WrongChunkOpening(chunk.chunk, terms.chunkRoot, root);
    }

    /// @dev The piece, and the one before it unless it is a message's first, are of the file.
    function _requireOpened(
        bytes32 root,
        uint256 number,
        uint256 pieces,
        bool first,
        PieceOpening calldata previous,
        PieceOpening calldata piece
    ) private pure {
        _requirePiece(root, number, pieces, piece);
        if (!first) _requirePiece(root, number - 1, pieces, previous);
    }

    function _requirePiece(bytes32 root, uint256 index, uint256 pieces, PieceOpening calldata piece) private pure {
        bytes32 actual = IndexedMerkle.rootOfCalldata(SealedPieces.leafOf(piece.data), index, pieces, piece.proof);
        if (actual != root) revert WrongPieceOpening(index, root, actual);
    }

    /// @dev The winner loses its bond; the next best follows, if there is one.
    function _faulty(uint256 oid, Fault fault) internal virtual;

    /// @dev The claimants share the reward and have their bonds back.
    function _share(uint256 oid) internal virtual;
}
