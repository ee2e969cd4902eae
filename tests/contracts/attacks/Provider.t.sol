// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { OrderTerms } from "../../../contracts/interfaces/IOrderBook.sol";
import { IProofOfTraining, Outcome } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { IStakeVault, Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Commitments } from "../../../contracts/libraries/Commitments.sol";
import { Phase } from "../../../contracts/libraries/Lifecycle.sol";
import { vm } from "../support/Vm.sol";
import { World } from "../support/World.sol";

/// @dev A provider that wants a reward for junk or for a rival's model, or its bond back whatever it does.
contract ProviderAttackTest is World {
    int64 private least = type(int64).min;

    function _terms() internal view override returns (OrderTerms memory t) {
        t = super._terms();
        t.minimumScorePpm = least;
    }

    function test_junk_does_not_win_where_the_client_names_a_minimum() public {
        least = 500_000;
        uint256 oid = scored(_one(row(36)));
        toSealable(oid);
        proof.seal(oid);
        vm.assertTrue(proof.settlementOf(oid).outcome == Outcome.Refunded, "refunded");
        vm.assertEq(treasury.balanceOf(client), REWARD, "all of it");
    }

    function test_a_copied_claim_cannot_be_opened_by_the_copier() public {
        uint256 oid = claimed(1);
        address copier = provider(7);
        enrol(copier, Role.Provider, BOND);
        bytes32 copied = modelCommitment(oid, provider(0));
        vm.prank(copier);
        proof.claim(oid, copied);
        toReveal(oid);
        reveal(oid, provider(0));
        bytes32 actual = Commitments.model(oid, copier, modelRoot(provider(0)), modelCid(provider(0)), SALT);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.WrongOpening.selector, copied, actual));
        vm.prank(copier);
        proof.reveal(oid, modelRoot(provider(0)), modelCid(provider(0)), SALT);
    }

    function test_a_model_seen_in_a_reveal_cannot_be_claimed_any_more() public {
        uint256 oid = claimed(1);
        address thief = provider(7);
        enrol(thief, Role.Provider, BOND);
        toReveal(oid);
        reveal(oid, provider(0));
        bytes32 stolen = Commitments.model(oid, thief, modelRoot(provider(0)), modelCid(provider(0)), SALT);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.Training, Phase.Reveal));
        vm.prank(thief);
        proof.claim(oid, stolen);
    }

    function test_a_stolen_model_loses_the_tie_against_the_earlier_claim() public {
        uint256 oid = claimed(2);
        toReveal(oid);
        reveal(oid, provider(1));
        reveal(oid, provider(0));
        release(oid);
        toScoreCommit(oid);
        enrol(validator(0), Role.Validator, BOND);
        commitScores(oid, validator(0), row(300, 300), VSTAKE);
        toScoreReveal(oid);
        revealScores(oid, validator(0), row(300, 300));
        toSealable(oid);
        proof.seal(oid);
        vm.assertEq(proof.settlementOf(oid).winner, provider(0), "claimed first, revealed last");
    }

    function test_a_provider_cannot_take_its_bond_out_before_it_is_judged() public {
        uint256 oid = claimed(1);
        uint256 bond = _parameters().claimBond;
        vm.prank(provider(0));
        vault.requestExit(Role.Provider, BOND - bond);
        vm.expectRevert(
            abi.encodeWithSelector(IStakeVault.InsufficientFreeBond.selector, provider(0), Role.Provider, 1, 0)
        );
        vm.prank(provider(0));
        vault.requestExit(Role.Provider, 1);
        vm.warp(block.timestamp + 2 days);
        vm.prank(provider(0));
        vault.withdraw(Role.Provider);
        proof.slashUnrevealedClaim(oid, provider(0));
        vm.assertEq(bonded(provider(0), Role.Provider), 0, "slashed whole");
    }

    function test_a_bond_in_one_role_backs_nothing_in_another() public {
        uint256 oid = put();
        enrol(provider(0), Role.Validator, BOND);
        enrol(provider(0), Role.Aggregator, BOND);
        bytes32 commitment = modelCommitment(oid, provider(0));
        vm.expectRevert(
            abi.encodeWithSelector(
                IProofOfTraining.NotActive.selector, provider(0), _parameters().providerMinimum, uint256(0)
            )
        );
        vm.prank(provider(0));
        proof.claim(oid, commitment);
    }

    function test_one_bond_backs_one_claim_at_a_time() public {
        uint256 minimum = _parameters().providerMinimum;
        enrol(provider(0), Role.Provider, minimum);
        claim(put(), provider(0));
        claim(put(), provider(0));
        uint256 third = put();
        bytes32 commitment = modelCommitment(third, provider(0));
        vm.expectRevert(
            abi.encodeWithSelector(
                IStakeVault.InsufficientFreeBond.selector, provider(0), Role.Provider, _parameters().claimBond, 0
            )
        );
        vm.prank(provider(0));
        proof.claim(third, commitment);
    }

    function test_a_provider_that_reports_itself_still_loses_most_of_its_bond() public {
        uint256 oid = claimed(1);
        toScoreCommit(oid);
        uint256 before = token.balanceOf(provider(0)) + bonded(provider(0), Role.Provider);
        vm.prank(provider(0));
        proof.slashUnrevealedClaim(oid, provider(0));
        uint256 afterwards = token.balanceOf(provider(0)) + bonded(provider(0), Role.Provider);
        vm.assertEq(before - afterwards, _parameters().claimBond * 9 / 10, "all but the reporter's tenth is burned");
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.NotSlashable.selector, oid, provider(0)));
        vm.prank(provider(0));
        proof.slashUnrevealedClaim(oid, provider(0));
    }

    function test_whoever_fills_all_places_with_empty_claims_is_slashed_for_each() public {
        uint256 oid = claimed(5);
        toScoreCommit(oid);
        uint256 before = token.totalSupply();
        proof.seal(oid);
        uint256 bond = _parameters().claimBond;
        vm.assertEq(before - token.totalSupply(), 5 * (bond - bond / 10), "burned");
        vm.assertEq(treasury.balanceOf(client), REWARD, "the client has its reward back");
    }

    function test_a_reveal_in_the_second_in_which_the_window_ends_is_too_late() public {
        uint256 oid = claimed(1);
        toScoreCommit(oid);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.Reveal, Phase.Sealable));
        vm.prank(provider(0));
        proof.reveal(oid, modelRoot(provider(0)), modelCid(provider(0)), SALT);
        vm.warp(block.timestamp - 1);
        reveal(oid, provider(0));
    }

    function _one(int64[] memory a) private pure returns (int64[][] memory rows) {
        rows = new int64[][](1);
        rows[0] = a;
    }
}
