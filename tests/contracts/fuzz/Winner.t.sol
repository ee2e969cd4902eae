// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { OrderTerms } from "../../../contracts/interfaces/IOrderBook.sol";
import { ProtocolParameters } from "../../../contracts/interfaces/IParameters.sol";
import { Model, Outcome, Settlement, Tally } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { ScoreFunctions } from "../../../contracts/libraries/ScoreFunctions.sol";
import { Tallies, Votes } from "../../../contracts/libraries/Tallies.sol";
import { between, draw, vm } from "../support/Vm.sol";
import { World } from "../support/World.sol";

/// @dev Tally and winner against a naive recomputation from the scores themselves, after random claims, replacements,
/// reveals, scores and removals.
contract WinnerFuzz is World {
    using Tallies for Votes;

    uint256 private constant VALIDATORS = 4;
    int64 private constant ABSTAIN = ScoreFunctions.ABSTAIN;

    Votes private votes;
    int64[] private live;
    uint16 private minimumValidators = 1;
    int64 private minimumScorePpm = type(int64).min;

    function _terms() internal view override returns (OrderTerms memory t) {
        t = super._terms();
        t.minimumValidators = minimumValidators;
        t.minimumScorePpm = minimumScorePpm;
    }

    function testFuzz_the_tally_equals_a_recount(uint256 seed) public {
        for (uint256 i = 0; i < 40; ++i) {
            uint256 r = draw(seed, i);
            if (live.length != 0 && r % 5 < 2) {
                uint256 index = (r >> 8) % live.length;
                votes.remove(live[index]);
                live[index] = live[live.length - 1];
                live.pop();
            } else {
                int64 score = _extreme(r >> 8);
                votes.add(score);
                live.push(score);
            }
            _recount();
        }
    }

    function testFuzz_the_winner_is_the_naive_one(uint256 seed) public {
        minimumValidators = uint16(between(draw(seed, 1), 1, 3));
        if (draw(seed, 2) % 2 == 0) minimumScorePpm = int64(uint64(draw(seed, 3) % 8 * 1000));
        uint256 oid = _claimsAndReveals(seed);
        uint256 models = proof.modelsOf(oid).length;
        int64[][] memory scores = new int64[][](VALIDATORS);
        for (uint256 v = 0; v < VALIDATORS; ++v) {
            scores[v] = _scores(draw(seed, 100 + v), models);
        }
        _score(oid, scores);
        toChallenge(oid);
        _removals(oid, scores, seed);
        for (uint256 m = 0; m < models; ++m) {
            _checkTally(oid, scores, m);
        }
        toSealable(oid);
        (uint256 winner, bool any) = _naiveWinner(oid, scores);
        (Payout[] memory payouts, uint256 tax) = sealOrder(oid);
        _checkSettlement(oid, scores, winner, any, payouts, tax);
    }

    /// @dev 1 to 5 claims in a drawn order, some replaced, all revealed in another order.
    function _claimsAndReveals(uint256 seed) private returns (uint256 oid) {
        uint256 n = between(draw(seed, 4), 1, 5);
        oid = claimed(n);
        for (uint256 i = 0; i < n; ++i) {
            if (draw(seed, 20 + i) % 2 == 0) claim(oid, provider(i));
        }
        toReveal(oid);
        uint256 first = draw(seed, 5);
        for (uint256 i = 0; i < n; ++i) {
            reveal(oid, provider((first % n + i) % n));
        }
        release(oid);
        toScoreCommit(oid);
    }

    function _score(uint256 oid, int64[][] memory scores) private {
        for (uint256 v = 0; v < VALIDATORS; ++v) {
            enrol(validator(v), Role.Validator, BOND);
            commitScores(oid, validator(v), scores[v], VSTAKE + v);
        }
        toScoreReveal(oid);
        for (uint256 v = 0; v < VALIDATORS; ++v) {
            revealScores(oid, validator(v), scores[v]);
        }
    }

    /// @dev Few distinct values, so that ties and conflicts are common; the last row's first draw is an abstention.
    function _scores(uint256 seed, uint256 models) private pure returns (int64[] memory row) {
        row = new int64[](models);
        for (uint256 m = 0; m < models; ++m) {
            uint256 r = draw(seed, m);
            // most validators agree on a value that depends on the model alone
            row[m] = r % 4 == 0 ? int64(uint64((r >> 8) % 3)) : int64(uint64(draw(m, 7) % 2));
            if (r % 16 == 1) row[m] = ABSTAIN;
        }
    }

    function _removals(uint256 oid, int64[][] memory scores, uint256 seed) private {
        court.open(oid);
        for (uint256 i = 0; i < 6; ++i) {
            uint256 v = draw(seed, 200 + i) % VALIDATORS;
            uint256 m = draw(seed, 300 + i) % scores[v].length;
            if (scores[v][m] == ABSTAIN) continue;
            court.remove(oid, validator(v), uint16(m), address(this));
            scores[v][m] = ABSTAIN;
        }
        court.close(oid, 0);
    }

    function _checkTally(uint256 oid, int64[][] memory scores, uint256 m) private view {
        (uint256 n, uint256 distinct, int64 score) = _naive(scores, m);
        Tally memory t = proof.tallyOf(oid, uint16(m));
        vm.assertEq(t.live, n, "live");
        vm.assertEq(t.distinct, distinct, "distinct");
        vm.assertEq(t.score, score, "score");
        vm.assertTrue(t.eligible == _eligible(n, distinct, score), "eligible");
    }

    function _checkSettlement(
        uint256 oid,
        int64[][] memory scores,
        uint256 winner,
        bool any,
        Payout[] memory payouts,
        uint256 tax
    ) private view {
        uint256 total = tax;
        for (uint256 i = 0; i < payouts.length; ++i) {
            total += payouts[i].amount;
        }
        vm.assertEq(total, REWARD, "exact");
        Settlement memory s = proof.settlementOf(oid);
        vm.assertTrue(s.outcome == (any ? Outcome.Won : Outcome.Refunded), "outcome");
        if (!any) return;
        vm.assertEq(s.modelIndex, winner, "winner");
        vm.assertEq(payouts[0].account, proof.modelsOf(oid)[winner].provider, "paid");
        (uint256 supporters,,) = _naive(scores, winner);
        vm.assertEq(payouts.length, supporters + 1, "its validators only");
    }

    function _naiveWinner(uint256 oid, int64[][] memory scores) private view returns (uint256 winner, bool any) {
        Model[] memory models = proof.modelsOf(oid);
        int64 best;
        for (uint256 m = 0; m < models.length; ++m) {
            (uint256 n, uint256 distinct, int64 score) = _naive(scores, m);
            if (!_eligible(n, distinct, score)) continue;
            bool earlier = any && models[m].sequence < models[winner].sequence;
            if (!any || score > best || (score == best && earlier)) (winner, any, best) = (m, true, score);
        }
    }

    function _eligible(uint256 n, uint256 distinct, int64 score) private view returns (bool) {
        return distinct == 1 && n >= minimumValidators
            && int256(score) * 1_000_000 >= int256(minimumScorePpm) * int256(uint256(SAMPLES));
    }

    function _naive(int64[][] memory scores, uint256 m)
        private
        pure
        returns (uint256 n, uint256 distinct, int64 score)
    {
        for (uint256 v = 0; v < scores.length; ++v) {
            if (scores[v][m] == ABSTAIN) continue;
            ++n;
            bool seen = false;
            for (uint256 w = 0; w < v; ++w) {
                if (scores[w][m] == scores[v][m]) seen = true;
            }
            if (!seen) ++distinct;
            score = scores[v][m];
        }
        if (distinct != 1) score = 0;
    }

    function _recount() private view {
        uint256 distinct = 0;
        for (uint256 i = 0; i < live.length; ++i) {
            bool seen = false;
            for (uint256 j = 0; j < i; ++j) {
                if (live[j] == live[i]) seen = true;
            }
            if (!seen) ++distinct;
        }
        (bool agreed, int64 score) = votes.agreement();
        vm.assertEq(votes.live, live.length, "live");
        vm.assertEq(votes.distinct, distinct, "distinct");
        vm.assertTrue(agreed == (distinct == 1), "agreed");
        vm.assertEq(score, distinct == 1 ? live[0] : int64(0), "score");
    }

    /// @dev Scores at the ends of their type and a few between, so that the sum would overflow if it could.
    function _extreme(uint256 r) private pure returns (int64) {
        uint256 kind = r % 5;
        if (kind == 0) return type(int64).max;
        if (kind == 1) return type(int64).min + 1;
        if (kind == 2) return type(int64).max - 1;
        return int64(uint64(r >> 8) % 3) - 1;
    }
}
