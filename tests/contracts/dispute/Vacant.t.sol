// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IDisputeCourt, Verdict } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { OrderTerms } from "../../../contracts/interfaces/IOrderBook.sol";
import { IProofOfTraining, Outcome } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { IStakeVault, Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Phase } from "../../../contracts/libraries/Lifecycle.sol";
import { ScoreFunctions } from "../../../contracts/libraries/ScoreFunctions.sol";
import { vm } from "../support/Vm.sol";
import { Players } from "./support/Players.sol";

/// @dev Places that a challenge has emptied: an accomplice may empty them all, and the truth still finds one.
contract VacantPlacesTest is Players {
    int64 private constant TRUTH = 300;
    address private accomplice = actor("accomplice", 0);

    function setUp() public override {
        super.setUp();
        enrol(accomplice, Role.Verifier, BOND);
    }

    /// @dev The client has bought all validators, and an accomplice empties their places before anybody can take them: the
    /// client would have its reward back, and the models seen.
    function test_emptied_places_do_not_cost_the_provider_its_reward() public {
        uint256 oid = _lied(2);
        _empty(oid, validator(0));
        _empty(oid, validator(1));
        vm.assertEq(proof.tallyOf(oid, 0).live, 0, "nobody says anything");
        vm.expectEmit(address(proof));
        emit IProofOfTraining.SeatTaken(oid, validator(0), 0, challenger, TRUTH);
        _fill(oid, validator(0), TRUTH);
        _fill(oid, validator(1), TRUTH);
        vm.assertTrue(proof.tallyOf(oid, 0).eligible, "two say the truth, as the order needs");
        expectLocked(challenger, 2 * STAKE, "with stake behind it");
        vm.warp(proof.factsOf(oid).challengeUntil);
        proof.seal(oid);
        vm.assertTrue(proof.settlementOf(oid).outcome == Outcome.Won, "won");
        vm.assertEq(int256(proof.settlementOf(oid).score), TRUTH, "by the truth");
        proof.releaseSeat(oid, validator(0), 0);
        proof.releaseSeat(oid, validator(1), 0);
        expectLocked(challenger, 0, "free");
        vm.assertEq(bonded(challenger, Role.Verifier), BOND, "and whole");
    }

    function test_there_is_time_to_challenge_what_fills_a_place() public {
        uint256 oid = _lied(1);
        _empty(oid, validator(0));
        vm.warp(proof.factsOf(oid).challengeUntil - 1);
        _fill(oid, validator(0), 299);
        vm.assertEq(proof.factsOf(oid).challengeUntil, block.timestamp + CHALLENGE, "stretched");
        vm.assertEq(proof.factsOf(oid).openDisputes, 0, "none is open");
        vm.warp(block.timestamp + CHALLENGE - 1);
        vm.prank(accomplice);
        uint256 id = disputes.counter(oid, validator(0), 0, TRUTH);
        vm.assertEq(disputes.disputeOf(id).defendant, challenger, "who filled it defends it");
        vm.warp(disputes.disputeOf(id).deadline);
        disputes.timeOut(id);
        vm.assertEq(bonded(challenger, Role.Verifier), BOND - STAKE, "or loses the stake behind it");
        vm.assertEq(proof.seatOf(oid, validator(0), 0).holder, accomplice, "and the place");
    }

    function test_a_place_can_be_emptied_and_filled_again() public {
        uint256 oid = _lied(1);
        for (uint256 i = 1; i <= 3; ++i) {
            _empty(oid, validator(0));
            _fill(oid, validator(0), TRUTH);
            vm.assertEq(proof.seatOf(oid, validator(0), 0).version, i, "one holder after the other");
        }
        vm.assertEq(bonded(challenger, Role.Verifier), BOND - 2 * STAKE, "each of whom can lose");
        expectLocked(challenger, STAKE, "the last one's stake is behind it");
        vm.assertEq(proof.tallyOf(oid, 0).live, 1, "one validation");
    }

    function test_a_place_is_filled_only_when_the_order_needs_it() public {
        uint256 oid = _lied(1, 2);
        _empty(oid, validator(0));
        vm.assertTrue(proof.tallyOf(oid, 0).live == 1, "there is another, and one is needed");
        _expectNone(oid, validator(0), TRUTH);
        _empty(oid, validator(1));
        _fill(oid, validator(1), TRUTH);
        _expectNone(oid, validator(0), TRUTH);
    }

    function test_a_place_that_somebody_has_is_not_filled() public {
        uint256 oid = _lied(2);
        bytes memory taken = abi.encodeWithSelector(IDisputeCourt.NotDisputable.selector, oid, validator(0), 0);
        vm.expectRevert(taken);
        _fill(oid, validator(0), TRUTH);
        _empty(oid, validator(0));
        _fill(oid, validator(0), TRUTH);
        vm.expectRevert(taken);
        _fill(oid, validator(0), TRUTH);
    }

    function test_a_place_that_nobody_had_is_not_filled() public {
        uint256 oid = _lied(2);
        _expectNone(oid, validator(4), TRUTH);
        _expectNone(oid, challenger, TRUTH);
    }

    function test_an_abstention_is_no_empty_place() public {
        int64[][] memory rows = new int64[][](1);
        rows[0] = row(ScoreFunctions.ABSTAIN);
        _needed = 1;
        _expectNone(scored(rows), validator(0), TRUTH);
    }

    function test_only_a_possible_score_fills_a_place() public {
        uint256 oid = _lied(1);
        _empty(oid, validator(0));
        int64[3] memory impossible = [int64(-1), int64(uint64(SAMPLES)) + 1, ScoreFunctions.ABSTAIN];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IProofOfTraining.ScoreOutOfRange.selector, uint256(0), impossible[i])
            );
            _fill(oid, validator(0), impossible[i]);
        }
        expectLocked(challenger, 0, "nothing is locked");
        vm.assertEq(proof.factsOf(oid).openDisputes, 0, "nothing is open");
    }

    function test_nothing_void_is_filled() public {
        for (uint256 i = 0; i < 2; ++i) {
            uint256 snapshot = vm.snapshotState();
            uint256 oid = _lied(1);
            _empty(oid, validator(0));
            availability.open(oid);
            if (i == 0) availability.voidModel(oid, 0, accomplice);
            else availability.voidTest(oid, accomplice);
            _expectNone(oid, validator(0), TRUTH);
            vm.revertToState(snapshot);
        }
    }

    function test_filling_takes_a_bond_and_its_time() public {
        uint256 oid = _lied(1);
        _empty(oid, validator(0));
        address poor = actor("poor", 0);
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.NotAVerifier.selector, poor, 100 * UNIT, 0));
        vm.prank(poor);
        disputes.fill(oid, validator(0), 0, TRUTH);
        vm.warp(proof.factsOf(oid).challengeUntil);
        vm.assertTrue(proof.phaseOf(oid) == Phase.Sealable, "over");
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.NotDisputable.selector, oid, validator(0), 0));
        _fill(oid, validator(0), TRUTH);
    }

    function test_filling_takes_a_free_stake() public {
        uint256 oid = _lied(1);
        _empty(oid, validator(0));
        vm.prank(challenger);
        vault.requestExit(Role.Verifier, BOND - 100 * UNIT);
        for (uint256 i = 0; i < 6; ++i) {
            _reserve(oid);
        }
        uint256 free = 100 * UNIT - 6 * STAKE;
        vm.expectRevert(
            abi.encodeWithSelector(IStakeVault.InsufficientFreeBond.selector, challenger, Role.Verifier, STAKE, free)
        );
        _fill(oid, validator(0), TRUTH);
    }

    uint16 private _needed;

    function _terms() internal view override returns (OrderTerms memory terms) {
        terms = super._terms();
        terms.minimumValidators = _needed;
    }

    function _lied(uint256 n) private returns (uint256) {
        return _lied(uint16(n), n);
    }

    /// @dev One model, of which `n` validators say the same lie; validator 3 speaks of a second one, for disputes at will.
    function _lied(uint16 needed, uint256 n) private returns (uint256) {
        _needed = needed;
        int64[][] memory rows = new int64[][](n + 1);
        for (uint256 i = 0; i <= n; ++i) {
            rows[i] = i < n ? row(100, ScoreFunctions.ABSTAIN) : row(ScoreFunctions.ABSTAIN, 1);
        }
        _speaker = validator(n);
        return scored(rows);
    }

    address private _speaker;

    /// @dev Locks a stake in a dispute about something else.
    function _reserve(uint256 oid) private {
        vm.prank(challenger);
        disputes.open(oid, _speaker, 1);
    }

    /// @dev The accomplice challenges without a score, and the holder says nothing.
    function _empty(uint256 oid, address account) private {
        vm.prank(accomplice);
        uint256 id = disputes.open(oid, account, 0);
        vm.warp(disputes.disputeOf(id).deadline);
        disputes.timeOut(id);
        vm.assertTrue(disputes.disputeOf(id).verdict == Verdict.False, "emptied");
    }

    function _fill(uint256 oid, address account, int64 score) private {
        vm.prank(challenger);
        disputes.fill(oid, account, 0, score);
    }

    function _expectNone(uint256 oid, address account, int64 score) private {
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.NoSuchValidation.selector, oid, account, uint256(0)));
        _fill(oid, account, score);
    }
}
