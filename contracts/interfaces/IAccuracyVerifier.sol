// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title A verifier of accuracy proofs, for one circuit and one proof system (docs/proofs.md)
/// @notice Says whether somebody knows a network that is committed to by `modelHash`, and of which at least `correct`
/// samples of the chunk `chunkHash` are classified right. Has no state and no owner. Its code is what a reader checks:
/// `assay prove circuit` makes the same code again from the circuit.
interface IAccuracyVerifier {
    /// @notice The circuit: keccak256 of its canonical description (docs/proofs.md, Circuits).
    function circuitHash() external view returns (bytes32);

    /// @notice Samples in a chunk.
    function samples() external view returns (uint256);

    /// @notice Whether its set-up is one that somebody may know the secret of: a local reference string for tests. Its
    /// constructor reverts outside development chains.
    function insecure() external view returns (bool);

    /// @notice All four numbers are elements of BN254's scalar field; one that is not below its order is refused.
    /// @param correct claimed number of right samples, exact or less
    /// @param prover the binding of the commitment to account, contract, chain and round (docs/proofs.md, Binding)
    /// @return valid false, or a revert, for whatever is not a proof
    function verify(bytes calldata proof, uint256 modelHash, uint256 chunkHash, uint256 correct, uint256 prover)
        external
        view
        returns (bool valid);
}
