// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { CoordinateEvidence, IAggregateVerifier } from "../interfaces/IAggregateVerifier.sol";
import {
    ColumnAnswer,
    FederatedGame,
    FederatedStage,
    FederatedVerdict,
    IFederatedCourt,
    LeafOpening,
    Subject
} from "../interfaces/IFederatedCourt.sol";
import { Mode, Posting } from "../interfaces/FederatedTypes.sol";
import { IFederatedTraining } from "../interfaces/IFederatedTraining.sol";
import { IParameters } from "../interfaces/IParameters.sol";
import { IStakeVault } from "../interfaces/IStakeVault.sol";
import { IndexedMerkle } from "../libraries/IndexedMerkle.sol";
import { Segments } from "../libraries/Segments.sol";
import { AggregateRules } from "./AggregateRules.sol";
import { FederatedGames } from "./FederatedGames.sol";
import { AggregateVerifier } from "./AggregateVerifier.sol";
import { ServerSteps } from "./ServerSteps.sol";
import { Vectors } from "./Vectors.sol";
import { KrumScores } from "./rules/KrumScores.sol";

/// @title FederatedCourt
/// @notice The moves. Each checks whose turn it is, then what was shown or picked, and hands the turn on or closes.
contract FederatedCourt is FederatedGames {
    using SafeCast for uint256;

    IAggregateVerifier private immutable _VERIFIER;

    constructor(IFederatedTraining federation_, IStakeVault vault_, IParameters parameters_)
        FederatedGames(federation_, vault_, parameters_)
    {
        _VERIFIER = new AggregateVerifier();
    }

    /// @inheritdoc IFederatedCourt
    function challenge(uint256 task, Subject subject) external nonReentrant returns (uint256 id) {
        if (subject == Subject.None) revert SubjectRequired();
        Posting memory p = _FEDERATION.postingOf(task);
        FederatedGame storage g;
        (id, g) = _begin(task, p, subject, true, 0, 0);
        if (subject == Subject.Result) _enter(id, g, p.resultRoot, Vectors.chunks(p.dimension));
        else _enter(id, g, p.measuresRoot, AggregateRules.rows(p));
    }

    /// @inheritdoc IFederatedCourt
    function challengeCoordinate(uint256 task, uint32 coordinate) external nonReentrant returns (uint256 id) {
        Posting memory p = _FEDERATION.postingOf(task);
        _requirePlace(p.dimension, coordinate);
        FederatedGame storage g;
        (id, g) = _begin(task, p, Subject.Result, false, coordinate / uint32(Vectors.CHUNK), coordinate);
        _advance(id, g, FederatedStage.Column);
    }

    /// @inheritdoc IFederatedCourt
    function challengeMeasure(uint256 task, uint32 row, uint32 column) external nonReentrant returns (uint256 id) {
        Posting memory p = _FEDERATION.postingOf(task);
        _requirePlace(AggregateRules.numberRows(p), row);
        _requirePlace(AggregateRules.entries(p, row), column);
        FederatedGame storage g;
        (id, g) = _begin(task, p, Subject.Measures, false, row, column);
        _advance(id, g, FederatedStage.Leaf);
    }

    /// @inheritdoc IFederatedCourt
    function proveSelection(uint256 task, uint16 s, uint16 t, LeafOpening calldata rowS, LeafOpening calldata rowT)
        external
        nonReentrant
    {
        Posting memory p = _FEDERATION.postingOf(task);
        if (!AggregateRules.selects(p)) revert WrongRule(uint8(p.rule.rule));
        _requirePlace(p.columns, s);
        _requirePlace(p.columns, t);
        if ((p.selection >> s) & 1 == 0) revert NotSelected(s, true);
        if ((p.selection >> t) & 1 == 1) revert NotSelected(t, false);
        int256 scoreS = _score(p, s, rowS);
        int256 scoreT = _score(p, t, rowT);
        if (KrumScores.before(s, scoreS, t, scoreT)) revert NothingWrong(scoreS);
        emit SelectionWrong(task, p.posting, msg.sender, s, t, scoreS, scoreT);
        _FEDERATION.leaderProvenWrong(task, p.posting, msg.sender);
    }

    /// @inheritdoc IFederatedCourt
    function descend(uint256 id, bytes32[] calldata nodes) external {
        FederatedGame storage g = _turn(id, FederatedStage.Descend);
        (uint8 below, uint32 first, uint32 count) = _below(g);
        _requireCount(count, nodes.length);
        _requireRoot(g.word, IndexedMerkle.rootOfAll(nodes));
        emit Descended(id, below, first, nodes);
        _advance(id, g, FederatedStage.Pick);
    }

    /// @inheritdoc IFederatedCourt
    function pick(uint256 id, uint8 index, bytes32 node, bytes32[] calldata proof) external {
        FederatedGame storage g = _turn(id, FederatedStage.Pick);
        (uint8 below, uint32 first, uint32 count) = _below(g);
        _requireRoot(g.word, IndexedMerkle.rootOfCalldata(node, index, count, proof));
        (g.height, g.index, g.word) = (below, first + index, node);
        emit Picked(id, below, first + index, node);
        _advance(id, g, below == 0 ? FederatedStage.Leaf : FederatedStage.Descend);
    }

    /// @inheritdoc IFederatedCourt
    function turnToResult(uint256 id) external {
        FederatedGame storage g = _turn(id, FederatedStage.Pick);
        if (g.subject != Subject.Measures) revert SubjectRequired();
        Posting memory p = _FEDERATION.postingOf(g.task);
        (g.subject, g.index) = (Subject.Result, 0);
        emit Turned(id);
        _enter(id, g, p.resultRoot, Vectors.chunks(p.dimension));
    }

    /// @inheritdoc IFederatedCourt
    function openLeaf(uint256 id, LeafOpening calldata leaf, LeafOpening calldata groups) external {
        FederatedGame storage g = _turn(id, FederatedStage.Leaf);
        uint32 index = g.index;
        emit LeafOpened(id, index, leaf, groups);
        if (g.subject == Subject.Result) {
            // only a descent leads here
            _requireResultLength(g, leaf.content);
            _requireWord(g, Vectors.leaf(Vectors.RESULT, leaf.content));
            return _advance(id, g, FederatedStage.Name);
        }
        Posting memory p = _FEDERATION.postingOf(g.task);
        if (p.mode == Mode.Secure) _requireGroups(p, groups);
        if (g.word == 0) {
            _requireRow(p, index, leaf);
            return _divide(id, g, Vectors.int64At(leaf.content, g.place));
        }
        _requireLength(AggregateRules.rowLength(p, index), leaf.content.length);
        _requireWord(g, Vectors.leaf(Vectors.MEASURES, leaf.content));
        _advance(id, g, FederatedStage.Name);
    }

    /// @inheritdoc IFederatedCourt
    function name(uint256 id, bytes calldata content, uint32 place) external {
        FederatedGame storage g = _turn(id, FederatedStage.Name);
        uint32 index = g.index;
        g.place = place;
        if (g.subject == Subject.Result) {
            _requirePlace(g.dimension, place);
            if (place / Vectors.CHUNK != index) revert NoSuchPlace(index * Vectors.CHUNK, place);
            emit Named(id, index, place, 0);
            return _advance(id, g, FederatedStage.Column);
        }
        Posting memory p = _FEDERATION.postingOf(g.task);
        _requirePlace(AggregateRules.numberRows(p), index);
        _requirePlace(AggregateRules.entries(p, index), place);
        _requireWord(g, Vectors.leaf(Vectors.MEASURES, content));
        _divide(id, g, Vectors.int64At(content, place));
    }

    /// @inheritdoc IFederatedCourt
    function answerColumn(uint256 id, ColumnAnswer calldata answer) external nonReentrant {
        FederatedGame storage g = _turn(id, FederatedStage.Column);
        Posting memory p = _FEDERATION.postingOf(g.task);
        _requireResultLeaf(g, p, answer.newLeaf);
        bytes32 old = Vectors.leaf(Vectors.RESULT, answer.oldLeaf.content);
        uint32 chunks = Vectors.chunks(p.dimension);
        _requireRoot(p.previousRoot, IndexedMerkle.rootOfCalldata(old, g.index, chunks, answer.oldLeaf.proof));
        _requireLength(AggregateRules.columnLength(p), answer.column.length);
        if (p.mode == Mode.Secure) _requireGroups(p, answer.groups);
        g.word = keccak256(answer.column);
        emit ColumnAnswered(id, g.place, answer.column, answer.norms, answer.groups);
        (int256[] memory claimed, int256[] memory computed) = _compute(p, g, answer);
        emit Computed(id, g.index, g.place, claimed, computed);
        bool same = keccak256(abi.encodePacked(claimed)) == keccak256(abi.encodePacked(computed));
        if (same) _advance(id, g, FederatedStage.Falsify);
        else _close(id, g, FederatedVerdict.LeaderWrong, false);
    }

    /// @inheritdoc IFederatedCourt
    function falsify(
        uint256 id,
        bytes calldata column,
        uint16 i,
        LeafOpening calldata chunk,
        LeafOpening calldata groups
    ) external nonReentrant {
        FederatedGame storage g = _turn(id, FederatedStage.Falsify);
        Posting memory p = _FEDERATION.postingOf(g.task);
        _requireWord(g, keccak256(column));
        _requirePlace(p.columns, i);
        _requireColumnLeaf(g, p, i, g.index, chunk, groups);
        int256 claimed = Vectors.int16At(column, 2 * uint256(i));
        int256 actual = Vectors.int16At(chunk.content, 2 * (g.place % Vectors.CHUNK));
        _requireOther(claimed, actual);
        emit Falsified(id, i, claimed, actual);
        _close(id, g, FederatedVerdict.LeaderWrong, false);
    }

    /// @inheritdoc IFederatedCourt
    function falsifyWeight(uint256 id, bytes calldata column, uint16 i) external nonReentrant {
        FederatedGame storage g = _turn(id, FederatedStage.Falsify);
        Posting memory p = _FEDERATION.postingOf(g.task);
        _requireWord(g, keccak256(column));
        if (!AggregateRules.weighs(p)) revert WrongRule(uint8(p.rule.rule));
        _requirePlace(p.columns, i);
        uint32 claimed = Vectors.uint32At(column, 2 * uint256(p.columns) + 4 * uint256(i));
        uint32 actual = _FEDERATION.columnWeights(g.task)[i];
        _requireOther(int256(uint256(claimed)), int256(uint256(actual)));
        emit WeightFalsified(id, i, claimed, actual);
        _close(id, g, FederatedVerdict.LeaderWrong, false);
    }

    /// @inheritdoc IFederatedCourt
    function disputeNorm(uint256 id, uint16 i, LeafOpening calldata norms) external {
        FederatedGame storage g = _turn(id, FederatedStage.Falsify);
        Posting memory p = _FEDERATION.postingOf(g.task);
        if (!AggregateRules.clips(p)) revert WrongRule(uint8(p.rule.rule));
        _requirePlace(p.columns, i);
        _requireRow(p, 1, norms);
        (g.subject, g.index, g.place) = (Subject.Measures, 1, i);
        _divide(id, g, Vectors.int64At(norms.content, i));
    }

    /// @inheritdoc IFederatedCourt
    function segments(uint256 id, int64[] calldata sums) external {
        FederatedGame storage g = _turn(id, FederatedStage.Segments);
        (uint32 low, uint32 high) = (g.low, g.high);
        _requireCount(Segments.count(low, high), sums.length);
        int256 sum = 0;
        // at most 32 numbers of 64 bits
        unchecked {
            for (uint256 i = 0; i < sums.length; ++i) {
                sum += sums[i];
            }
        }
        if (sum != g.claimed) revert WrongSum(g.claimed, sum);
        g.word = keccak256(abi.encode(sums));
        emit SegmentsPosted(id, low, high, sums);
        _advance(id, g, FederatedStage.Choose);
    }

    /// @inheritdoc IFederatedCourt
    function choose(uint256 id, int64[] calldata sums, uint8 index) external {
        FederatedGame storage g = _turn(id, FederatedStage.Choose);
        _requireWord(g, keccak256(abi.encode(sums)));
        _requirePlace(sums.length, index);
        (uint32 low, uint32 high) = Segments.at(g.low, g.high, index);
        (g.low, g.high, g.claimed) = (low, high, sums[index]);
        emit SegmentChosen(id, low, high, sums[index]);
        _advance(id, g, high - low == 1 ? FederatedStage.Product : FederatedStage.Segments);
    }

    /// @inheritdoc IFederatedCourt
    function product(uint256 id, LeafOpening calldata left, LeafOpening calldata right, LeafOpening calldata groups)
        external
        nonReentrant
    {
        FederatedGame storage g = _turn(id, FederatedStage.Product);
        Posting memory p = _FEDERATION.postingOf(g.task);
        int256[] memory claimed = new int256[](1);
        int256[] memory computed = new int256[](1);
        claimed[0] = g.claimed;
        computed[0] = _sum(g, p, left, right, groups);
        _requireOther(claimed[0], computed[0]);
        emit Computed(id, g.index, g.place, claimed, computed);
        _close(id, g, FederatedVerdict.LeaderWrong, false);
    }

    /// @inheritdoc IFederatedCourt
    function verifier() external view returns (address) {
        return address(_VERIFIER);
    }

    /// @dev The root of a tree of so many leaves comes into play.
    function _enter(uint256 id, FederatedGame storage g, bytes32 root, uint32 leaves) private {
        uint8 height = 0;
        while (_width(leaves, height) > 1) ++height;
        // at most 2^16 leaves
        (g.word, g.leaves, g.height) = (root, uint24(leaves), height);
        _advance(id, g, height == 0 ? FederatedStage.Leaf : FederatedStage.Descend);
    }

    /// @dev The entry in play as a sum over all chunks.
    function _divide(uint256 id, FederatedGame storage g, int64 claimed) private {
        uint32 chunks = Vectors.chunks(g.dimension);
        (g.low, g.high, g.claimed) = (0, chunks, claimed);
        emit Named(id, g.index, g.place, claimed);
        _advance(id, g, chunks == 1 ? FederatedStage.Product : FederatedStage.Segments);
    }

    /// @return the sum over the one chunk in play that the entry in play is made of
    function _sum(
        FederatedGame storage g,
        Posting memory p,
        LeafOpening calldata left,
        LeafOpening calldata right,
        LeafOpening calldata groups
    ) private view returns (int256) {
        (uint32 row, uint32 place, uint32 chunk) = (g.index, g.place, g.low);
        uint256 length = Vectors.lengthOf(p.dimension, chunk);
        if (row == 0) {
            _requireUnder(p.resultRoot, p, Vectors.RESULT, chunk, right);
            if (place == p.columns) return _VERIFIER.dot(right.content, right.content, length);
            _requireColumnLeaf(g, p, place, chunk, left, groups);
            return _VERIFIER.dot(left.content, right.content, length);
        }
        if (AggregateRules.clips(p)) {
            _requireColumnLeaf(g, p, place, chunk, left, groups);
            return _VERIFIER.dot(left.content, left.content, length);
        }
        _requireColumnLeaf(g, p, row - 1, chunk, left, groups);
        _requireColumnLeaf(g, p, place, chunk, right, groups);
        return _VERIFIER.distance(left.content, right.content, length);
    }

    /// @return claimed what the leader's leaf says of the coordinate: the aggregate, then the optimiser's words
    /// @return computed what they have to be, by the leader's column and the old words
    function _compute(Posting memory p, FederatedGame storage g, ColumnAnswer calldata answer)
        private
        view
        returns (int256[] memory claimed, int256[] memory computed)
    {
        // slither-disable-next-line uninitialized-local
        CoordinateEvidence memory evidence;
        if (AggregateRules.clips(p)) {
            _requireRow(p, 1, answer.norms);
            evidence.norms = answer.norms.content;
        }
        evidence.coordinate = g.place;
        (evidence.newLeaf, evidence.oldLeaf) = (answer.newLeaf.content, answer.oldLeaf.content);
        evidence.column = answer.column;
        return _VERIFIER.coordinate(p, evidence);
    }

    function _score(Posting memory p, uint16 column, LeafOpening calldata row) private view returns (int256) {
        _requireRow(p, 1 + uint256(column), row);
        return _VERIFIER.score(p, column, row.content);
    }

    /// @dev That this is the leaf in play, of the one right length.
    function _requireResultLeaf(FederatedGame storage g, Posting memory p, LeafOpening calldata leaf) private view {
        _requireResultLength(g, leaf.content);
        if (g.word == 0) return _requireUnder(p.resultRoot, p, Vectors.RESULT, g.index, leaf);
        _requireWord(g, Vectors.leaf(Vectors.RESULT, leaf.content));
    }

    function _requireResultLength(FederatedGame storage g, bytes calldata content) private view {
        _requireLength(Vectors.lengthOf(g.dimension, g.index) * (2 + 4 * uint256(g.words)), content.length);
    }

    /// @dev That this is the chunk at `index` of what the rule combines in this column.
    function _requireColumnLeaf(
        FederatedGame storage g,
        Posting memory p,
        uint256 column,
        uint256 index,
        LeafOpening calldata leaf,
        LeafOpening calldata groups
    ) private view {
        bytes32 root;
        if (p.mode == Mode.Secure) {
            _requireGroups(p, groups);
            root = Vectors.wordAt(groups.content, column);
        } else {
            // at most 128 columns
            root = _FEDERATION.columnRoot(g.task, uint16(column));
        }
        _requireUnder(root, p, Vectors.UPDATE, index, leaf);
    }

    function _requireUnder(bytes32 root, Posting memory p, uint256 kind, uint256 index, LeafOpening calldata leaf)
        private
        pure
    {
        bytes32 hash = Vectors.leaf(kind, leaf.content);
        _requireRoot(root, IndexedMerkle.rootOfCalldata(hash, index, Vectors.chunks(p.dimension), leaf.proof));
    }

    function _requireGroups(Posting memory p, LeafOpening calldata groups) private pure {
        _requireRow(p, AggregateRules.numberRows(p), groups);
    }

    function _requireRow(Posting memory p, uint256 row, LeafOpening calldata opening) private pure {
        _requireLength(AggregateRules.rowLength(p, row), opening.content.length);
        bytes32 hash = Vectors.leaf(Vectors.MEASURES, opening.content);
        _requireRoot(p.measuresRoot, IndexedMerkle.rootOfCalldata(hash, row, AggregateRules.rows(p), opening.proof));
    }
}
