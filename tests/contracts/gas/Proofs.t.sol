// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ProofTerms } from "../../../contracts/interfaces/IAccuracyProofs.sol";
import { Groth16Fixture } from "../proofs/support/Groth16Fixture.sol";
import { Groth16World } from "../proofs/support/Groth16World.sol";
import { ToyVerifier } from "../proofs/support/ToyVerifier.sol";
import { vm } from "../support/Vm.sol";

/// @dev What a round of accuracy proofs costs whom, with real Groth16 proofs of a chunk out of 1,024, whatever the model's
/// size.
contract ProofGasTest is Groth16World {
    function chunks() internal pure override returns (uint256) {
        return 1_024;
    }

    function proofTerms() internal view override returns (ProofTerms memory t) {
        t = super.proofTerms();
        (t.draws, t.minimumCorrect) = (1, 3);
    }

    function test_gas_of_a_round() public {
        bytes32 round = openRound(proofTerms());
        _note("proofs: open a round");
        commit(round, FIRST, Groth16Fixture.modelHash(2));
        _note("proofs: commit");
        commit(round, SECOND, Groth16Fixture.modelHash(3));
        toDraw(round);
        uint256 snapshot = vm.snapshotState();
        proofs.draw(round);
        _note("proofs: draw, name a block");
        vm.revertToState(snapshot);
        drawReal(round);
        _note("proofs: draw, read its hash");
        bytes32[] memory path = pathOf(0);
        proofs.submit(round, FIRST, 0, Groth16Fixture.CHUNK_HASH, path, 3, Groth16Fixture.proof(4));
        vm.assertLe(_note("proofs: submit, Groth16"), 250_000, "the whole transaction");
        proofs.publishBound(round, FIRST, proofs.lowerBoundPpm(3, 4));
        _note("proofs: publishBound, 3 of 4 samples");
        proofs.returnBond(round, FIRST);
        _note("proofs: returnBond");
        toOver(round);
        proofs.slashNoShow(round, SECOND);
        _note("proofs: slashNoShow");
    }

    function test_gas_of_a_verifier() public {
        registry.register(new ToyVerifier("another circuit", 64, false));
        _note("proofs: register a verifier");
    }

    function _note(string memory action) private returns (uint256) {
        return vm.snapshotGasLastCall("actions", action);
    }
}
