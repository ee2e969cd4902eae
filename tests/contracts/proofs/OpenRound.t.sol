// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAccuracyProofs, ProofPhase, ProofTerms } from "../../../contracts/interfaces/IAccuracyProofs.sol";
import { IVerifierRegistry } from "../../../contracts/interfaces/IVerifierRegistry.sol";
import { vm } from "../support/Vm.sol";
import { ProofWorld } from "./support/ProofWorld.sol";

contract OpenRoundTest is ProofWorld {
    function test_a_round_keeps_its_terms() public {
        ProofTerms memory t = proofTerms();
        bytes32 round = proofs.roundId(opener, KEY);
        vm.assertEq(round, keccak256(abi.encode(opener, KEY)), "id");
        assertPhase(round, ProofPhase.None);
        vm.expectEmit(address(proofs));
        emit IAccuracyProofs.ProofRoundOpened(round, opener, t);
        vm.assertEq(openRound(t), round, "id");
        vm.assertEq(keccak256(abi.encode(proofs.termsOf(round))), keccak256(abi.encode(t)), "terms");
        (uint64 commitUntil, uint64 proveUntil) = proofs.endsOf(round);
        vm.assertEq(commitUntil, block.timestamp + 600, "commits");
        vm.assertEq(proveUntil, 0, "no draw");
        (uint64 drawBlock, uint256 attempts, bytes32 seed) = proofs.drawOf(round);
        vm.assertTrue(drawBlock == 0 && attempts == 0 && seed == 0, "no draw");
        assertPhase(round, ProofPhase.Commit);
    }

    function test_an_opener_has_a_key_once_and_another_opener_its_own() public {
        bytes32 round = openRound(proofTerms());
        ProofTerms memory t = proofTerms();
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.RoundExists.selector, round));
        vm.prank(opener);
        proofs.open(KEY, t);
        vm.prank(prover(0));
        vm.assertTrue(proofs.open(KEY, t) != round, "another");
        openRound("other key", t);
    }

    function test_an_unknown_verifier_is_refused() public {
        ProofTerms memory t = proofTerms();
        t.verifier = "nobody's";
        vm.expectRevert(abi.encodeWithSelector(IVerifierRegistry.UnknownVerifier.selector, bytes32("nobody's")));
        proofs.open(KEY, t);
    }

    function test_what_is_not_there_is_said() public {
        bytes memory unknown = abi.encodeWithSelector(IAccuracyProofs.UnknownRound.selector, bytes32("none"));
        vm.expectRevert(unknown);
        proofs.termsOf("none");
        vm.expectRevert(unknown);
        proofs.draw("none");
        vm.expectRevert(unknown);
        proofs.commit("none", 1);
        vm.expectRevert(unknown);
        proofs.slashNoShow("none", opener);
        vm.expectRevert(unknown);
        proofs.publishBound("none", opener, 1);
        assertPhase("none", ProofPhase.None);
    }

    function test_each_term_has_its_bounds() public {
        ProofTerms memory t = proofTerms();
        (t.chunks, t.draws) = (0, 0);
        _refused(t, "chunks", 1, 65_536, 0);
        t.chunks = 65_537;
        _refused(t, "chunks", 1, 65_536, 65_537);
        t = proofTerms();
        t.draws = 0;
        _refused(t, "draws", 1, 11, 0);
        t.draws = 12;
        _refused(t, "draws", 1, 11, 12);
        (t.chunks, t.draws) = (65_536, 65);
        _refused(t, "draws", 1, 64, 65);
        t = proofTerms();
        t.minimumCorrect = 25;
        _refused(t, "minimumCorrect", 0, 24, 25);
        t = proofTerms();
        t.maximumProvers = 0;
        _refused(t, "maximumProvers", 1, 256, 0);
        t.maximumProvers = 257;
        _refused(t, "maximumProvers", 1, 256, 257);
        t = proofTerms();
        t.commitSeconds = 0;
        _refused(t, "commitSeconds", 1, 30 days, 0);
        t.commitSeconds = 30 days + 1;
        _refused(t, "commitSeconds", 1, 30 days, 30 days + 1);
        t = proofTerms();
        t.proveSeconds = 0;
        _refused(t, "proveSeconds", 1, 30 days, 0);
        t.proveSeconds = 30 days + 1;
        _refused(t, "proveSeconds", 1, 30 days, 30 days + 1);
        t = proofTerms();
        t.gated = true;
        _refused(t, "bond", 0, 0, STAKE);
    }

    function test_the_bounds_themselves_are_allowed() public {
        ProofTerms memory t = proofTerms();
        (t.chunks, t.draws, t.minimumCorrect, t.maximumProvers) = (65_536, 64, 64 * 8, 256);
        (t.commitSeconds, t.proveSeconds, t.bond) = (30 days, 30 days, type(uint96).max);
        vm.assertEq(keccak256(abi.encode(proofs.termsOf(openRound(t)))), keccak256(abi.encode(t)), "largest");
        (t.chunks, t.draws, t.minimumCorrect, t.maximumProvers) = (1, 1, 0, 1);
        (t.commitSeconds, t.proveSeconds, t.bond) = (1, 1, 0);
        t.gated = true;
        vm.assertEq(keccak256(abi.encode(proofs.termsOf(openRound("b", t)))), keccak256(abi.encode(t)), "least");
    }

    function _refused(ProofTerms memory t, string memory term, uint256 least, uint256 most, uint256 actual) private {
        bytes memory refusal =
            abi.encodeWithSelector(IAccuracyProofs.TermOutOfRange.selector, term, least, most, actual);
        vm.expectRevert(refusal);
        proofs.check(t);
        vm.expectRevert(refusal);
        proofs.open(KEY, t);
    }
}
