// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { FederatedCourt } from "../../../contracts/federated/FederatedCourt.sol";
import { TaskPhase } from "../../../contracts/interfaces/FederatedTypes.sol";
import {
    FederatedGame,
    FederatedStage,
    FederatedVerdict,
    IFederatedCourt,
    LeafOpening,
    Subject
} from "../../../contracts/interfaces/IFederatedCourt.sol";
import { IFederatedEvents } from "../../../contracts/interfaces/IFederatedEvents.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { vm } from "../support/Vm.sol";
import { FederatedWorld } from "./support/FederatedWorld.sol";

/// @dev The real court and the real rounds: what a game's end does to the round, and to everybody's money.
contract GamesTest is FederatedWorld {
    FederatedCourt private _judge;
    address private _challenger = actor("challenger", 0);
    address private _other = actor("challenger", 1);
    uint256 private _task;
    uint16 private _leader;

    function setUp() public override {
        court_ = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + FEDERATION_NONCE + 1);
        super.setUp();
        _judge = new FederatedCourt(federation, vault, parameters);
        vm.assertEq(address(_judge), court_, "court");
        _task = started(_federatedTerms(), 4);
        revealed(_task, 4);
        toAggregate(_task);
        _leader = post(_task, evenRow(4));
        enrol(_challenger, Role.Verifier, BOND);
        enrol(_other, Role.Verifier, BOND);
    }

    function test_a_leader_that_is_silent_loses_to_the_first() public {
        uint256 first = _challenge(_challenger);
        uint256 second = _challenge(_other);
        uint256 purse = token.balanceOf(_challenger);
        vm.warp(_judge.gameOf(first).deadline - 1);
        vm.expectPartialRevert(IFederatedCourt.NotLate.selector);
        _judge.timeout(first);
        vm.warp(_judge.gameOf(first).deadline);
        _judge.timeout(first);
        _requireVerdict(first, FederatedVerdict.LeaderWrong);
        vm.assertEq(token.balanceOf(_challenger) - purse, STAKE * DISPUTE_PPM / PPM, "half of the leader's stake");
        vm.assertTrue(who(_task, _leader).excluded, "excluded");
        requirePhase(_task, TaskPhase.Aggregate);
        vm.assertTrue(federation.leaderOf(_task) != _leader, "another leads");
        _judge.timeout(second);
        _requireVerdict(second, FederatedVerdict.Moot);
        _requireFree(_challenger, BOND);
        _requireFree(_other, BOND);
    }

    function test_an_old_game_says_nothing_of_the_next_posting() public {
        uint256 first = _challenge(_challenger);
        uint256 second = _challenge(_other);
        vm.warp(_judge.gameOf(first).deadline);
        _judge.timeout(first);
        post(_task, evenRow(4));
        uint256 third = _challenge(_challenger);
        vm.assertEq(uint256(round_(_task).openDisputes), 1, "the old one is not among them");
        _judge.close(second);
        vm.assertEq(uint256(round_(_task).openDisputes), 1, "nor was it");
        vm.expectPartialRevert(IFederatedCourt.StillLive.selector);
        _judge.close(third);
    }

    function test_a_challenger_that_gives_up_pays_and_the_round_goes_on() public {
        uint256 purse = token.balanceOf(member(_leader));
        vm.warp(round_(_task).challengeEnds - 1);
        uint256 id = _challenge(_challenger);
        _openRow(id);
        vm.warp(round_(_task).challengeEnds);
        requirePhase(_task, TaskPhase.Challenge);
        vm.expectPartialRevert(IFederatedCourt.WindowClosed.selector);
        vm.prank(_other);
        _judge.challenge(_task, Subject.Measures);
        vm.expectPartialRevert(IFederatedEvents.WrongPhase.selector);
        federation.finalize(_task);
        vm.warp(_judge.gameOf(id).deadline);
        _judge.timeout(id);
        _requireVerdict(id, FederatedVerdict.LeaderRight);
        uint256 stake = parameters.challengeStake();
        vm.assertEq(token.balanceOf(member(_leader)) - purse, stake * DISPUTE_PPM / PPM, "half of the stake");
        _requireFree(_challenger, BOND - stake);
        requirePhase(_task, TaskPhase.Settle);
        federation.finalize(_task);
        vm.assertEq(uint256(state_(_task).round), 2, "the next round");
    }

    function test_two_wins_at_once_are_one() public {
        uint256 first = _challenge(_challenger);
        uint256 second = _challenge(_other);
        vm.warp(_judge.gameOf(second).deadline);
        _judge.timeout(first);
        _judge.timeout(second);
        _requireVerdict(first, FederatedVerdict.LeaderWrong);
        _requireVerdict(second, FederatedVerdict.Moot);
        vm.assertEq(uint256(state_(_task).active), 3, "one is excluded, once");
    }

    function test_only_the_court_speaks_for_the_court() public {
        vm.expectPartialRevert(IFederatedEvents.OnlyCourt.selector);
        federation.leaderProvenWrong(_task, 1, _challenger);
    }

    /// @dev About the measures, which are one row here: the leader is to open it.
    function _challenge(address account) private returns (uint256 id) {
        vm.prank(account);
        id = _judge.challenge(_task, Subject.Measures);
        vm.assertEq(uint256(_judge.gameOf(id).stage), uint256(FederatedStage.Leaf), "the leader's turn");
    }

    function _openRow(uint256 id) private {
        LeafOpening memory none;
        LeafOpening memory row = LeafOpening(evenRow(4), new bytes32[](0));
        vm.prank(member(_leader));
        _judge.openLeaf(id, row, none);
        FederatedGame memory g = _judge.gameOf(id);
        vm.assertEq(uint256(g.stage), uint256(FederatedStage.Name), "the challenger's turn");
    }

    function _requireVerdict(uint256 id, FederatedVerdict expected) private view {
        vm.assertEq(uint256(_judge.gameOf(id).verdict), uint256(expected), "verdict");
    }

    function _requireFree(address account, uint256 bonded) private view {
        vm.assertEq(vault.bondOf(account, Role.Verifier).bonded, bonded, "bonded");
        vm.assertEq(vault.bondOf(account, Role.Verifier).locked, 0, "nothing is locked");
    }
}
