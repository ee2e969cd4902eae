// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Dispute, IDisputeCourt, Stage, Verdict } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { IProofOfTraining, Outcome } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Lifecycle, Phase } from "../../../contracts/libraries/Lifecycle.sol";
import { vm } from "../support/Vm.sol";
import { Game } from "./support/DisputeWorld.sol";
import { Players } from "./support/Players.sol";

/// @dev Several disputes about one validation: those that have become moot, accomplices, and the order's window.
contract SeveralDisputesTest is Players {
    address private other = actor("challenger", 1);

    function setUp() public override {
        super.setUp();
        enrol(other, Role.Verifier, BOND);
        Game memory g = lying(small(), 3, 1, 1, 0);
        challengeable(g);
        keep(g);
    }

    function test_the_first_to_win_leaves_the_others_moot() public {
        (Game memory first, Game memory second) = _two();
        advanced(second, Stage.PickTensor);
        _finish(first);
        vm.assertTrue(verdictOf(first) == Verdict.False, "won");
        (address player, bytes memory data) = move(second);
        bytes memory gone = abi.encodeWithSelector(IDisputeCourt.NotDisputable.selector, second.oid, liar, uint16(0));
        vm.expectRevert(gone);
        send(player, data);
        vm.expectEmit(address(disputes));
        emit IDisputeCourt.Closed(second.id, Verdict.Moot, false, address(0), 0, 0);
        disputes.dismiss(second.id);
        vm.assertTrue(verdictOf(second) == Verdict.Moot, "moot");
        expectLocked(other, 0, "and nobody has lost");
        vm.assertEq(bonded(other, Role.Verifier), BOND, "not a wei");
        vm.assertEq(bonded(liar, Role.Validator), BOND - VSTAKE, "the liar has lost once");
        vm.assertEq(proof.factsOf(first.oid).openDisputes, 0, "none is open");
    }

    function test_time_runs_out_for_nobody_in_a_moot_dispute() public {
        for (uint256 i = 0; i < 2; ++i) {
            uint256 snapshot = vm.snapshotState();
            (Game memory first, Game memory second) = _two();
            // the second waits for the challenger, then for the defendant
            Dispute memory d = advanced(second, i == 0 ? Stage.PickSum : Stage.Trace);
            _finish(first);
            vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.NotLate.selector, second.id, d.deadline));
            disputes.timeOut(second.id);
            vm.warp(d.deadline + i);
            vm.expectEmit(address(disputes));
            emit IDisputeCourt.Closed(second.id, Verdict.Moot, false, address(0), 0, 0);
            disputes.timeOut(second.id);
            vm.assertEq(bonded(other, Role.Verifier), BOND, "the challenger has lost nothing");
            vm.assertEq(bonded(liar, Role.Validator), BOND - VSTAKE, "nor the defendant, again");
            expectLocked(other, 0, "free");
            vm.revertToState(snapshot);
        }
    }

    function test_a_dispute_about_what_counts_is_not_dismissed() public {
        (Game memory g,) = _two();
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.StillLive.selector, g.id));
        disputes.dismiss(g.id);
        vm.warp(block.timestamp + 10 days);
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.StillLive.selector, g.id));
        disputes.dismiss(g.id);
    }

    function test_a_void_model_or_test_set_ends_all_disputes() public {
        for (uint256 i = 0; i < 2; ++i) {
            uint256 snapshot = vm.snapshotState();
            (Game memory g,) = _two();
            availability.open(g.oid);
            if (i == 0) availability.voidModel(g.oid, 0, challenger);
            else availability.voidTest(g.oid, challenger);
            availability.close(g.oid, 0);
            (address player, bytes memory data) = move(g);
            vm.assertFalse(attempt(player, data), "no move is left");
            disputes.dismiss(1);
            vm.warp(block.timestamp + MOVE);
            disputes.timeOut(2);
            expectLocked(challenger, 0, "free");
            expectLocked(other, 0, "free");
            vm.assertEq(bonded(liar, Role.Validator), BOND, "the court takes nothing");
            vm.assertTrue(disputes.disputeOf(2).verdict == Verdict.Moot, "moot");
            vm.revertToState(snapshot);
        }
    }

    function test_a_lost_challenge_makes_nothing_immune() public {
        Game memory g = kept();
        reopened(g, challenger);
        vm.warp(advanced(g, Stage.PickSum).deadline);
        disputes.timeOut(g.id);
        vm.assertTrue(verdictOf(g) == Verdict.Stands, "an accomplice says nothing, and loses");
        uint256 before = token.balanceOf(other);
        reopened(g, other);
        _finish(g);
        vm.assertTrue(verdictOf(g) == Verdict.False, "the honest one wins all the same");
        vm.assertEq(token.balanceOf(other) - before, VSTAKE / 2, "and is paid");
    }

    function test_an_accomplice_keeps_nobody_out() public {
        Game memory g = kept();
        for (uint256 i = 0; i < 20; ++i) {
            reopened(g, challenger);
        }
        reopened(g, other);
        _finish(g);
        vm.assertTrue(verdictOf(g) == Verdict.False, "in time");
        for (uint256 id = 1; id <= 20; ++id) {
            disputes.dismiss(id);
        }
        expectLocked(challenger, 0, "all free");
    }

    /// @dev The accomplice is quicker: the lie is gone, half of the stake is burned, and the honest one loses nothing.
    function test_an_accomplice_who_wins_saves_half_and_not_the_score() public {
        (Game memory theirs, Game memory mine) = _two();
        vm.warp(disputes.disputeOf(theirs.id).deadline);
        uint256 supply = token.totalSupply();
        disputes.timeOut(theirs.id);
        disputes.timeOut(mine.id);
        vm.assertTrue(verdictOf(theirs) == Verdict.False, "given away");
        vm.assertTrue(verdictOf(mine) == Verdict.Moot, "in vain");
        vm.assertEq(supply - token.totalSupply(), VSTAKE - VSTAKE / 2, "half is burned");
        vm.assertEq(bonded(other, Role.Verifier), BOND, "the honest one has lost nothing");
        vm.assertTrue(proof.tallyOf(mine.oid, 0).eligible, "and the true score counts");
    }

    function test_an_open_dispute_holds_the_seal() public {
        Game memory g = kept();
        reopened(g, challenger);
        Dispute memory d = advanced(g, Stage.Trace);
        vm.warp(d.deadline + 365 days);
        vm.assertTrue(proof.phaseOf(g.oid) == Phase.Challenge, "still");
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, g.oid, Phase.Sealable, Phase.Challenge)
        );
        proof.seal(g.oid);
        disputes.timeOut(g.id);
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, g.oid, Phase.Sealable, Phase.Challenge)
        );
        proof.seal(g.oid);
        vm.warp(block.timestamp + CHALLENGE);
        proof.seal(g.oid);
        vm.assertTrue(proof.settlementOf(g.oid).outcome == Outcome.Won, "won by the true score");
        vm.assertEq(int256(proof.settlementOf(g.oid).score), total(g.scores), "which is this");
        vm.assertEq(bonded(liar, Role.Validator), BOND - VSTAKE, "the liar has lost this stake");
        vm.assertEq(locked(liar, Role.Validator), 0, "and nothing else is held");
    }

    function test_a_closed_dispute_leaves_time_for_another() public {
        Game memory g = kept();
        uint64 end = Lifecycle.challengeEnd(windows(g.oid));
        vm.warp(end - 1);
        reopened(g, challenger);
        vm.warp(advanced(g, Stage.PickSum).deadline);
        disputes.timeOut(g.id);
        uint256 until = block.timestamp + CHALLENGE;
        vm.assertEq(proof.factsOf(g.oid).challengeUntil, until, "stretched");
        vm.warp(until - 1);
        reopened(g, other);
        _finish(g);
        vm.assertTrue(verdictOf(g) == Verdict.False, "the other one was in time");
        vm.warp(block.timestamp + CHALLENGE);
        vm.assertTrue(proof.phaseOf(g.oid) == Phase.Sealable, "then it ends");
    }

    function test_the_stretched_window_ends() public {
        Game memory g = kept();
        toSealable(g.oid);
        vm.warp(block.timestamp - 1);
        reopened(g, challenger);
        vm.warp(disputes.disputeOf(g.id).deadline);
        disputes.timeOut(g.id);
        vm.warp(block.timestamp + CHALLENGE);
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.NotDisputable.selector, g.oid, validator(1), uint16(0)));
        vm.prank(other);
        disputes.open(g.oid, validator(1), 0);
    }

    /// @dev Two disputes about the same lie, by two challengers.
    function _two() private returns (Game memory first, Game memory second) {
        first = kept();
        second = kept();
        reopened(first, challenger);
        reopened(second, other);
    }

    function _finish(Game memory g) private {
        while (stageOf(g) != Stage.Closed) play(g);
    }
}
