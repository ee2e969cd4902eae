// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    AccuracyTerms,
    AggregationRule,
    FederatedTerms,
    FederatedWindows,
    Mode,
    OptimizerKind,
    OptimizerTerms,
    PrivacyTerms,
    RuleTerms
} from "../interfaces/FederatedTypes.sol";
import { IFederatedEvents } from "../interfaces/IFederatedEvents.sol";

/// @title What a task's terms may be, and what its rule demands of a posting
/// @notice Pure. Bounds are those of `offchain/federated/aggregation/rule.py` and `server_optimizer.py`.
library TaskTerms {
    uint256 internal constant MAX_PARTICIPANTS = 128;
    uint256 internal constant PPM = 1_000_000;
    uint256 private constant MAX_AMOUNT = 2 ** 90;
    uint256 private constant MAX_SECONDS = 30 days;
    uint256 private constant MAX_JOIN = 365 days;
    uint256 private constant MAX_ORDERS = 8;

    /// @dev Reverts with TermOutOfBounds for the first that is not within its bounds.
    function check(FederatedTerms memory t) internal pure {
        _within("mode", uint256(t.mode), 1, uint256(type(Mode).max));
        bool secure = t.mode == Mode.Secure;
        _within("modelRoot", uint256(t.modelRoot), 1, type(uint256).max);
        _within("dimension", t.dimension, 1, 2 ** 24);
        _within("rounds", t.rounds, 1, 10_000);
        _within("minimumParticipants", t.minimumParticipants, 2, MAX_PARTICIPANTS);
        _within("maximumParticipants", t.maximumParticipants, t.minimumParticipants, MAX_PARTICIPANTS);
        _within("groupSize", t.groupSize, secure ? 3 : 0, secure ? MAX_PARTICIPANTS : 0);
        _within("scaleBits", t.scaleBits, 1, 24);
        _within("maximumSamples", t.maximumSamples, 1, 2 ** 20);
        _within("reward", t.reward, 1, MAX_AMOUNT);
        _within("bond", t.bond, 1, MAX_AMOUNT);
        _within("leaderPenalty", t.leaderPenalty, 1, t.bond);
        _within("leaderSharePpm", t.leaderSharePpm, 0, PPM / 2);
        _within("requestBond", t.requestBond, _leastRequestBond(t), MAX_AMOUNT);
        _checkRule(t.rule);
        _checkOptimizer(t.optimizer);
        _checkPrivacy(t.privacy);
        _checkWindows(t.windows, secure);
        _checkAccuracy(t.accuracy, t.windows.prove);
    }

    /// @return whether the rule is defined for so many columns
    function fits(RuleTerms memory rule, uint256 columns) internal pure returns (bool) {
        if (columns == 0) return false;
        if (!_isKrum(rule.rule)) return true;
        // the rule's own rounding
        // slither-disable-next-line divide-before-multiply
        uint256 hostile = columns * rule.parameter / PPM;
        return columns >= 2 * hostile + 3 && selectedOf(rule, columns) + hostile + 2 <= columns;
    }

    /// @return how many columns `Krum` or `MultiKrum` selects; 0 for other rules
    function selectedOf(RuleTerms memory rule, uint256 columns) internal pure returns (uint256) {
        if (!_isKrum(rule.rule)) return 0;
        uint256 selected = columns * rule.selected / PPM;
        return selected == 0 ? 1 : selected;
    }

    /// @return rows of the measures
    function rowsOf(RuleTerms memory rule, Mode mode, uint256 columns) internal pure returns (uint256 rows) {
        rows = mode == Mode.Secure ? 2 : 1;
        if (rule.rule == AggregationRule.ClippedMean) return rows + 1;
        if (_isKrum(rule.rule)) return rows + columns;
    }

    /// @return bytes of the chunk at this place in a vector of `dimension` numbers of `width` bytes; 0 past its end
    function chunkBytes(uint256 dimension, uint256 chunk, uint256 width) internal pure returns (uint256) {
        if (chunk << 8 >= dimension) return 0;
        uint256 rest = dimension - (chunk << 8);
        return (rest < 256 ? rest : 256) * width;
    }

    /// @return chunks of a vector of `dimension` numbers
    function chunksOf(uint256 dimension) internal pure returns (uint256) {
        return (dimension + 255) >> 8;
    }

    /// @return least so that four pay an even share, and no less than what leading is worth: whoever drives the leader that
    /// was drawn out of the round to lead itself gains nothing
    function _leastRequestBond(FederatedTerms memory t) private pure returns (uint256 least) {
        least = (t.reward - 1) / (4 * uint256(t.minimumParticipants)) + 1;
        uint256 led = (uint256(t.reward) * t.leaderSharePpm + 4 * PPM - 1) / (4 * PPM);
        if (led > least) least = led;
    }

    function _checkRule(RuleTerms memory r) private pure {
        _within("rule", uint256(r.rule), 1, uint256(type(AggregationRule).max));
        bool share = _isKrum(r.rule) || r.rule == AggregationRule.TrimmedMean;
        bool clips = r.rule == AggregationRule.ClippedMean;
        _within("parameter", r.parameter, clips ? 1 : 0, clips ? type(uint32).max : share ? PPM / 2 - 1 : 0);
        _within("selected", r.selected, 0, r.rule == AggregationRule.MultiKrum ? PPM : 0);
    }

    function _checkOptimizer(OptimizerTerms memory o) private pure {
        _within("optimizer", uint256(o.kind), 1, uint256(type(OptimizerKind).max));
        bool adam = o.kind == OptimizerKind.FedAdam;
        _within("learningRate", o.learningRate, 1, 2 ** 31 - 1);
        _within("beta1", o.beta1, 0, o.kind == OptimizerKind.FedAvg ? 0 : 2 ** 16 - 1);
        _within("beta2", o.beta2, 0, adam ? 2 ** 16 - 1 : 0);
        _within("tau", o.tau, adam ? 1 : 0, adam ? 2 ** 15 - 1 : 0);
    }

    function _checkPrivacy(PrivacyTerms memory p) private pure {
        uint256 n = p.orders.length;
        _within("privacy orders", n, 0, MAX_ORDERS);
        _within("privacy costs", p.costs.length, n, n);
        _within("privacy limits", p.limits.length, n, n);
        uint256 last = 1000;
        for (uint256 k = 0; k < n; ++k) {
            _within("privacy order", p.orders[k], last + 1, type(uint32).max);
            _within("privacy cost", p.costs[k], 1, type(uint64).max);
            last = p.orders[k];
        }
    }

    function _checkWindows(FederatedWindows memory w, bool secure) private pure {
        _within("join", w.join, 1, MAX_JOIN);
        _window("keys", w.keys, secure);
        _window("shares", w.shares, secure);
        _window("commit", w.commit, true);
        _window("reveal", w.reveal, !secure);
        _window("request", w.request, true);
        _window("answer", w.answer, true);
        _window("unmask", w.unmask, secure);
        _window("aggregate", w.aggregate, true);
        _window("challenge", w.challenge, true);
        _window("move", w.move, true);
    }

    /// @dev What the proofs' own contract does not ask for; a minimum above the baseline pays all that are accepted.
    function _checkAccuracy(AccuracyTerms memory a, uint256 prove) private pure {
        bool proves = a.verifier != 0;
        _window("prove", prove, proves);
        _within("minimumCorrect", a.minimumCorrect, proves ? uint256(a.baseline) + 1 : 0, proves ? type(uint32).max : 0);
        if (!proves) _within("verifier", uint256(a.chunkRoot) | a.chunks | a.draws | a.baseline, 0, 0);
    }

    function _window(bytes32 name, uint256 actual, bool used) private pure {
        _within(name, actual, used ? 1 : 0, used ? MAX_SECONDS : 0);
    }

    /// @dev Names travel as words, which takes a kilobyte less than strings.
    function _within(bytes32 name, uint256 actual, uint256 minimum, uint256 maximum) private pure {
        if (actual >= minimum && actual <= maximum) return;
        uint256 length = 0;
        while (name[length] != 0) ++length;
        bytes memory text = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            text[i] = name[i];
        }
        revert IFederatedEvents.TermOutOfBounds(string(text), actual, minimum, maximum);
    }

    function _isKrum(AggregationRule rule) private pure returns (bool) {
        return rule == AggregationRule.Krum || rule == AggregationRule.MultiKrum;
    }
}
