// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAccuracyProofs, ProofTerms, ProverStatus } from "../../../contracts/interfaces/IAccuracyProofs.sol";
import { IAccuracyVerifier } from "../../../contracts/interfaces/IAccuracyVerifier.sol";
import { IVerifierRegistry } from "../../../contracts/interfaces/IVerifierRegistry.sol";
import { AccuracyProofs } from "../../../contracts/proofs/AccuracyProofs.sol";
import { Groth16Deployment } from "../../../contracts/proofs/Groth16Deployment.sol";
import { vm } from "../support/Vm.sol";
import { Groth16Fixture } from "./support/Groth16Fixture.sol";
import { ProofWorld } from "./support/ProofWorld.sol";

/// @dev A round with real proofs: the contract stands where their binding says it does. Of its two chunks one is real.
contract Groth16RoundsTest is ProofWorld {
    AccuracyProofs private constant ROUNDS = AccuracyProofs(0xa55Aa55AA55Aa55aA55Aa55AA55Aa55aA55AA55a);
    address private constant FIRST = 0x0A0A0a0a0a0a0a0A0a0a0A0a0A0A0A0a0a0a0a0a;
    address private constant SECOND = 0x0B0b0b0b0B0B0B0B0b0b0b0b0B0B0B0B0B0b0B0b;
    bytes32 private constant OTHER_LEAF = keccak256("another chunk");

    bytes32 private round;

    function setUp() public override {
        super.setUp();
        opener = address(0x0E0e0e0E0e0E0E0e0E0e0e0E0e0e0e0e0e0e0e0E);
        // code and immutables go there, storage begins empty
        vm.etch(address(ROUNDS), address(proofs).code);
        proofs = ROUNDS;
        verifierKey = registry.register(_verifier());
        round = openRound(_tinyTerms());
        commit(round, FIRST, Groth16Fixture.modelHash(2));
        commit(round, SECOND, Groth16Fixture.modelHash(3));
        toDraw(round);
        drawNow(round, "block hash");
    }

    function test_the_bindings_are_those_of_the_proofs() public view {
        vm.assertEq(proofs.binding(round, FIRST), Groth16Fixture.prover(2), "first");
        vm.assertEq(proofs.binding(round, SECOND), Groth16Fixture.prover(3), "second");
    }

    function test_a_proof_is_accepted_and_pays_for_nothing_else() public {
        (uint256 draw, bytes32[] memory path) = _place(round);
        proofs.submit(round, FIRST, draw, Groth16Fixture.CHUNK_HASH, path, 3, Groth16Fixture.proof(4));
        uint256 gas = vm.snapshotGasLastCall("proofs", "submit, Groth16, in the call");
        vm.assertLe(gas, 220_000, "with 21,000 and the call's data below 250,000");
        (,, uint256 correct, uint256 proven) = proofs.proverOf(round, FIRST);
        vm.assertTrue(correct == 3 && proven == 1, "counted");
    }

    function test_anothers_proof_count_plus_1_and_a_replay_are_refused() public {
        (uint256 draw, bytes32[] memory path) = _place(round);
        // the second prover has the same network, and shows the first one's proof
        _refused(round, SECOND, draw, path, 3, Groth16Fixture.proof(4));
        _refused(round, FIRST, draw, path, 3, Groth16Fixture.proof(6));
        _refused(round, FIRST, draw, path, 4, Groth16Fixture.proof(4));
        _refused(round, FIRST, draw, path, 2, Groth16Fixture.proof(4));
        proofs.submit(round, FIRST, draw, Groth16Fixture.CHUNK_HASH, path, 3, Groth16Fixture.proof(4));
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.AlreadyProven.selector, round, FIRST, draw));
        proofs.submit(round, FIRST, draw, Groth16Fixture.CHUNK_HASH, path, 3, Groth16Fixture.proof(5));
        proofs.submit(round, SECOND, draw, Groth16Fixture.CHUNK_HASH, path, 3, Groth16Fixture.proof(7));
    }

    function test_another_chunk_is_refused() public {
        (uint256 draw, bytes32[] memory path) = _place(round);
        bytes memory proof = Groth16Fixture.proof(4);
        vm.expectPartialRevert(IAccuracyProofs.WrongChunk.selector);
        proofs.submit(round, FIRST, 1 - draw, Groth16Fixture.CHUNK_HASH, path, 3, proof);
    }

    function test_another_round_is_refused() public {
        bytes32 later = openRound("later", _tinyTerms());
        commit(later, FIRST, Groth16Fixture.modelHash(2));
        toDraw(later);
        drawNow(later, "another hash");
        (uint256 draw, bytes32[] memory path) = _place(later);
        _refused(later, FIRST, draw, path, 3, Groth16Fixture.proof(4));
    }

    function test_another_model_than_the_committed_one_is_refused() public {
        bytes32 later = openRound("later", _tinyTerms());
        commit(later, FIRST, 12_345);
        toDraw(later);
        drawNow(later, "another hash");
        (uint256 draw, bytes32[] memory path) = _place(later);
        _refused(later, FIRST, draw, path, 3, Groth16Fixture.proof(4));
    }

    function test_its_set_up_is_for_development_chains() public {
        bytes memory code = address(_verifier()).code;
        vm.chainId(97);
        // it does not even deploy there; were its code to come there some other way, the registry has none of it
        address smuggled = actor("smuggled", 0);
        vm.etch(smuggled, code);
        vm.expectRevert(abi.encodeWithSelector(IVerifierRegistry.InsecureVerifier.selector, smuggled, 97));
        registry.register(IAccuracyVerifier(smuggled));
    }

    function _verifier() private returns (IAccuracyVerifier) {
        return IAccuracyVerifier(
            address(
                new Groth16Deployment(Groth16Fixture.key(), Groth16Fixture.CIRCUIT_HASH, Groth16Fixture.SAMPLES, true)
            )
        );
    }

    function _tinyTerms() private view returns (ProofTerms memory t) {
        t = proofTerms();
        (t.chunks, t.draws, t.minimumCorrect) = (2, 2, 6);
        t.chunkRoot = keccak256(abi.encode(_leaf(), OTHER_LEAF));
    }

    /// @return draw the one that drew the real chunk, which is the first of two
    function _place(bytes32 of_) private view returns (uint256 draw, bytes32[] memory path) {
        draw = proofs.chunkOf(of_, 0) == 0 ? 0 : 1;
        path = new bytes32[](1);
        path[0] = OTHER_LEAF;
    }

    function _leaf() private pure returns (bytes32) {
        return keccak256(abi.encode(9, Groth16Fixture.CHUNK_HASH));
    }

    function _refused(
        bytes32 of_,
        address account,
        uint256 draw,
        bytes32[] memory path,
        uint256 correct,
        bytes memory proof
    ) private {
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.InvalidProof.selector, of_, account, draw));
        proofs.submit(of_, account, draw, Groth16Fixture.CHUNK_HASH, path, correct, proof);
    }
}
