// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IDisputeCourt, Verdict } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { OrderTerms } from "../../../contracts/interfaces/IOrderBook.sol";
import { IProofOfTraining, Outcome, Seat, Settlement } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Phase } from "../../../contracts/libraries/Lifecycle.sol";
import { vm } from "../support/Vm.sol";
import { Players } from "./support/Players.sol";

/// @dev Who proves a validation false can put its own score in its place. The accused here say nothing, so that the clock
/// decides; that computing decides alike is shown elsewhere.
contract SeatsTest is Players {
    int64 private constant TRUE_SCORE = 300;
    address private other = actor("challenger", 1);

    function setUp() public override {
        super.setUp();
        enrol(other, Role.Verifier, BOND);
    }

    function test_one_verifier_is_enough_where_every_validator_lies_about_every_model() public {
        // Two validators are needed, three say that the bad model is the better one.
        uint256 oid = _scored(350, 100, 3);
        address verifier = actor("poor", 0);
        enrol(verifier, Role.Verifier, _parameters().verifierMinimum);
        for (uint256 i = 0; i < 3; ++i) {
            _prove(oid, validator(i), 0, verifier, i < 2 ? int64(120) : type(int64).min);
            _prove(oid, validator(i), 1, verifier, i < 2 ? TRUE_SCORE : type(int64).min);
        }
        vm.assertTrue(proof.tallyOf(oid, 1).eligible, "the truth counts");
        _end(oid);
        (Payout[] memory payouts,) = sealOrder(oid);
        Settlement memory settlement = proof.settlementOf(oid);
        vm.assertTrue(settlement.outcome == Outcome.Won, "won");
        vm.assertEq(settlement.winner, provider(1), "by the better model");
        vm.assertEq(settlement.score, TRUE_SCORE, "with its true score");
        vm.assertEq(payouts.length, 3, "the winner and two places");
        vm.assertEq(payouts[1].account, verifier, "both the verifier's");
        vm.assertEq(payouts[1].amount + payouts[2].amount, REWARD / 5, "who is paid for them");
        _release(oid, verifier);
        uint256 lost = 2 * VSTAKE * (1 + 2 + 3);
        vm.assertEq(bonded(verifier, Role.Verifier), _parameters().verifierMinimum, "nothing of its bond is gone");
        vm.assertEq(token.balanceOf(verifier), lost / 2, "half of what the liars lost is its");
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertEq(bonded(validator(i), Role.Validator), BOND - 2 * VSTAKE * (i + 1), "who lost just that");
        }
    }

    function test_the_stake_stays_behind_the_score_until_the_seal() public {
        uint256 oid = _scored(350, 100, 1);
        _prove(oid, validator(0), 0, challenger, TRUE_SCORE);
        Seat memory seat = proof.seatOf(oid, validator(0), 0);
        vm.assertEq(seat.holder, challenger, "whose it is");
        vm.assertEq(seat.score, TRUE_SCORE, "what it says");
        vm.assertEq(seat.stake, STAKE, "what is behind it");
        vm.assertEq(seat.version, 1, "taken once");
        vm.assertEq(proof.scoreOf(oid, validator(0), 0), TRUE_SCORE, "the validation says so");
        expectLocked(challenger, STAKE, "locked");
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.Sealed, Phase.Challenge)
        );
        proof.releaseSeat(oid, validator(0), 0);
        _end(oid);
        proof.seal(oid);
        vm.expectEmit(address(proof));
        emit IProofOfTraining.SeatReleased(oid, validator(0), 0, challenger);
        proof.releaseSeat(oid, validator(0), 0);
        expectLocked(challenger, 0, "free");
        bytes memory gone =
            abi.encodeWithSelector(IProofOfTraining.NoSuchValidation.selector, oid, validator(0), uint16(0));
        vm.expectRevert(gone);
        proof.releaseSeat(oid, validator(0), 0);
    }

    function test_a_false_score_in_the_place_is_proven_false_in_its_turn() public {
        uint256 oid = _scored(350, 100, 1);
        _prove(oid, validator(0), 0, challenger, 349);
        _prove(oid, validator(0), 0, other, TRUE_SCORE);
        vm.assertEq(bonded(challenger, Role.Verifier), BOND - STAKE, "the stake behind it is lost");
        vm.assertEq(token.balanceOf(other), STAKE / 2, "half of it to who proved it");
        vm.assertEq(bonded(validator(0), Role.Validator), BOND - VSTAKE, "the validator pays once");
        Seat memory seat = proof.seatOf(oid, validator(0), 0);
        vm.assertEq(seat.holder, other, "whose it is now");
        vm.assertEq(seat.version, 2, "taken twice");
        vm.assertEq(proof.tallyOf(oid, 0).live, 1, "one validation");
        vm.assertEq(proof.tallyOf(oid, 0).score, TRUE_SCORE, "the true one");
        _end(oid);
        proof.seal(oid);
        proof.releaseSeat(oid, validator(0), 0);
        expectLocked(challenger, 0, "nothing is left of it");
        expectLocked(other, 0, "free");
    }

    function test_a_place_whose_score_was_proven_false_and_not_taken_is_empty() public {
        uint256 oid = _scored(350, 100, 1);
        _prove(oid, validator(0), 0, challenger, 349);
        _prove(oid, validator(0), 0, other, type(int64).min);
        vm.assertEq(proof.tallyOf(oid, 0).live, 0, "nothing is said");
        vm.assertFalse(proof.isLive(oid, validator(0), 0), "nothing to challenge");
        _end(oid);
        proof.seal(oid);
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.NoSuchValidation.selector, oid, validator(0), uint16(0))
        );
        proof.releaseSeat(oid, validator(0), 0);
        expectLocked(other, 0, "the second has its stake back");
    }

    function test_disputes_about_the_former_holder_are_moot() public {
        uint256 oid = _scored(350, 100, 1);
        vm.prank(other);
        uint256 id = disputes.open(oid, validator(0), 0);
        _prove(oid, validator(0), 0, challenger, TRUE_SCORE);
        vm.assertTrue(proof.isLive(oid, validator(0), 0), "there is a validation in the place");
        disputes.dismiss(id);
        vm.assertTrue(disputes.disputeOf(id).verdict == Verdict.Moot, "but not the one challenged");
        expectLocked(other, 0, "nobody loses");
        vm.assertEq(proof.seatOf(oid, validator(0), 0).holder, challenger, "the place is the first one's");
    }

    function test_an_impossible_score_takes_no_place() public {
        uint256 oid = _scored(350, 100, 1);
        _prove(oid, validator(0), 0, challenger, int64(uint64(SAMPLES)) + 1);
        vm.assertEq(proof.tallyOf(oid, 0).live, 0, "removed");
        expectLocked(challenger, 0, "and nothing in its place");
        vm.assertEq(proof.seatOf(oid, validator(0), 0).version, 0, "never taken");
    }

    function test_nobody_challenges_itself() public {
        uint256 oid = _scored(350, 100, 1);
        _prove(oid, validator(0), 0, challenger, TRUE_SCORE);
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.OwnValidation.selector, challenger));
        vm.prank(challenger);
        disputes.counter(oid, validator(0), 0, 5);
    }

    function test_a_lost_challenge_takes_no_place() public {
        uint256 oid = _scored(350, 100, 1);
        vm.prank(challenger);
        uint256 id = disputes.counter(oid, validator(0), 0, TRUE_SCORE);
        int64[] memory sums = new int64[](30);
        sums[0] = 350;
        vm.prank(validator(0));
        disputes.postSums(id, sums);
        vm.warp(block.timestamp + MOVE);
        disputes.timeOut(id);
        vm.assertEq(proof.seatOf(oid, validator(0), 0).holder, validator(0), "still the validator's");
        vm.assertEq(bonded(challenger, Role.Verifier), BOND - STAKE, "the challenger has lost");
    }

    /// @dev `n` validators who say the same about two models; two validations are needed if there are so many.
    function _scored(int64 first, int64 second, uint256 n) private returns (uint256) {
        int64[][] memory rows = new int64[][](n);
        for (uint256 i = 0; i < n; ++i) {
            rows[i] = row(first, second);
        }
        _needed = n > 1 ? 2 : 1;
        return scored(rows);
    }

    uint16 private _needed;

    function _terms() internal view override returns (OrderTerms memory terms) {
        terms = super._terms();
        terms.minimumValidators = _needed;
    }

    /// @dev Challenges a validation whose holder does not answer.
    function _prove(uint256 oid, address validator_, uint16 model, address by, int64 score) private {
        vm.prank(by);
        uint256 id = disputes.counter(oid, validator_, model, score);
        vm.warp(disputes.disputeOf(id).deadline);
        disputes.timeOut(id);
        vm.assertTrue(disputes.disputeOf(id).verdict == Verdict.False, "proven");
    }

    function _release(uint256 oid, address holder) private {
        for (uint16 model = 0; model < 2; ++model) {
            for (uint256 i = 0; i < 2; ++i) {
                proof.releaseSeat(oid, validator(i), model);
            }
        }
        expectLocked(holder, 0, "all free");
    }

    function _end(uint256 oid) private {
        vm.warp(proof.factsOf(oid).challengeUntil);
    }
}
