// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Dispute, IDisputeCourt, Stage } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { IStakeVault, Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Phase } from "../../../contracts/libraries/Lifecycle.sol";
import { ScoreFunctions } from "../../../contracts/libraries/ScoreFunctions.sol";
import { vm } from "../support/Vm.sol";
import { Game } from "./support/DisputeWorld.sol";
import { Players } from "./support/Players.sol";

contract OpenDisputeTest is Players {
    function test_a_challenge_locks_its_stake_and_holds_the_order() public {
        Game memory g = lying(small(), 40, 7, 1, 0);
        challengeable(g);
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Opened(1, g.oid, liar, challenger, 0, total(g.claims), STAKE);
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Moved(1, Stage.Sums, uint64(block.timestamp + MOVE));
        vm.expectEmit(address(vault));
        emit IStakeVault.Locked(challenger, Role.Verifier, bytes32(g.oid), STAKE, STAKE);
        vm.assertEq(reopened(g, challenger), 1, "ids count up from 1");
        Dispute memory d = disputes.disputeOf(1);
        vm.assertEq(d.challenger, challenger, "challenger");
        vm.assertEq(d.defendant, liar, "defendant");
        vm.assertEq(d.oid, g.oid, "order");
        vm.assertEq(d.modelIndex, 0, "model");
        vm.assertEq(int256(d.value), total(g.claims), "the claim");
        vm.assertEq(d.stake, STAKE, "stake");
        vm.assertEq(d.low, 0, "from the first sample");
        vm.assertEq(d.high, 40, "to the last");
        vm.assertEq(d.moveSeconds, MOVE, "clock");
        expectLocked(challenger, STAKE, "locked");
        vm.assertEq(proof.factsOf(g.oid).openDisputes, 1, "held");
    }

    function test_a_test_set_of_one_sample_needs_no_sums() public {
        Game memory g = lying(small(), 1, 0, 1, 0);
        opened(g);
        vm.assertTrue(stageOf(g) == Stage.Trace, "straight to the trace");
    }

    function test_several_disputes_of_one_validation_may_be_open() public {
        Game memory g = lying(small(), 2, 0, 1, 0);
        opened(g);
        address other = actor("challenger", 1);
        enrol(other, Role.Verifier, BOND);
        vm.assertEq(reopened(g, other), 2, "another's");
        vm.assertEq(reopened(g, challenger), 3, "and one's own again");
        expectLocked(challenger, 2 * STAKE, "a stake for each");
        vm.assertEq(proof.factsOf(g.oid).openDisputes, 3, "all count");
        vm.assertEq(disputes.disputeCount(), 3, "and are counted");
    }

    function test_nobody_challenges_himself() public {
        Game memory g = lying(small(), 2, 0, 1, 0);
        challengeable(g);
        enrol(liar, Role.Verifier, BOND);
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.OwnValidation.selector, liar));
        reopened(g, liar);
    }

    function test_a_challenge_takes_a_verifiers_bond() public {
        Game memory g = lying(small(), 2, 0, 1, 0);
        challengeable(g);
        address poor = actor("challenger", 1);
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.NotAVerifier.selector, poor, 100 * UNIT, 0));
        reopened(g, poor);
        enrol(poor, Role.Verifier, 100 * UNIT - 1);
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.NotAVerifier.selector, poor, 100 * UNIT, 100 * UNIT - 1));
        reopened(g, poor);
        enrol(poor, Role.Verifier, 1);
        reopened(g, poor);
    }

    function test_the_least_bond_is_enough_for_as_many_disputes_as_it_covers() public {
        Game memory g = lying(small(), 2, 0, 1, 0);
        challengeable(g);
        address thrifty = actor("challenger", 1);
        enrol(thrifty, Role.Verifier, 100 * UNIT);
        for (uint256 i = 0; i < 6; ++i) {
            reopened(g, thrifty);
        }
        vm.expectRevert(
            abi.encodeWithSelector(
                IStakeVault.InsufficientFreeBond.selector, thrifty, Role.Verifier, STAKE, 100 * UNIT - 6 * STAKE
            )
        );
        reopened(g, thrifty);
    }

    function test_what_is_at_stake_cannot_leave() public {
        Game memory g = lying(small(), 2, 0, 1, 0);
        opened(g);
        vm.expectRevert(
            abi.encodeWithSelector(
                IStakeVault.InsufficientFreeBond.selector, challenger, Role.Verifier, BOND, BOND - STAKE
            )
        );
        vm.prank(challenger);
        vault.requestExit(Role.Verifier, BOND);
    }

    function test_only_in_the_challenge_phase() public {
        Game memory g = lying(small(), 2, 0, 1, 0);
        challengeable(g);
        vm.warp(block.timestamp - 1);
        vm.assertTrue(proof.phaseOf(g.oid) == Phase.ScoreReveal, "a second early");
        _expectNotDisputable(g.oid, liar, 0);
        toSealable(g.oid);
        vm.assertTrue(proof.phaseOf(g.oid) == Phase.Sealable, "too late");
        _expectNotDisputable(g.oid, liar, 0);
        vm.warp(block.timestamp - 1);
        reopened(g, challenger);
    }

    function test_only_a_validation_that_counts() public {
        Game memory g = lying(small(), 2, 0, 1, 0);
        challengeable(g);
        _expectNotDisputable(g.oid, liar, 1);
        _expectNotDisputable(g.oid, liar, type(uint16).max);
        _expectNotDisputable(g.oid, validator(5), 0);
        _expectNotDisputable(g.oid + 1, liar, 0);
        _expectNotDisputable(0, liar, 0);
    }

    function test_not_an_abstention() public {
        Game memory g = honest(small(), 1, 0, 1, 0);
        g.claims = row(ScoreFunctions.ABSTAIN);
        challengeable(g);
        _expectNotDisputable(g.oid, liar, 0);
    }

    function test_not_what_was_removed() public {
        Game memory g = lying(small(), 2, 0, 1, 0);
        opened(g);
        vm.warp(block.timestamp + MOVE);
        disputes.timeOut(g.id);
        _expectNotDisputable(g.oid, liar, 0);
    }

    function test_not_of_what_is_void() public {
        Game memory g = lying(small(), 2, 0, 1, 0);
        challengeable(g);
        availability.open(g.oid);
        availability.voidModel(g.oid, 0, challenger);
        _expectNotDisputable(g.oid, liar, 0);
    }

    function test_there_is_no_dispute_without_a_challenge() public {
        bytes memory none = abi.encodeWithSelector(IDisputeCourt.UnknownDispute.selector, 0);
        vm.expectRevert(none);
        disputes.disputeOf(0);
        vm.expectRevert(none);
        disputes.timeOut(0);
        vm.expectRevert(none);
        disputes.dismiss(0);
        vm.expectRevert(none);
        disputes.postSums(0, row(1));
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.UnknownDispute.selector, 1));
        disputes.disputeOf(1);
    }

    function test_the_court_says_what_it_is_wired_to() public view {
        vm.assertEq(disputes.proofOfTraining(), address(proof), "proof");
        vm.assertEq(disputes.orderBook(), address(book), "book");
        vm.assertEq(disputes.vault(), address(vault), "vault");
        vm.assertEq(disputes.verifier(), address(steps), "verifier");
    }

    function _expectNotDisputable(uint256 oid, address account, uint16 modelIndex) private {
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.NotDisputable.selector, oid, account, modelIndex));
        vm.prank(challenger);
        disputes.open(oid, account, modelIndex);
    }
}
