// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedCourt } from "../../../../contracts/federated/FederatedCourt.sol";
import { Vectors } from "../../../../contracts/federated/Vectors.sol";
import {
    AggregationRule,
    FederatedTerms,
    OptimizerKind,
    OptimizerTerms,
    Posting,
    RuleTerms
} from "../../../../contracts/interfaces/FederatedTypes.sol";
import { CoordinateEvidence, IAggregateVerifier } from "../../../../contracts/interfaces/IAggregateVerifier.sol";
import {
    ColumnAnswer,
    FederatedGame,
    FederatedStage,
    FederatedVerdict,
    LeafOpening,
    Subject
} from "../../../../contracts/interfaces/IFederatedCourt.sol";
import { Role } from "../../../../contracts/interfaces/IStakeVault.sol";
import { Segments } from "../../../../contracts/libraries/Segments.sol";
import { FederatedWorld } from "./FederatedWorld.sol";
import { Sparse, SparseTrees } from "./SparseTree.sol";
import { vm } from "../../support/Vm.sol";

/// @dev What a won challenge costs both sides together: 100 updates of 1,000,000 parameters, the leader holding out to the
/// end. Run as `Gas.t.sol`; every call is a transaction of its own.
abstract contract ChallengeGas is FederatedWorld {
    uint256 internal constant N = 100;
    uint32 internal constant D = 1_000_000;
    uint256 internal constant LEAVES = 3907;
    uint32 internal constant CHUNK = 1000;
    uint32 internal constant PLACE = 256 * CHUNK + 77;
    /// @dev Whose column the leader lies about.
    uint16 internal constant LIAR = 41;
    uint256 internal constant MOST = 1_500_000;

    FederatedCourt internal judge;
    address internal challenger = actor("challenger", 0);
    address internal leader;
    uint256 internal task;
    uint256 internal id;
    uint256 internal spent;

    /// @dev The leaves that are opened, and the trees around them.
    bytes internal oldLeaf;
    bytes internal newLeaf;
    bytes internal chunk;
    bytes internal column;
    bytes[] internal rows;
    Sparse internal oldTree;
    Sparse internal newTree;
    Sparse internal updateTree;

    function setUp() public override {
        court_ = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + FEDERATION_NONCE + 1);
        super.setUp();
        judge = new FederatedCourt(federation, vault, parameters);
        vm.assertEq(address(judge), court_, "court");
    }

    function _rule() internal pure virtual returns (RuleTerms memory);

    function _name() internal pure virtual returns (string memory);

    function _optimizer() internal pure virtual returns (OptimizerTerms memory) {
        return OptimizerTerms({ kind: OptimizerKind.FedAvg, learningRate: 65_536, beta1: 0, beta2: 0, tau: 0 });
    }

    /// @dev A posting whose aggregate follows from a column that is false in one place.
    function _posted() internal {
        FederatedTerms memory t = _federatedTerms();
        (t.dimension, t.minimumParticipants, t.maximumParticipants) = (D, uint16(N), uint16(N));
        (t.rule, t.optimizer) = (_rule(), _optimizer());
        oldLeaf = _random(256 * (2 + 4 * uint256(t.optimizer.kind)), "old");
        chunk = _random(512, "chunk");
        oldTree = SparseTrees.grow(_leaf(Vectors.RESULT, oldLeaf), CHUNK, LEAVES);
        updateTree = SparseTrees.grow(_leaf(Vectors.UPDATE, chunk), CHUNK, LEAVES);
        t.modelRoot = oldTree.root;
        task = started(t, N);
        _commitAndReveal();
        column = _random(2 * N, "column");
        if (t.rule.rule == AggregationRule.Mean) {
            for (uint256 i = 0; i < N; ++i) {
                column = bytes.concat(column, hex"f4010000");
            }
        }
        _measure();
        _result(t);
        leader = member(federation.leaderOf(task));
        vm.prank(leader);
        federation.post(task, newTree.root, "cid", _measuresRoot(), "cid", _selection());
        enrol(challenger, Role.Verifier, BOND);
    }

    function _commitAndReveal() private {
        for (uint256 i = 0; i < N; ++i) {
            bytes32 root = i == LIAR ? updateTree.root : keccak256(abi.encode("update", i));
            bytes32 commitment = keccak256(
                abi.encode(
                    block.chainid,
                    address(federation),
                    task,
                    uint32(1),
                    member(i),
                    root,
                    bytes32("cid"),
                    uint32(500),
                    SALT
                )
            );
            vm.prank(member(i));
            federation.commit(task, commitment);
        }
        toReveal_(task);
        for (uint256 i = 0; i < N; ++i) {
            bytes32 root = i == LIAR ? updateTree.root : keccak256(abi.encode("update", i));
            vm.prank(member(i));
            federation.reveal(task, root, "cid", 500, SALT);
        }
        toEnd(task, round_(task).revealEnds);
        toAggregate(task);
    }

    /// @dev The leader's leaf is what the contract computes from the leader's column.
    function _result(FederatedTerms memory t) private {
        Posting memory p;
        (p.columns, p.dimension, p.rule, p.optimizer, p.selection) = (uint16(N), D, t.rule, t.optimizer, _selection());
        CoordinateEvidence memory e;
        (e.coordinate, e.oldLeaf, e.column) = (PLACE, oldLeaf, column);
        e.newLeaf = _random(oldLeaf.length, "new");
        if (t.rule.rule == AggregationRule.ClippedMean) e.norms = rows[1];
        (, int256[] memory computed) = IAggregateVerifier(judge.verifier()).coordinate(p, e);
        newLeaf = e.newLeaf;
        _write(2 * uint256(PLACE % 256), computed[0], 2);
        for (uint256 i = 1; i < computed.length; ++i) {
            _write((4 * i - 2) * 256 + 4 * uint256(PLACE % 256), computed[i], 4);
        }
        newTree = SparseTrees.grow(_leaf(Vectors.RESULT, newLeaf), CHUNK, LEAVES);
    }

    /// @dev Rows of numbers of a realistic size.
    function _measure() private {
        uint256 count = 1;
        if (_rule().rule == AggregationRule.ClippedMean) count = 2;
        if (_rule().rule == AggregationRule.Krum || _rule().rule == AggregationRule.MultiKrum) count = 1 + N;
        for (uint256 row = 0; row < count; ++row) {
            uint256 entries = row == 0 ? N + 1 : N;
            bytes memory content = new bytes(0);
            for (uint256 i = 0; i < entries; ++i) {
                uint256 number = uint256(keccak256(abi.encode(row, i))) % (1 << 47) + (1 << 46);
                content = bytes.concat(content, bytes8(uint64(number)));
            }
            rows.push(content);
        }
    }

    function _selection() internal pure virtual returns (uint128) {
        return 0;
    }

    // Moves; each is counted

    function _resultByDescent() internal {
        _posted();
        _challenge(Subject.Result);
        _toColumn();
        _columnGame();
    }

    function _toColumn() internal {
        _descend(newTree.blocks, CHUNK);
        vm.prank(leader);
        judge.openLeaf(id, LeafOpening(newLeaf, new bytes32[](0)), _nothing());
        _count("openLeaf");
        vm.prank(challenger);
        judge.name(id, "", PLACE);
        _count("name");
    }

    function _resultAtPlace() internal {
        _posted();
        vm.prank(challenger);
        id = judge.challengeCoordinate(task, PLACE);
        _count("challengeCoordinate");
        _columnGame();
    }

    function _columnGame() internal {
        ColumnAnswer memory a;
        bool descended = judge.gameOf(id).word != 0;
        a.newLeaf = LeafOpening(newLeaf, descended ? new bytes32[](0) : newTree.proof);
        a.oldLeaf = LeafOpening(oldLeaf, oldTree.proof);
        a.column = column;
        if (_rule().rule == AggregationRule.ClippedMean) a.norms = _row(1);
        vm.prank(leader);
        judge.answerColumn(id, a);
        _count("answerColumn");
        LeafOpening memory opened = LeafOpening(chunk, updateTree.proof);
        LeafOpening memory none = _nothing();
        bytes memory said = column;
        vm.prank(challenger);
        judge.falsify(id, said, LIAR, opened, none);
        _count("falsify");
        _won();
    }

    /// @dev About an entry that is the column's with itself, or with the aggregate, or a distance of it.
    function _measureByDescent(uint256 row) internal {
        _posted();
        _challenge(Subject.Measures);
        if (rows.length > 1) _descend(_rowTree(row).blocks, uint32(row));
        LeafOpening memory opened = LeafOpening(rows[row], new bytes32[](0));
        vm.prank(leader);
        judge.openLeaf(id, opened, _nothing());
        _count("openLeaf");
        bytes memory content = rows[row];
        vm.prank(challenger);
        judge.name(id, content, LIAR);
        _count("name");
        _sumGame(row);
    }

    function _measureAtPlace(uint256 row) internal {
        _posted();
        vm.prank(challenger);
        id = judge.challengeMeasure(task, uint32(row), LIAR);
        _count("challengeMeasure");
        LeafOpening memory opened = _row(row);
        vm.prank(leader);
        judge.openLeaf(id, opened, _nothing());
        _count("openLeaf");
        _sumGame(row);
    }

    function _sumGame(uint256 row) internal {
        while (judge.gameOf(id).stage == FederatedStage.Segments) {
            FederatedGame memory g = judge.gameOf(id);
            int64[] memory sums = new int64[](Segments.count(g.low, g.high));
            int256 rest = g.claimed;
            uint8 at = 0;
            for (uint256 i = 0; i < sums.length; ++i) {
                sums[i] = int64(int256(uint256(keccak256(abi.encode(g.high, i))) % (1 << 40)) - (1 << 39));
                if (i + 1 == sums.length) sums[i] = int64(rest);
                rest -= sums[i];
                (uint32 from, uint32 to) = Segments.at(g.low, g.high, i);
                if (from <= CHUNK && CHUNK < to) at = uint8(i);
            }
            vm.prank(leader);
            judge.segments(id, sums);
            _count("segments");
            vm.prank(challenger);
            judge.choose(id, sums, at);
            _count("choose");
        }
        LeafOpening memory left = LeafOpening(chunk, updateTree.proof);
        LeafOpening memory right = row == 0 ? LeafOpening(newLeaf, newTree.proof) : _nothing();
        // the distance of the one update that is known, from itself
        if (rows.length > 2) right = left;
        LeafOpening memory none = _nothing();
        vm.prank(challenger);
        judge.product(id, left, right, none);
        _count("product");
        _won();
    }

    function _challenge(Subject subject) internal {
        vm.prank(challenger);
        id = judge.challenge(task, subject);
        _count("challenge");
    }

    function _descend(bytes32[][] memory blocks, uint32 index) internal {
        for (uint256 i = 0; i < blocks.length; ++i) {
            _show(blocks[i]);
            uint256 height = judge.gameOf(id).height;
            uint256 levels = SparseTrees.step(height);
            uint256 at = (index >> (height - levels)) & ((1 << levels) - 1);
            (bytes32 node, bytes32[] memory proof) = SparseTrees.within(blocks[i], at);
            vm.prank(challenger);
            judge.pick(id, uint8(at), node, proof);
            _count("pick");
        }
    }

    function _show(bytes32[] memory nodes) internal {
        vm.prank(leader);
        judge.descend(id, nodes);
        _count("descend");
    }

    function _won() internal view {
        vm.assertEq(uint256(judge.gameOf(id).verdict), uint256(FederatedVerdict.LeaderWrong), "won");
        vm.assertEq(federation.inForce(task), 0, "void");
    }

    function _count(string memory move) internal {
        spent += vm.snapshotGasLastCall("challenge", string.concat(_name(), " ", move));
    }

    function _total(string memory what) internal {
        vm.snapshotValue("actions", string.concat("won challenge of ", what, ", ", _name(), ", both sides"), spent);
        vm.assertLe(spent, MOST, "a won challenge");
        spent = 0;
    }

    function _rowTree(uint256 row) internal view returns (Sparse memory) {
        // all rows but two are as random as they are written; those trees are whole
        bytes32[] memory leaves = _rowLeaves();
        Sparse memory tree = SparseTrees.grow(leaves[row], row, leaves.length);
        return tree;
    }

    function _row(uint256 row) internal view returns (LeafOpening memory) {
        return LeafOpening(rows[row], _rowTree(row).proof);
    }

    function _measuresRoot() internal view virtual returns (bytes32) {
        return _rowTree(rows.length == 1 ? 0 : rows.length == 2 ? 1 : uint256(LIAR) + 1).root;
    }

    function _rowLeaves() internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](rows.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = _leaf(Vectors.MEASURES, rows[i]);
        }
    }

    function _nothing() internal pure returns (LeafOpening memory none) { }

    function _leaf(uint256 kind, bytes memory content) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(kind, content));
    }

    function _write(uint256 at, int256 value, uint256 size) private {
        for (uint256 i = 0; i < size; ++i) {
            newLeaf[at + i] = bytes1(uint8(uint256(value) >> (8 * i)));
        }
    }

    function _random(uint256 size, string memory seed) private pure returns (bytes memory content) {
        content = new bytes(size);
        for (uint256 i = 0; i < size; i += 32) {
            bytes32 word = keccak256(abi.encode(seed, i));
            for (uint256 j = 0; j < 32 && i + j < size; ++j) {
                content[i + j] = word[j];
            }
        }
    }
}
