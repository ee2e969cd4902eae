// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAccuracyVerifier } from "../../../contracts/interfaces/IAccuracyVerifier.sol";
import { IVerifierRegistry } from "../../../contracts/interfaces/IVerifierRegistry.sol";
import { vm } from "../support/Vm.sol";
import { ProofWorld } from "./support/ProofWorld.sol";
import { ToyVerifier } from "./support/ToyVerifier.sol";

contract RegisterVerifierTest is ProofWorld {
    function test_a_key_names_circuit_and_code() public {
        ToyVerifier other = new ToyVerifier("circuit", 9, false);
        bytes32 key = keccak256(abi.encode(bytes32("circuit"), address(other).codehash));
        vm.assertFalse(registry.isRegistered(key), "not yet");
        vm.expectRevert(abi.encodeWithSelector(IVerifierRegistry.UnknownVerifier.selector, key));
        registry.verifierOf(key);
        vm.expectEmit(address(registry));
        emit IVerifierRegistry.VerifierRegistered(key, "circuit", address(other), 9, false, prover(0));
        vm.prank(prover(0));
        vm.assertEq(registry.register(other), key, "key");
        (IAccuracyVerifier found, uint256 samples) = registry.verifierOf(key);
        vm.assertEq(address(found), address(other), "verifier");
        vm.assertEq(samples, 9, "samples");
        vm.assertTrue(registry.isRegistered(key) && registry.isRegistered(verifierKey), "both");
    }

    function test_nobody_replaces_a_verifier_and_the_same_code_twice_does_no_harm() public {
        ToyVerifier twin = new ToyVerifier("circuit", CHUNK, false);
        vm.expectRevert(
            abi.encodeWithSelector(IVerifierRegistry.AlreadyRegistered.selector, verifierKey, address(verifier))
        );
        registry.register(twin);
    }

    function test_an_account_without_code_is_none_nor_is_one_that_delegates() public {
        vm.expectRevert(abi.encodeWithSelector(IVerifierRegistry.NotAContract.selector, prover(0)));
        registry.register(IAccuracyVerifier(prover(0)));
        vm.etch(prover(0), abi.encodePacked(bytes3(0xef0100), address(verifier)));
        vm.expectRevert(abi.encodeWithSelector(IVerifierRegistry.NotAContract.selector, prover(0)));
        registry.register(IAccuracyVerifier(prover(0)));
    }

    function test_an_insecure_verifier_is_for_development_chains() public {
        ToyVerifier insecure = new ToyVerifier("circuit", CHUNK, true);
        uint16[3] memory others = [uint16(1), 56, 97];
        for (uint256 i = 0; i < 3; ++i) {
            vm.chainId(others[i]);
            vm.expectRevert(
                abi.encodeWithSelector(IVerifierRegistry.InsecureVerifier.selector, address(insecure), others[i])
            );
            registry.register(insecure);
        }
        vm.chainId(1337);
        bytes32 key = registry.register(insecure);
        vm.assertTrue(key != verifierKey, "insecure code is other code");
        vm.chainId(31337);
        vm.assertTrue(registry.isRegistered(registry.register(new ToyVerifier("other", CHUNK, true))), "and there");
    }

    function test_chunks_have_1_to_65535_samples() public {
        uint24[2] memory wrong = [uint24(0), 65_536];
        for (uint256 i = 0; i < 2; ++i) {
            ToyVerifier some = new ToyVerifier("circuit", wrong[i], false);
            vm.expectRevert(abi.encodeWithSelector(IVerifierRegistry.SamplesOutOfRange.selector, 65_535, wrong[i]));
            registry.register(some);
        }
        registry.register(new ToyVerifier("circuit", 65_535, false));
        registry.register(new ToyVerifier("circuit", 1, false));
    }
}
