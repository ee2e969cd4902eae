// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { CoordinateEvidence, IAggregateVerifier } from "../interfaces/IAggregateVerifier.sol";
import { Posting } from "../interfaces/FederatedTypes.sol";
import { AggregateRules } from "./AggregateRules.sol";
import { ServerSteps } from "./ServerSteps.sol";
import { Vectors } from "./Vectors.sol";
import { KrumScores } from "./rules/KrumScores.sol";

/// @title AggregateVerifier
/// @notice Apart from the court only because both would not fit one contract.
contract AggregateVerifier is IAggregateVerifier {
    /// @inheritdoc IAggregateVerifier
    function coordinate(Posting calldata posting, CoordinateEvidence calldata evidence)
        external
        pure
        returns (int256[] memory claimed, int256[] memory computed)
    {
        Posting memory p = posting;
        // empty, and zeros, is what a rule or an optimiser without them is given
        // slither-disable-start uninitialized-local
        uint32[] memory weights;
        int256[] memory squares;
        int256[3] memory old;
        // slither-disable-end uninitialized-local
        if (AggregateRules.weighs(p)) weights = Vectors.uint32s(evidence.column, 2 * uint256(p.columns), p.columns);
        if (AggregateRules.clips(p)) squares = Vectors.int64s(evidence.norms, p.columns);
        int256[] memory values = Vectors.int16s(evidence.column, p.columns);
        int256 a = AggregateRules.combine(p, values, weights, squares);
        claimed = _words(p, evidence.coordinate, evidence.newLeaf);
        computed = _words(p, evidence.coordinate, evidence.oldLeaf);
        for (uint256 i = 1; i < computed.length; ++i) {
            old[i - 1] = computed[i];
        }
        int256[3] memory next = ServerSteps.step(p.optimizer, old, a);
        computed[0] = a;
        for (uint256 i = 1; i < computed.length; ++i) {
            computed[i] = next[i - 1];
        }
    }

    /// @inheritdoc IAggregateVerifier
    function score(Posting calldata posting, uint16 own, bytes calldata row) external pure returns (int256) {
        return KrumScores.score(Vectors.int64s(row, posting.columns), own, AggregateRules.part(posting));
    }

    /// @inheritdoc IAggregateVerifier
    function dot(bytes calldata left, bytes calldata right, uint256 length) external pure returns (int256) {
        return Vectors.dot(left, right, length);
    }

    /// @inheritdoc IAggregateVerifier
    function distance(bytes calldata left, bytes calldata right, uint256 length) external pure returns (int256) {
        return Vectors.distance(left, right, length);
    }

    /// @return words of a coordinate in a leaf of a result: the aggregate, then those of the optimiser
    function _words(Posting memory p, uint32 place, bytes calldata content)
        private
        pure
        returns (int256[] memory words)
    {
        uint256 length = Vectors.lengthOf(p.dimension, place / Vectors.CHUNK);
        uint256 within = place % Vectors.CHUNK;
        words = new int256[](1 + ServerSteps.wordsOf(p.optimizer.kind));
        words[0] = Vectors.int16At(content, 2 * within);
        for (uint256 i = 1; i < words.length; ++i) {
            words[i] = Vectors.int32At(content, (4 * i - 2) * length + 4 * within);
        }
    }
}
