// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { OrderTerms } from "../../contracts/interfaces/IOrderBook.sol";
import { IProofOfTraining, Tally } from "../../contracts/interfaces/IProofOfTraining.sol";
import { Role } from "../../contracts/interfaces/IStakeVault.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { Phase } from "../../contracts/libraries/Lifecycle.sol";
import { ScoreFunction, ScoreFunctions } from "../../contracts/libraries/ScoreFunctions.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

contract RevealScoresTest is World {
    int64 private constant ABSTAIN = ScoreFunctions.ABSTAIN;
    ScoreFunction private fn = ScoreFunction.Accuracy;
    int64 private least = type(int64).min;

    function _terms() internal view override returns (OrderTerms memory t) {
        t = super._terms();
        t.scoreFunction = fn;
        t.outputSize = 1;
        t.minimumScorePpm = least;
        t.minimumValidators = 2;
    }

    function test_a_reveal_counts() public {
        uint256 oid = _committed(row(300, 350));
        vm.expectEmit(address(proof));
        emit IProofOfTraining.ScoresRevealed(oid, validator(0), row(300, 350));
        revealScores(oid, validator(0), row(300, 350));
        vm.assertEq(proof.scoresOf(oid, validator(0))[1], 350, "scores");
        vm.assertTrue(proof.sheetOf(oid, validator(0)).revealed, "revealed");
        vm.assertEq(proof.factsOf(oid).scoreReveals, 1, "facts");
        _tally(oid, 0, 1, 1, 300, false);
    }

    function test_enough_equal_validations_make_a_model_eligible() public {
        int64[][] memory rows = new int64[][](3);
        rows[0] = row(300, 350);
        rows[1] = row(301, 350);
        rows[2] = row(ABSTAIN, 350);
        uint256 oid = scored(rows);
        _tally(oid, 0, 2, 2, 0, false);
        _tally(oid, 1, 3, 1, 350, true);
    }

    function test_abstentions_do_not_count() public {
        int64[][] memory rows = new int64[][](3);
        rows[0] = row(ABSTAIN, ABSTAIN);
        rows[1] = row(7, ABSTAIN);
        rows[2] = row(7, ABSTAIN);
        uint256 oid = scored(rows);
        _tally(oid, 0, 2, 1, 7, true);
        _tally(oid, 1, 0, 0, 0, false);
    }

    function test_a_minimum_score_is_a_mean_per_sample() public {
        least = 500_000;
        int64[][] memory rows = new int64[][](2);
        rows[0] = row(179, 180);
        rows[1] = row(179, 180);
        uint256 oid = scored(rows);
        _tally(oid, 0, 2, 1, 179, false);
        _tally(oid, 1, 2, 1, 180, true);
    }

    function test_reveals_have_a_window() public {
        uint256 oid = _committed(row(1, 2));
        vm.warp(block.timestamp - 1);
        _refused(oid, row(1, 2), _wrongPhase(oid, Phase.ScoreCommit));
        toChallenge(oid);
        _refused(oid, row(1, 2), _wrongPhase(oid, Phase.Sealable));
    }

    function test_bad_openings_are_refused() public {
        uint256 oid = _committed(row(1, 2));
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.NothingCommitted.selector, oid, validator(1)));
        revealScores(oid, validator(1), row(1, 2));
        _refused(oid, row(1), abi.encodeWithSelector(IProofOfTraining.WrongScoreCount.selector, 2, 1));
        _refused(
            oid,
            row(1, 3),
            abi.encodeWithSelector(
                IProofOfTraining.WrongOpening.selector,
                Commitments.scores(oid, validator(0), row(1, 2), SALT),
                Commitments.scores(oid, validator(0), row(1, 3), SALT)
            )
        );
        revealScores(oid, validator(0), row(1, 2));
        _refused(oid, row(1, 2), abi.encodeWithSelector(IProofOfTraining.AlreadyRevealed.selector, oid, validator(0)));
    }

    function test_a_score_outside_its_range_cannot_be_revealed() public {
        _outOfRange(row(0, 361), 1, 361);
        _outOfRange(row(-1, 361), 0, -1);
        _outOfRange(row(type(int64).min + 1, 0), 0, type(int64).min + 1);
    }

    function test_nor_a_mean_absolute_error() public {
        fn = ScoreFunction.MeanAbsoluteError;
        _outOfRange(row(0, 1), 1, 1);
        _outOfRange(row(-(2 ** 24) * 360, -(2 ** 24) * 360 - 1), 1, -(2 ** 24) * 360 - 1);
    }

    function test_nor_a_squared_error_a_cross_entropy_or_a_top_k() public {
        fn = ScoreFunction.MeanSquaredError;
        _outOfRange(row(0, 1), 1, 1);
        _outOfRange(row(-(2 ** 40) * 360, -(2 ** 40) * 360 - 1), 1, -(2 ** 40) * 360 - 1);
        fn = ScoreFunction.CrossEntropy;
        _outOfRange(row(-(2 ** 24) * 360, -(2 ** 24) * 360 - 1), 1, -(2 ** 24) * 360 - 1);
        fn = ScoreFunction.Top3Accuracy;
        _outOfRange(row(0, 361), 1, 361);
        fn = ScoreFunction.Top5Accuracy;
        _outOfRange(row(360, -1), 1, -1);
    }

    function _committed(int64[] memory scores) private returns (uint256 oid) {
        oid = revealed(2);
        if (bonded(validator(0), Role.Validator) == 0) enrol(validator(0), Role.Validator, BOND);
        commitScores(oid, validator(0), scores, VSTAKE);
        toScoreReveal(oid);
    }

    function _outOfRange(int64[] memory scores, uint256 index, int64 score) private {
        uint256 oid = _committed(scores);
        _refused(oid, scores, abi.encodeWithSelector(IProofOfTraining.ScoreOutOfRange.selector, index, score));
        toChallenge(oid);
        vm.prank(actor("reporter", 0));
        proof.slashUnrevealedScores(oid, validator(0));
    }

    function _tally(uint256 oid, uint16 index, uint256 live, uint256 distinct, int64 score, bool eligible)
        private
        view
    {
        Tally memory t = proof.tallyOf(oid, index);
        vm.assertEq(t.live, live, "live");
        vm.assertEq(t.distinct, distinct, "distinct");
        vm.assertEq(t.score, score, "score");
        vm.assertTrue(t.eligible == eligible, "eligible");
    }

    function _wrongPhase(uint256 oid, Phase actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.ScoreReveal, actual);
    }

    function _refused(uint256 oid, int64[] memory scores, bytes memory reason) private {
        vm.expectRevert(reason);
        revealScores(oid, validator(0), scores);
    }
}
