// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAccuracyVerifier } from "../../../../contracts/interfaces/IAccuracyVerifier.sol";

/// @dev For the rounds' own rules: a proof is a hash of what it proves. The real verifiers have tests of their own
/// (Groth16Rounds.t.sol, tests/integration/proofs).
contract ToyVerifier is IAccuracyVerifier {
    bytes32 public immutable circuitHash;
    uint256 public immutable samples;
    bool public immutable insecure;

    constructor(bytes32 circuitHash_, uint256 samples_, bool insecure_) {
        circuitHash = circuitHash_;
        samples = samples_;
        insecure = insecure_;
    }

    function verify(bytes calldata proof, uint256 modelHash, uint256 chunkHash, uint256 correct, uint256 prover)
        external
        view
        virtual
        returns (bool)
    {
        return keccak256(proof) == keccak256(prove(modelHash, chunkHash, correct, prover));
    }

    function prove(uint256 modelHash, uint256 chunkHash, uint256 correct, uint256 prover)
        public
        pure
        returns (bytes memory)
    {
        return abi.encode("toy", modelHash, chunkHash, correct, prover);
    }
}

/// @dev Says yes to whatever it can turn to its profit, were it let.
contract HostileVerifier is ToyVerifier {
    enum Way {
        Reverts,
        BurnsGas,
        CallsBack
    }

    Way private immutable _WAY;

    constructor(Way way) ToyVerifier("hostile", 8, false) {
        _WAY = way;
    }

    function verify(bytes calldata proof, uint256, uint256, uint256, uint256) external view override returns (bool) {
        if (_WAY == Way.Reverts) revert("no proof of mine");
        if (_WAY == Way.BurnsGas) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        // the proof is what to call back with: a static call, which can change nothing
        (address target, bytes memory data) = abi.decode(proof, (address, bytes));
        (bool ok,) = target.staticcall(data);
        return ok;
    }
}
