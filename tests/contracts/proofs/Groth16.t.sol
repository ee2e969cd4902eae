// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IGroth16Verifier } from "../../../contracts/interfaces/IGroth16Verifier.sol";
import { Groth16Deployment } from "../../../contracts/proofs/Groth16Deployment.sol";
import { Groth16Verifier } from "../../../contracts/proofs/Groth16Verifier.sol";
import { between, draw, vm } from "../support/Vm.sol";
import { Groth16Fixture } from "./support/Groth16Fixture.sol";

/// @dev Real proofs of a tiny circuit, and everything near them that is none.
contract Groth16Test {
    uint256 private constant FIELD = 21888242871839275222246405745257275088696311157297823662689037894645226208583;
    uint256 private constant ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant GAS = 1_000_000;

    IGroth16Verifier private verifier;

    function setUp() public {
        verifier = deploy(true);
    }

    function deploy(bool insecure) private returns (IGroth16Verifier) {
        return IGroth16Verifier(
            address(
                new Groth16Deployment(
                    Groth16Fixture.key(), Groth16Fixture.CIRCUIT_HASH, Groth16Fixture.SAMPLES, insecure
                )
            )
        );
    }

    /// @dev With bounded gas, for a precompile that refuses takes all it is given.
    function holds(bytes memory proof, uint256[4] memory numbers) private view returns (bool) {
        try verifier.verify{ gas: GAS }(proof, numbers[0], numbers[1], numbers[2], numbers[3]) returns (bool valid) {
            return valid;
        } catch {
            return false;
        }
    }

    function statement(uint256 index) private pure returns (uint256[4] memory) {
        return [
            Groth16Fixture.modelHash(index),
            Groth16Fixture.CHUNK_HASH,
            Groth16Fixture.CORRECT,
            Groth16Fixture.prover(index)
        ];
    }

    function word(bytes memory data, uint256 index) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(data, 32), mul(32, index)))
        }
    }

    function put(bytes memory data, uint256 index, uint256 value) private pure {
        assembly ("memory-safe") {
            mstore(add(add(data, 32), mul(32, index)), value)
        }
    }

    function test_proofs_hold_and_two_of_one_statement_differ() public view {
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertTrue(holds(Groth16Fixture.proof(i), statement(i / 2)), "holds");
        }
        vm.assertTrue(
            keccak256(Groth16Fixture.proof(0)) != keccak256(Groth16Fixture.proof(1)), "two proofs are not the same"
        );
    }

    function test_the_code_is_the_text_and_then_the_key() public {
        bytes memory data = abi.encode(Groth16Fixture.key(), Groth16Fixture.CIRCUIT_HASH, Groth16Fixture.SAMPLES, true);
        vm.assertEq(
            keccak256(address(verifier).code),
            keccak256(abi.encodePacked(address(new Groth16Verifier()).code, data)),
            "code"
        );
        vm.assertEq(verifier.circuitHash(), Groth16Fixture.CIRCUIT_HASH, "circuit");
        vm.assertEq(verifier.samples(), Groth16Fixture.SAMPLES, "samples");
        vm.assertTrue(verifier.insecure() && !deploy(false).insecure(), "insecure");
        vm.assertEq(keccak256(abi.encode(verifier.verifyingKey())), keccak256(abi.encode(Groth16Fixture.key())), "key");
    }

    /// @dev A call of its own: a constructor's revert that is expected would end the test.
    function made(bool insecure) external returns (IGroth16Verifier) {
        return deploy(insecure);
    }

    function test_an_insecure_one_is_for_development_chains() public {
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(IGroth16Verifier.InsecureOutsideDevelopment.selector, 1));
        this.made(true);
        vm.assertFalse(this.made(false).insecure(), "one that is secure");
        vm.chainId(1337);
        vm.assertTrue(this.made(true).insecure(), "a development chain");
    }

    function test_no_other_statement() public view {
        bytes memory proof = Groth16Fixture.proof(0);
        for (uint256 i = 0; i < 4; ++i) {
            uint256[4] memory numbers = statement(0);
            numbers[i] += 1;
            vm.assertFalse(holds(proof, numbers), "one more");
            numbers[i] -= 2;
            vm.assertFalse(holds(proof, numbers), "one less");
            numbers[i] = statement(0)[i] + ORDER;
            vm.assertFalse(holds(proof, numbers), "the same residue");
            numbers[i] = type(uint256).max;
            vm.assertFalse(holds(proof, numbers), "not in the field");
        }
        vm.assertFalse(holds(proof, statement(1)), "another prover's");
    }

    function test_no_other_bytes() public view {
        for (uint256 i = 0; i < 8; ++i) {
            for (uint256 way = 0; way < 4; ++way) {
                bytes memory proof = Groth16Fixture.proof(0);
                uint256 value = word(proof, i);
                put(proof, i, [value ^ 1, FIELD - value, value + FIELD, 0][way]);
                vm.assertFalse(holds(proof, statement(0)), "changed word");
            }
        }
    }

    function test_no_other_length() public view {
        bytes memory proof = Groth16Fixture.proof(0);
        vm.assertFalse(holds("", statement(0)), "nothing");
        vm.assertFalse(holds(abi.encodePacked(proof, uint8(0)), statement(0)), "longer");
        vm.assertFalse(holds(new bytes(256), statement(0)), "infinity");
        assembly ("memory-safe") {
            mstore(proof, 255)
        }
        vm.assertFalse(holds(proof, statement(0)), "shorter");
    }

    /// @dev Anyone may turn (A, B, C) into (-A, -B, C): another proof of the same statement, and of no other.
    function test_a_proof_can_be_turned_and_says_the_same() public view {
        bytes memory proof = Groth16Fixture.proof(0);
        put(proof, 1, FIELD - word(proof, 1));
        put(proof, 4, FIELD - word(proof, 4));
        put(proof, 5, FIELD - word(proof, 5));
        vm.assertTrue(holds(proof, statement(0)), "the same statement");
        vm.assertFalse(holds(proof, statement(1)), "no other");
    }

    /// @dev (x, y) on the twist but not in the group of prime order: x = 1 in Fq2 has such a y.
    function test_a_point_outside_the_group_is_refused() public view {
        bytes memory proof = Groth16Fixture.proof(0);
        uint256[4] memory outside = Groth16Fixture.outside();
        for (uint256 i = 0; i < 4; ++i) {
            put(proof, 2 + i, outside[i]);
        }
        vm.assertFalse(holds(proof, statement(0)), "outside");
    }

    function testFuzz_a_changed_proof(uint256 seed) public view {
        bytes memory proof = Groth16Fixture.proof(between(draw(seed, 0), 0, 1));
        uint256 index = between(draw(seed, 1), 0, 7);
        put(proof, index, word(proof, index) ^ (1 << between(draw(seed, 2), 0, 255)));
        vm.assertFalse(holds(proof, statement(0)), "changed bit");
    }

    function test_gas() public {
        verifier.verify(
            Groth16Fixture.proof(0),
            Groth16Fixture.modelHash(0),
            Groth16Fixture.CHUNK_HASH,
            Groth16Fixture.CORRECT,
            Groth16Fixture.prover(0)
        );
        uint256 spent = vm.snapshotGasLastCall("Groth16Verifier", "verify");
        vm.assertLe(spent, 206_000, "gas");
    }
}
