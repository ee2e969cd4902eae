// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    AggregationRule,
    FederatedTerms,
    Posting,
    RuleTerms,
    TaskPhase
} from "../../../contracts/interfaces/FederatedTypes.sol";
import { IFederatedEvents } from "../../../contracts/interfaces/IFederatedEvents.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Sortition } from "../../../contracts/federated/Sortition.sol";
import { vm } from "../support/Vm.sol";
import { FederatedWorld } from "./support/FederatedWorld.sol";

contract LeadersTest is FederatedWorld {
    function test_only_the_leader_posts() public {
        uint256 task = _aggregating(4);
        uint16 leader = federation.leaderOf(task);
        address other = member((leader + 1) % 4);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotTheLeader.selector, member(leader), other));
        vm.prank(other);
        federation.post(task, "r", "c", "m", "c", 0);
        vm.expectRevert(IFederatedEvents.ZeroWord.selector);
        vm.prank(member(leader));
        federation.post(task, "r", "c", 0, "c", 0);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.WrongSelection.selector, 0, 1));
        vm.prank(member(leader));
        federation.post(task, "r", "c", "m", "c", 1);
        vm.prank(member(leader));
        federation.post(task, "r", "c", "m", "c", 0);
        Posting memory p = federation.postingOf(task);
        vm.assertEq(p.leader, member(leader), "leader");
        vm.assertEq(uint256(p.columns), 4, "columns");
        vm.assertEq(p.previousRoot, keccak256("model"), "what it builds on");
        vm.assertEq(p.resultRoot, bytes32("r"), "result");
        vm.assertEq(uint256(p.moveSeconds), 40, "a move's time");
        vm.assertEq(federation.inForce(task), 1, "in force");
        vm.assertEq(federation.columnRoot(task, 2), updateRoot(task, 2), "column 2");
        vm.assertEq(federation.columnWeights(task)[3], 13, "samples of the fourth");
    }

    function test_a_leader_that_does_not_post_pays_and_the_next_posts() public {
        uint256 task = _aggregating(4);
        uint16 first = federation.leaderOf(task);
        uint64 ends = round_(task).postEnds;
        vm.warp(ends - 1);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.TooEarly.selector, ends, ends - 1));
        federation.replaceLeader(task);
        vm.warp(ends);
        address reporter = actor("reporter", 0);
        vm.prank(reporter);
        federation.replaceLeader(task);
        vm.assertEq(token.balanceOf(reporter), PENALTY * REPORTER_PPM / PPM, "the reporter's part");
        vm.assertEq(who(task, first).stake, STAKE - PENALTY, "fined");
        vm.assertEq(locked(member(first), Role.Participant), STAKE - PENALTY, "in the vault too");
        uint16 second = federation.leaderOf(task);
        vm.assertTrue(second != first, "another");
        vm.assertEq(round_(task).postEnds, ends + 60, "its time");
        post(task, evenRow(4));
        toSettle(task);
        federation.finalize(task);
        vm.assertEq(federation.recordOf(task, 1).leader, second, "its reward");
        vm.assertEq(state_(task).barred, uint256(1) << first, "for the rest of the task");
    }

    function test_when_nobody_is_left_to_lead_the_round_fails() public {
        uint256 task = _aggregating(3);
        for (uint256 i = 0; i < 3; ++i) {
            vm.warp(round_(task).postEnds);
            federation.replaceLeader(task);
        }
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NobodyCanLead.selector, task));
        federation.leaderOf(task);
        vm.warp(round_(task).postEnds);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NobodyCanLead.selector, task));
        federation.replaceLeader(task);
        federation.fail(task);
        vm.assertEq(state_(task).refundable, ROUND_REWARD, "back");
    }

    function test_a_leader_proven_wrong_loses_all_and_the_round_goes_on() public {
        uint256 task = _aggregating(4);
        uint16 liar = post(task, evenRow(4));
        address challenger = actor("challenger", 0);
        vm.startPrank(court_);
        federation.disputeOpened(task);
        federation.disputeOpened(task);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.WrongPosting.selector, 1, 2));
        federation.leaderProvenWrong(task, 2, challenger);
        federation.leaderProvenWrong(task, 1, challenger);
        vm.stopPrank();
        requirePhase(task, TaskPhase.Aggregate);
        vm.assertEq(token.balanceOf(challenger), STAKE * DISPUTE_PPM / PPM, "the challenger's part");
        vm.assertEq(bonded(member(liar), Role.Participant), 0, "lost");
        vm.assertEq(federation.inForce(task), 0, "void");
        vm.assertEq(round_(task).included, 15, "its update stays");
        vm.assertTrue(federation.leaderOf(task) != liar, "another leads");
        post(task, evenRow(4));
        vm.prank(court_);
        federation.disputeClosed(task, 1);
        vm.assertEq(round_(task).openDisputes, 0, "a game about what is void says nothing");
        toSettle(task);
        federation.finalize(task);
        vm.expectPartialRevert(IFederatedEvents.WrongPhase.selector);
        federation.postingOf(task);
    }

    function test_a_dispute_keeps_the_round_open_but_admits_no_new_ones() public {
        uint256 task = _aggregating(4);
        post(task, evenRow(4));
        uint64 ends = round_(task).challengeEnds;
        vm.warp(ends - 1);
        vm.prank(court_);
        federation.disputeOpened(task);
        vm.warp(ends + 1000);
        requirePhase(task, TaskPhase.Challenge);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.TooLate.selector, ends, ends + 1000));
        vm.prank(court_);
        federation.disputeOpened(task);
        vm.expectRevert(
            abi.encodeWithSelector(IFederatedEvents.WrongPhase.selector, task, TaskPhase.Settle, TaskPhase.Challenge)
        );
        federation.finalize(task);
        vm.prank(court_);
        federation.disputeClosed(task, 1);
        federation.finalize(task);
    }

    function test_only_the_court_judges() public {
        uint256 task = _aggregating(4);
        post(task, evenRow(4));
        bytes memory refusal = abi.encodeWithSelector(IFederatedEvents.OnlyCourt.selector, court_, address(this));
        vm.expectRevert(refusal);
        federation.disputeOpened(task);
        vm.expectRevert(refusal);
        federation.disputeClosed(task, 1);
        vm.expectRevert(refusal);
        federation.leaderProvenWrong(task, 1, address(this));
    }

    function test_krum_selects_one_and_multi_krum_its_part() public {
        FederatedTerms memory t = _federatedTerms();
        t.rule = RuleTerms({ rule: AggregationRule.MultiKrum, parameter: 200_000, selected: 500_000 });
        uint256 task = started(t, 5);
        revealed(task, 5);
        toAggregate(task);
        address leader = member(federation.leaderOf(task));
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.WrongSelection.selector, 2, 3));
        vm.prank(leader);
        federation.post(task, "r", "c", "m", "c", 7);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.WrongSelection.selector, 2, 129));
        vm.prank(leader);
        federation.post(task, "r", "c", "m", "c", 33);
        vm.prank(leader);
        federation.post(task, "r", "c", "m", "c", 17);
    }

    function test_a_round_with_too_few_columns_for_its_rule_fails() public {
        FederatedTerms memory t = _federatedTerms();
        t.rule = RuleTerms({ rule: AggregationRule.Krum, parameter: 250_000, selected: 0 });
        uint256 task = started(t, 4);
        revealed(task, 4); // f = 1 asks for five
        toAggregate(task);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.TooFewColumns.selector, task, 4));
        federation.replaceLeader(task);
        federation.fail(task);
    }

    /// @dev Python draws the same: `tests/contracts/federated/test_rules_twins.py`.
    function test_the_draw_follows_the_weights() public pure {
        uint256 low = Sortition.written(Sortition.written(0, 0, 16), 63, 4);
        uint256 high = Sortition.written(0, 64, 8);
        vm.assertEq(Sortition.weightAt(0, low, high), 16, "0");
        vm.assertEq(Sortition.weightAt(63, low, high), 4, "63");
        vm.assertEq(Sortition.weightAt(64, low, high), 8, "64");
        vm.assertEq(Sortition.weightAt(1, low, high), 1, "1");
        uint256[3] memory drawn;
        uint128 eligible = uint128(1 | 1 << 63 | 1 << 64);
        for (uint256 k = 0; k < 2800; ++k) {
            uint16 index = Sortition.draw(keccak256(abi.encode(k)), 1, 0, eligible, low, high);
            ++drawn[index == 0 ? 0 : index - 62];
        }
        // 16 : 4 : 8 of 28, in 2,800 draws of a seed that is fixed
        vm.assertLe(drawn[0] > 1600 ? drawn[0] - 1600 : 1600 - drawn[0], 80, "0");
        vm.assertLe(drawn[1] > 400 ? drawn[1] - 400 : 400 - drawn[1], 60, "63");
        vm.assertEq(drawn[0] + drawn[1] + drawn[2], 2800, "nobody else");
    }

    function _aggregating(uint256 n) private returns (uint256 task) {
        task = started(_federatedTerms(), n);
        revealed(task, n);
        toAggregate(task);
        requirePhase(task, TaskPhase.Aggregate);
    }
}
