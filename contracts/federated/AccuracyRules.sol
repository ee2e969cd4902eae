// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { AccuracyTerms } from "../interfaces/FederatedTypes.sol";
import { ProofTerms } from "../interfaces/IAccuracyProofs.sol";
import { TaskTerms } from "./TaskTerms.sol";

/// @title The terms of the rounds of proofs that a task opens
library AccuracyRules {
    /// @param proveSeconds the task's window
    /// @param commitSeconds from opening to the end of the commits
    function proofTerms(AccuracyTerms memory a, uint32 proveSeconds, uint256 commitSeconds)
        internal
        pure
        returns (ProofTerms memory)
    {
        return ProofTerms({
            verifier: a.verifier,
            chunkRoot: a.chunkRoot,
            chunks: a.chunks,
            draws: a.draws,
            minimumCorrect: a.minimumCorrect,
            maximumProvers: uint16(TaskTerms.MAX_PARTICIPANTS),
            commitSeconds: uint32(commitSeconds),
            proveSeconds: proveSeconds,
            // the stake in the task is the bond
            bond: 0,
            gated: true
        });
    }
}
