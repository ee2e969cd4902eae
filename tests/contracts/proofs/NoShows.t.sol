// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    IAccuracyProofs,
    ProofPhase,
    ProofTerms,
    ProverStatus
} from "../../../contracts/interfaces/IAccuracyProofs.sol";
import { vm } from "../support/Vm.sol";
import { ProofWorld } from "./support/ProofWorld.sol";

/// @dev What becomes of the bonds.
contract NoShowsTest is ProofWorld {
    function test_who_does_not_prove_loses_the_bond() public {
        bytes32 round = openRound(proofTerms());
        drawn(round, 2);
        submit(round, prover(0), 0, 8);
        submit(round, prover(0), 1, 8);
        submitAll(round, prover(1), 0);
        bytes memory early =
            abi.encodeWithSelector(IAccuracyProofs.NotANoShow.selector, round, prover(0), ProverStatus.Committed);
        vm.expectRevert(early);
        proofs.slashNoShow(round, prover(0));
        toOver(round);
        assertStatus(round, prover(0), ProverStatus.NoShow);
        uint256 supply = token.totalSupply();
        vm.expectEmit(address(proofs));
        emit IAccuracyProofs.NoShowSlashed(round, prover(0), actor("reporter", 0), STAKE / 10, STAKE * 9 / 10);
        vm.prank(actor("reporter", 0));
        proofs.slashNoShow(round, prover(0));
        vm.assertEq(token.balanceOf(actor("reporter", 0)), STAKE / 10, "the reporter's share");
        vm.assertEq(supply - token.totalSupply(), STAKE * 9 / 10, "burned");
        vm.assertEq(token.balanceOf(address(proofs)), STAKE, "the other's bond stays");
        assertStatus(round, prover(0), ProverStatus.Slashed);
        vm.expectRevert(
            abi.encodeWithSelector(IAccuracyProofs.NotANoShow.selector, round, prover(0), ProverStatus.Slashed)
        );
        proofs.slashNoShow(round, prover(0));
        _nothing(round, prover(0));
        vm.expectRevert(
            abi.encodeWithSelector(IAccuracyProofs.NotANoShow.selector, round, prover(1), ProverStatus.BelowMinimum)
        );
        proofs.slashNoShow(round, prover(1));
        vm.expectRevert(
            abi.encodeWithSelector(IAccuracyProofs.NotANoShow.selector, round, prover(2), ProverStatus.None)
        );
        proofs.slashNoShow(round, prover(2));
    }

    function test_who_has_proven_gets_the_bond_back_accepted_or_not() public {
        bytes32 round = openRound(proofTerms());
        drawn(round, 2);
        _nothing(round, prover(0));
        submitAll(round, prover(0), 8);
        vm.expectEmit(address(proofs));
        emit IAccuracyProofs.ProofBondReturned(round, prover(0), STAKE);
        vm.prank(actor("anyone", 0));
        proofs.returnBond(round, prover(0));
        vm.assertEq(token.balanceOf(prover(0)), STAKE, "to the prover, whoever asks");
        _nothing(round, prover(0));
        submitAll(round, prover(1), 1);
        proofs.returnBond(round, prover(1));
        vm.assertEq(token.balanceOf(prover(1)), STAKE, "missing the minimum is no fault");
        vm.assertEq(token.balanceOf(address(proofs)), 0, "all gone");
        _nothing(round, prover(2));
    }

    function test_a_bond_of_nothing_is_never_returned_and_a_no_show_without_one_is_noted() public {
        ProofTerms memory t = proofTerms();
        t.bond = 0;
        bytes32 round = openRound(t);
        drawn(round, 2);
        submitAll(round, prover(0), 8);
        _nothing(round, prover(0));
        toOver(round);
        vm.expectEmit(address(proofs));
        emit IAccuracyProofs.NoShowSlashed(round, prover(1), address(this), 0, 0);
        proofs.slashNoShow(round, prover(1));
        assertStatus(round, prover(1), ProverStatus.Slashed);
        assertPhase(round, ProofPhase.Over);
    }

    function _nothing(bytes32 round, address account) private {
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.NothingToReturn.selector, round, account));
        proofs.returnBond(round, account);
    }
}
