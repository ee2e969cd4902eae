// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAccuracyProofs, ProofTerms, ProverStatus } from "../../../contracts/interfaces/IAccuracyProofs.sol";
import { ConfidenceBounds } from "../../../contracts/proofs/ConfidenceBounds.sol";
import { between, vm } from "../support/Vm.sol";
import { ProofWorld } from "./support/ProofWorld.sol";

contract BoundsTest is ProofWorld {
    function test_the_bounds_of_known_counts() public view {
        // R: floor(1e6 * qbeta(0.05, correct, outOf - correct + 1))
        uint24[3][9] memory known = [
            [uint24(63), 64, 928_010],
            [uint24(121), 128, 899_738],
            [uint24(247), 256, 939_454],
            [uint24(584), 600, 959_778],
            [uint24(64), 64, 954_270],
            [uint24(5), 5, 549_280],
            [uint24(1), 1, 50_000],
            [uint24(0), 7, 0],
            [uint24(1), 1_000_000, 0]
        ];
        for (uint256 i = 0; i < known.length; ++i) {
            vm.assertEq(proofs.lowerBoundPpm(known[i][0], known[i][1]), known[i][2], "bound");
        }
        vm.assertEq(proofs.lowerBoundPpm(0, 0), 0, "nothing says nothing");
    }

    function test_counts_are_in_range() public {
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.CountOutOfRange.selector, 5, 6));
        proofs.lowerBoundPpm(6, 5);
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.CountOutOfRange.selector, type(uint32).max, 1 << 32));
        proofs.lowerBoundPpm(6, 1 << 32);
    }

    /// forge-config: default.fuzz.runs = 300
    function testFuzz_a_bound_rises_with_the_count_and_only_it_is_one(uint256 correct, uint256 outOf, uint256 other)
        public
        pure
    {
        outOf = between(outOf, 1, 500);
        correct = between(correct, 1, outOf);
        uint256 bound = ConfidenceBounds.lowerBoundPpm(correct, outOf);
        vm.assertLt(bound, correct * PPM / outOf, "below the share");
        vm.assertLe(ConfidenceBounds.lowerBoundPpm(correct - 1, outOf), bound, "monotonous");
        vm.assertTrue(ConfidenceBounds.isLowerBound(correct, outOf, bound), "it is");
        other = between(other, 0, PPM);
        if (other != bound) vm.assertFalse(ConfidenceBounds.isLowerBound(correct, outOf, other), "no other is");
    }

    function test_anybody_puts_the_bound_on_record_once_all_is_proven() public {
        bytes32 round = openRound(proofTerms());
        drawn(round, 1);
        submit(round, prover(0), 0, 8);
        submit(round, prover(0), 1, 8);
        bytes memory refusal =
            abi.encodeWithSelector(IAccuracyProofs.NotProven.selector, round, prover(0), ProverStatus.Committed);
        vm.expectRevert(refusal);
        proofs.publishBound(round, prover(0), 0);
        vm.expectRevert(refusal);
        proofs.boundOf(round, prover(0));
        submit(round, prover(0), 2, 6);
        (uint256 bound, bool exact) = proofs.boundOf(round, prover(0));
        vm.assertEq(bound, 760_198, "22 of 24");
        vm.assertFalse(exact, "3 of 11 chunks");
        for (uint256 i = 0; i < 2; ++i) {
            uint256 wrong = bound - 1 + 2 * i;
            vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.WrongBound.selector, 22, 24, wrong));
            proofs.publishBound(round, prover(0), wrong);
        }
        vm.expectEmit(address(proofs));
        emit IAccuracyProofs.BoundPublished(round, prover(0), bound, false);
        proofs.publishBound(round, prover(0), bound);
    }

    function test_where_all_chunks_are_drawn_the_share_is_exact() public {
        ProofTerms memory t = proofTerms();
        t.draws = 11;
        bytes32 round = openRound(t);
        drawn(round, 1);
        submitAll(round, prover(0), 7);
        (uint256 bound, bool exact) = proofs.boundOf(round, prover(0));
        vm.assertTrue(bound == 875_000 && exact, "77 of 88");
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.WrongBound.selector, 77, 88, 874_999));
        proofs.publishBound(round, prover(0), 874_999);
        vm.expectEmit(address(proofs));
        emit IAccuracyProofs.BoundPublished(round, prover(0), bound, true);
        proofs.publishBound(round, prover(0), bound);
    }
}
