// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { AggregateVerifier } from "../../../contracts/federated/AggregateVerifier.sol";
import { RoundDivision } from "../../../contracts/federated/RoundDivision.sol";
import { CoordinateEvidence } from "../../../contracts/interfaces/IAggregateVerifier.sol";
import { Posting } from "../../../contracts/interfaces/IFederatedTraining.sol";

/// @title Asks the real AggregateVerifier for many numbers in one call
contract AggregateHarness {
    AggregateVerifier public immutable VERIFIER = new AggregateVerifier();

    function coordinates(Posting[] calldata postings, CoordinateEvidence[] calldata evidence)
        external
        view
        returns (int256[][] memory claimed, int256[][] memory computed)
    {
        claimed = new int256[][](postings.length);
        computed = new int256[][](postings.length);
        for (uint256 i = 0; i < postings.length; ++i) {
            (claimed[i], computed[i]) = VERIFIER.coordinate(postings[i], evidence[i]);
        }
    }

    function scores(Posting calldata posting, bytes[] calldata rows) external view returns (int256[] memory values) {
        values = new int256[](rows.length);
        for (uint16 i = 0; i < rows.length; ++i) {
            values[i] = VERIFIER.score(posting, i, rows[i]);
        }
    }

    function sums(bytes[] calldata left, bytes[] calldata right, uint256[] calldata lengths)
        external
        view
        returns (int256[] memory dots, int256[] memory distances)
    {
        dots = new int256[](left.length);
        distances = new int256[](left.length);
        for (uint256 i = 0; i < left.length; ++i) {
            dots[i] = VERIFIER.dot(left[i], right[i], lengths[i]);
            distances[i] = VERIFIER.distance(left[i], right[i], lengths[i]);
        }
    }

    function quotients(int256[] calldata numerators, int256[] calldata divisors)
        external
        pure
        returns (int256[] memory values)
    {
        values = new int256[](numerators.length);
        for (uint256 i = 0; i < values.length; ++i) {
            values[i] = RoundDivision.roundDiv(numerators[i], divisors[i]);
        }
    }
}
