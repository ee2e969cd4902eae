// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedCourt } from "../../../contracts/federated/FederatedCourt.sol";
import { ColumnAnswer, IFederatedCourt, LeafOpening, Subject } from "../../../contracts/interfaces/IFederatedCourt.sol";
import { AggregationRule, FederatedTerms } from "../../../contracts/interfaces/FederatedTypes.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { vm } from "../support/Vm.sol";
import { FederatedWorld } from "./support/FederatedWorld.sol";

/// @dev Moves that the court refuses, each for its own reason, on the real rounds. Model and aggregate are all zeros.
contract WrongMovesTest is FederatedWorld {
    uint256 private constant MEMBERS = 4;

    FederatedCourt private _judge;
    address private _challenger = actor("challenger", 0);
    address private _other = actor("challenger", 1);
    LeafOpening private _none;
    uint256 private _task;
    address private _leader;

    function setUp() public override {
        court_ = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + FEDERATION_NONCE + 1);
        super.setUp();
        _judge = new FederatedCourt(federation, vault, parameters);
        enrol(_challenger, Role.Verifier, BOND);
        enrol(_other, Role.Verifier, BOND);
        _task = _posted(AggregationRule.Mean, 0);
        _leader = federation.postingOf(_task).leader;
    }

    function test_games_that_cannot_begin() public {
        vm.expectPartialRevert(IFederatedCourt.SubjectRequired.selector);
        _judge.challenge(_task, Subject.None);
        vm.expectPartialRevert(IFederatedCourt.NotAVerifier.selector);
        _judge.challenge(_task, Subject.Result);
        vm.expectPartialRevert(IFederatedCourt.NoSuchPlace.selector);
        _judge.challengeCoordinate(_task, uint32(DIMENSION));
        vm.expectPartialRevert(IFederatedCourt.OwnPosting.selector);
        vm.prank(_leader);
        _judge.challenge(_task, Subject.Result);
        _open(Subject.Measures);
        vm.expectPartialRevert(IFederatedCourt.AlreadyOpen.selector);
        vm.prank(_challenger);
        _judge.challenge(_task, Subject.Measures);
    }

    function test_moves_at_the_wrong_time() public {
        uint256 id = _open(Subject.Measures);
        vm.expectPartialRevert(IFederatedCourt.WrongStage.selector);
        _judge.pick(id, 0, 0, new bytes32[](0));
        vm.expectPartialRevert(IFederatedCourt.NotYourTurn.selector);
        vm.prank(_challenger);
        _judge.openLeaf(id, _row(MEMBERS), _none);
        vm.warp(_judge.gameOf(id).deadline);
        vm.expectPartialRevert(IFederatedCourt.TooLate.selector);
        vm.prank(_leader);
        _judge.openLeaf(id, _row(MEMBERS), _none);
        _judge.timeout(id);
        vm.expectPartialRevert(IFederatedCourt.AlreadyClosed.selector);
        _judge.timeout(id);
        vm.expectPartialRevert(IFederatedCourt.UnknownGame.selector);
        _judge.close(id + 1);
    }

    function test_nobody_moves_about_a_posting_that_fell() public {
        uint256 first = _open(Subject.Measures);
        vm.warp(block.timestamp + 20);
        vm.prank(_other);
        uint256 second = _judge.challenge(_task, Subject.Measures);
        vm.warp(_judge.gameOf(first).deadline);
        _judge.timeout(first);
        vm.expectPartialRevert(IFederatedCourt.NotLive.selector);
        vm.prank(_leader);
        _judge.openLeaf(second, _row(MEMBERS), _none);
    }

    function test_leaders_that_show_something_else() public {
        uint256 id = _open(Subject.Result);
        vm.startPrank(_leader);
        vm.expectPartialRevert(IFederatedCourt.WrongCount.selector);
        _judge.descend(id, new bytes32[](1));
        vm.expectPartialRevert(IFederatedCourt.WrongRoot.selector);
        _judge.descend(id, new bytes32[](2));
        vm.stopPrank();
        id = _open(Subject.Measures);
        vm.startPrank(_leader);
        vm.expectPartialRevert(IFederatedCourt.WrongLength.selector);
        _judge.openLeaf(id, _row(MEMBERS + 1), _none);
        LeafOpening memory zeros = LeafOpening(new bytes(8 * (MEMBERS + 1)), new bytes32[](0));
        vm.expectPartialRevert(IFederatedCourt.WrongWord.selector);
        _judge.openLeaf(id, zeros, _none);
        vm.stopPrank();
        vm.prank(_challenger);
        id = _judge.challengeMeasure(_task, 0, 0);
        vm.startPrank(_leader);
        _judge.openLeaf(id, _row(MEMBERS), _none);
        vm.expectPartialRevert(IFederatedCourt.WrongSum.selector);
        _judge.segments(id, new int64[](2));
        vm.stopPrank();
    }

    function test_a_true_weight_is_not_false() public {
        vm.prank(_challenger);
        uint256 id = _judge.challengeCoordinate(_task, 1);
        bytes memory column = new bytes(2 * MEMBERS);
        uint32[] memory weights = federation.columnWeights(_task);
        for (uint256 i = 0; i < MEMBERS; ++i) {
            column = bytes.concat(column, _littleEndian(weights[i]));
        }
        LeafOpening memory zeros = LeafOpening(_zeros(0), new bytes32[](1));
        zeros.proof[0] = _leaf(_zeros(1));
        vm.prank(_leader);
        _judge.answerColumn(id, ColumnAnswer(zeros, zeros, column, _none, _none));
        vm.expectPartialRevert(IFederatedCourt.NothingWrong.selector);
        vm.prank(_challenger);
        _judge.falsifyWeight(id, column, 2);
    }

    function test_selections_are_of_rules_that_select() public {
        vm.expectPartialRevert(IFederatedCourt.WrongRule.selector);
        _judge.proveSelection(_task, 0, 1, _none, _none);
        uint256 selecting = _posted(AggregationRule.Krum, 1 << 2);
        vm.expectPartialRevert(IFederatedCourt.NotSelected.selector);
        _judge.proveSelection(selecting, 0, 1, _none, _none);
    }

    function _posted(AggregationRule rule, uint128 selection) private returns (uint256 task) {
        FederatedTerms memory terms = _federatedTerms();
        terms.modelRoot = keccak256(abi.encode(_leaf(_zeros(0)), _leaf(_zeros(1))));
        terms.rule.rule = rule;
        task = started(terms, MEMBERS);
        revealed(task, MEMBERS);
        toAggregate(task);
        vm.prank(accountAt(task, federation.leaderOf(task)));
        federation.post(task, terms.modelRoot, "cid", rowLeaf(evenRow(MEMBERS)), "cid", selection);
    }

    function _open(Subject subject) private returns (uint256 id) {
        vm.prank(_challenger);
        id = _judge.challenge(_task, subject);
    }

    function _row(uint256 n) private pure returns (LeafOpening memory) {
        return LeafOpening(evenRow(n), new bytes32[](0));
    }

    /// @dev A chunk of the result: aggregate and model.
    function _zeros(uint256 chunk) private pure returns (bytes memory) {
        return new bytes((chunk == 0 ? 256 : DIMENSION - 256) * 6);
    }

    function _leaf(bytes memory content) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint256(6), content));
    }

    function _littleEndian(uint32 value) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(value), uint8(value >> 8), uint8(value >> 16), uint8(value >> 24));
    }
}
