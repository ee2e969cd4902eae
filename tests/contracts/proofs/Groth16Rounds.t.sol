// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAccuracyProofs } from "../../../contracts/interfaces/IAccuracyProofs.sol";
import { IAccuracyVerifier } from "../../../contracts/interfaces/IAccuracyVerifier.sol";
import { IVerifierRegistry } from "../../../contracts/interfaces/IVerifierRegistry.sol";
import { vm } from "../support/Vm.sol";
import { Groth16Fixture } from "./support/Groth16Fixture.sol";
import { Groth16World } from "./support/Groth16World.sol";

/// @dev A round with real proofs, of which attackers have some.
contract Groth16RoundsTest is Groth16World {
    bytes32 private round;
    bytes32[] private path;

    function setUp() public override {
        super.setUp();
        path = pathOf(0);
        round = openRound(proofTerms());
        commit(round, FIRST, Groth16Fixture.modelHash(2));
        commit(round, SECOND, Groth16Fixture.modelHash(3));
        drawReal(round);
    }

    function test_the_bindings_are_those_of_the_proofs() public view {
        vm.assertEq(proofs.binding(round, FIRST), Groth16Fixture.prover(2), "first");
        vm.assertEq(proofs.binding(round, SECOND), Groth16Fixture.prover(3), "second");
    }

    function test_a_proof_is_accepted_and_pays_for_nothing_else() public {
        proofs.submit(round, FIRST, 0, Groth16Fixture.CHUNK_HASH, path, 3, Groth16Fixture.proof(4));
        (,, uint256 correct, uint256 proven) = proofs.proverOf(round, FIRST);
        vm.assertTrue(correct == 3 && proven == 1, "counted");
    }

    function test_anothers_proof_count_plus_1_and_a_replay_are_refused() public {
        // the second prover has the same network, and shows the first one's proof
        _refused(round, SECOND, 3, Groth16Fixture.proof(4));
        _refused(round, FIRST, 3, Groth16Fixture.proof(6));
        _refused(round, FIRST, 4, Groth16Fixture.proof(4));
        _refused(round, FIRST, 2, Groth16Fixture.proof(4));
        proofs.submit(round, FIRST, 0, Groth16Fixture.CHUNK_HASH, path, 3, Groth16Fixture.proof(4));
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.AlreadyProven.selector, round, FIRST, 0));
        proofs.submit(round, FIRST, 0, Groth16Fixture.CHUNK_HASH, path, 3, Groth16Fixture.proof(5));
        proofs.submit(round, SECOND, 0, Groth16Fixture.CHUNK_HASH, path, 3, Groth16Fixture.proof(7));
    }

    function test_another_chunk_is_refused() public {
        bytes memory proof = Groth16Fixture.proof(4);
        vm.expectPartialRevert(IAccuracyProofs.WrongChunk.selector);
        proofs.submit(round, FIRST, 1, Groth16Fixture.CHUNK_HASH, path, 3, proof);
    }

    function test_another_round_is_refused() public {
        bytes32 later = openRound("later", proofTerms());
        commit(later, FIRST, Groth16Fixture.modelHash(2));
        drawReal(later);
        _refused(later, FIRST, 3, Groth16Fixture.proof(4));
    }

    function test_another_model_than_the_committed_one_is_refused() public {
        bytes32 later = openRound("later", proofTerms());
        commit(later, FIRST, 12_345);
        drawReal(later);
        _refused(later, FIRST, 3, Groth16Fixture.proof(4));
    }

    function test_its_set_up_is_for_development_chains() public {
        bytes memory code = address(newVerifier()).code;
        vm.chainId(97);
        // it does not even deploy there; were its code to come there some other way, the registry has none of it
        address smuggled = actor("smuggled", 0);
        vm.etch(smuggled, code);
        vm.expectRevert(abi.encodeWithSelector(IVerifierRegistry.InsecureVerifier.selector, smuggled, 97));
        registry.register(IAccuracyVerifier(smuggled));
    }

    function _refused(bytes32 of_, address account, uint256 correct, bytes memory proof) private {
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.InvalidProof.selector, of_, account, 0));
        proofs.submit(of_, account, 0, Groth16Fixture.CHUNK_HASH, path, correct, proof);
    }
}
