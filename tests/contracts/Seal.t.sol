// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { OrderTerms } from "../../contracts/interfaces/IOrderBook.sol";
import { IProofOfTraining, Outcome, Settlement } from "../../contracts/interfaces/IProofOfTraining.sol";
import { Holding, Payout } from "../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../contracts/interfaces/IStakeVault.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { Phase } from "../../contracts/libraries/Lifecycle.sol";
import { ScoreFunctions } from "../../contracts/libraries/ScoreFunctions.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

contract SealTest is World {
    int64 private constant ABSTAIN = ScoreFunctions.ABSTAIN;
    uint256 private constant TAX = REWARD / 20;
    uint256 private constant POOL = REWARD / 5;

    function test_the_best_model_wins_and_its_validators_share_by_vstake() public {
        uint256 oid = scored();
        toSealable(oid);
        (Payout[] memory payouts, uint256 tax) = sealOrder(oid);
        vm.assertEq(tax, TAX, "tax");
        vm.assertEq(payouts.length, 4, "payouts");
        // vStakes 20, 40, 60: a sixth, a third, a half of the pool
        _payout(payouts[1], validator(0), POOL / 6);
        _payout(payouts[2], validator(1), POOL / 3);
        _payout(payouts[3], validator(2), POOL / 2);
        uint256 rest = REWARD - TAX - POOL / 6 - POOL / 3 - POOL / 2;
        _payout(payouts[0], provider(1), rest);
        Settlement memory s = proof.settlementOf(oid);
        vm.assertTrue(s.outcome == Outcome.Won && s.modelIndex == 1 && s.score == 350, "settlement");
        vm.assertEq(s.winner, provider(1), "winner");
        vm.assertEq(s.sealedAt, block.timestamp, "time");
        vm.assertEq(s.payoutsHash, Commitments.payouts(oid, payouts, tax), "hash");
        _held(oid, s.payoutsHash);
    }

    function test_everything_is_free_after_the_seal() public {
        uint256 oid = scored();
        toSealable(oid);
        proof.seal(oid);
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertEq(locked(provider(i), Role.Provider), 0, "provider");
            vm.assertEq(locked(validator(i), Role.Validator), 0, "validator");
            vm.assertEq(proof.sheetOf(oid, validator(i)).locked, 0, "sheet");
        }
        vm.assertTrue(proof.phaseOf(oid) == Phase.Sealed, "phase");
        vm.assertEq(book.escrowOf(oid), 0, "escrow");
    }

    function test_an_order_is_sealed_once_and_not_too_early() public {
        uint256 oid = scored();
        _tooEarly(oid, Phase.Challenge);
        toSealable(oid);
        vm.warp(block.timestamp - 1);
        _tooEarly(oid, Phase.Challenge);
        toSealable(oid);
        proof.seal(oid);
        _tooEarly(oid, Phase.Sealed);
        _tooEarly(77, Phase.None);
    }

    function test_a_tie_goes_to_the_earlier_claim_not_to_the_earlier_reveal() public {
        uint256 oid = claimed(2);
        toReveal(oid);
        reveal(oid, provider(1));
        reveal(oid, provider(0));
        release(oid);
        _agree(oid, row(200, 200));
        proof.seal(oid);
        vm.assertEq(proof.settlementOf(oid).winner, provider(0), "first to claim");
    }

    function test_a_replaced_claim_has_lost_its_place() public {
        uint256 oid = claimed(2);
        claim(oid, provider(0));
        toReveal(oid);
        reveal(oid, provider(0));
        reveal(oid, provider(1));
        release(oid);
        _agree(oid, row(200, 200));
        proof.seal(oid);
        vm.assertEq(proof.settlementOf(oid).winner, provider(1), "first to settle on a model");
    }

    function test_a_conflict_leaves_the_win_to_the_next() public {
        int64[][] memory rows = new int64[][](2);
        rows[0] = row(100, 360);
        rows[1] = row(100, 359);
        uint256 oid = scored(rows);
        toSealable(oid);
        proof.seal(oid);
        vm.assertEq(proof.settlementOf(oid).winner, provider(0), "the undisputed one");
    }

    function test_only_the_winners_validators_are_paid() public {
        int64[][] memory rows = new int64[][](3);
        rows[0] = row(100, ABSTAIN);
        rows[1] = row(ABSTAIN, 350);
        rows[2] = row(100, ABSTAIN);
        uint256 oid = scored(rows);
        toSealable(oid);
        (Payout[] memory payouts,) = sealOrder(oid);
        vm.assertEq(payouts.length, 2, "payouts");
        _payout(payouts[1], validator(1), POOL);
        _payout(payouts[0], provider(1), REWARD - TAX - POOL);
    }

    function test_no_claim_refunds() public {
        uint256 oid = put();
        toReveal(oid);
        _refunds(oid);
    }

    function test_no_reveal_refunds() public {
        uint256 oid = claimed(2);
        toScoreCommit(oid);
        _refunds(oid);
    }

    function test_no_validation_refunds() public {
        uint256 oid = revealed(2);
        _tooEarly(oid, Phase.ScoreCommit);
        toScoreReveal(oid);
        _refunds(oid);
    }

    function test_no_revealed_scores_refund() public {
        uint256 oid = revealed(1);
        enrol(validator(0), Role.Validator, BOND);
        commitScores(oid, validator(0), row(1), VSTAKE);
        toChallenge(oid);
        _refunds(oid);
    }

    function test_nothing_eligible_refunds() public {
        int64[][] memory rows = new int64[][](2);
        rows[0] = row(100, ABSTAIN);
        rows[1] = row(101, ABSTAIN);
        uint256 oid = scored(rows);
        toSealable(oid);
        _refunds(oid);
    }

    function test_a_withheld_test_set_shares_the_reward_among_the_revealed() public {
        uint256 oid = claimed(4);
        toReveal(oid);
        for (uint256 i = 0; i < 3; ++i) {
            reveal(oid, provider(2 - i));
        }
        toScoreCommit(oid);
        (Payout[] memory payouts, uint256 tax) = sealOrder(oid);
        vm.assertEq(payouts.length, 3, "payouts");
        uint256 share = (REWARD - TAX) / 3;
        _payout(payouts[0], provider(2), REWARD - TAX - 2 * share);
        _payout(payouts[1], provider(1), share);
        _payout(payouts[2], provider(0), share);
        Settlement memory s = proof.settlementOf(oid);
        vm.assertTrue(s.outcome == Outcome.Shared && s.winner == address(0), "outcome");
        vm.assertEq(s.payoutsHash, Commitments.payouts(oid, payouts, tax), "hash");
        _held(oid, s.payoutsHash);
    }

    function _refunds(uint256 oid) private {
        (Payout[] memory payouts, uint256 tax) = sealOrder(oid);
        vm.assertEq(payouts.length, 1, "one payout");
        _payout(payouts[0], client, REWARD);
        vm.assertEq(tax, 0, "untaxed");
        vm.assertTrue(proof.settlementOf(oid).outcome == Outcome.Refunded, "outcome");
        vm.assertEq(treasury.balanceOf(client), REWARD, "credited at once");
        treasury.claimRewards(client);
        vm.assertEq(token.balanceOf(client), REWARD, "and back");
    }

    function _agree(uint256 oid, int64[] memory scores) private {
        enrol(validator(0), Role.Validator, BOND);
        toScoreCommit(oid);
        commitScores(oid, validator(0), scores, VSTAKE);
        toScoreReveal(oid);
        revealScores(oid, validator(0), scores);
        toSealable(oid);
    }

    function _tooEarly(uint256 oid, Phase actual) private {
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.Sealable, actual));
        proof.seal(oid);
    }

    function _held(uint256 oid, bytes32 hash) private view {
        Holding memory held = treasury.holdingOf(oid);
        vm.assertEq(held.payoutsHash, hash, "held hash");
        vm.assertEq(held.amount, REWARD, "held amount");
        vm.assertEq(held.tax, TAX, "held tax");
        vm.assertEq(held.client, client, "held client");
        vm.assertEq(held.directAt, block.timestamp + 1 days, "held until");
        vm.assertEq(token.balanceOf(address(treasury)), REWARD, "tokens");
        vm.assertEq(treasury.totalHeld(), REWARD, "total held");
    }

    function _payout(Payout memory payout, address account, uint256 amount) private pure {
        vm.assertEq(payout.account, account, "account");
        vm.assertEq(payout.amount, amount, "amount");
    }
}
