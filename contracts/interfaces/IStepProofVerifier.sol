// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title A verifier of proofs of a training step, for one circuit (docs/training-proofs.md)
/// @notice Says whether somebody knows two states of training and a batch behind three hashes, the second state being exactly
/// one step from the first by the batch. Has no state and no owner, and stands in the same registry as the accuracy
/// verifiers; `verifyStep` is named apart from theirs, so neither can be taken for the other.
interface IStepProofVerifier {
    /// @notice The circuit: keccak256 of its canonical description.
    function circuitHash() external view returns (bytes32);

    /// @notice Samples in a batch.
    function samples() external view returns (uint256);

    /// @notice As of an accuracy verifier: whether somebody may know the secret of its set-up.
    function insecure() external view returns (bool);

    /// @notice All four numbers are elements of BN254's scalar field; one that is not below its order is refused.
    /// @param prover the binding of the proof to account, contract, chain and run
    /// @return valid false, or a revert, for whatever is not a proof
    function verifyStep(bytes calldata proof, uint256 oldHash, uint256 newHash, uint256 batchHash, uint256 prover)
        external
        view
        returns (bool valid);
}
