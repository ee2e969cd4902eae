// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ProtocolParameters } from "../../../contracts/interfaces/IParameters.sol";
import { Bond, Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { between, vm } from "../support/Vm.sol";
import { World } from "../support/World.sol";

/// @dev A slash takes what was locked and no more; nothing appears or vanishes besides what is burned; reporting
/// yourself never pays.
contract SlashingFuzz is World {
    address private me = actor("me", 0);
    address private other = actor("other", 0);

    function testFuzz_a_slash_is_bounded_and_conserves(uint256 bond, uint256 lock, uint256 amount, uint256 share)
        public
    {
        bond = between(bond, 1, SUPPLY);
        lock = between(lock, 0, bond);
        amount = between(amount, 0, lock);
        share = between(share, 0, PPM);
        enrol(me, Role.Verifier, bond);
        court.lock(me, Role.Verifier, lock);
        uint256 supply = token.totalSupply();
        court.slashLocked(me, Role.Verifier, amount, other, share);
        Bond memory b = vault.bondOf(me, Role.Verifier);
        vm.assertEq(b.bonded, bond - amount, "bond");
        vm.assertEq(b.locked, lock - amount, "lock");
        vm.assertEq(token.balanceOf(address(vault)), b.bonded, "tokens");
        uint256 burned = supply - token.totalSupply();
        vm.assertEq(token.balanceOf(other) + burned, amount, "split");
        vm.assertEq(token.balanceOf(other), amount * share / PPM, "share");
    }

    function testFuzz_free_stake_is_slashed_up_to_what_there_is(
        uint256 bond,
        uint256 exiting,
        uint256 lock,
        uint256 amount
    ) public {
        bond = between(bond, 1, SUPPLY);
        exiting = between(exiting, 0, bond);
        lock = between(lock, 0, bond - exiting);
        amount = between(amount, 0, type(uint256).max);
        enrol(me, Role.Verifier, bond);
        if (exiting != 0) {
            vm.prank(me);
            vault.requestExit(Role.Verifier, exiting);
        }
        court.lock(me, Role.Verifier, lock);
        uint256 taken = court.slashFree(me, Role.Verifier, amount, other, 0);
        Bond memory b = vault.bondOf(me, Role.Verifier);
        vm.assertEq(taken, amount < bond - lock ? amount : bond - lock, "as much as there is");
        vm.assertEq(b.locked, lock, "locks untouched");
        vm.assertGe(b.bonded, b.locked, "covered");
        vm.assertEq(b.bonded + b.exiting, bond - taken, "bond and queue");
        vm.assertEq(token.balanceOf(address(vault)), bond - taken, "tokens");
        if (b.exiting < exiting) vm.assertEq(b.bonded, lock, "free bond before the queue");
    }

    function testFuzz_reporting_yourself_costs_at_least_half(uint256 share, uint256 bond, bool bySealing) public {
        ProtocolParameters memory p = _parameters();
        p.reporterSharePpm = uint32(between(share, 0, 500_000));
        p.claimBond = between(bond, 1, BOND);
        parameters.setParameters(p);
        uint256 oid = claimed(1);
        toSealable(oid);
        vm.prank(provider(0));
        if (bySealing) proof.seal(oid);
        else proof.slashUnrevealedClaim(oid, provider(0));
        uint256 left = token.balanceOf(provider(0)) + bonded(provider(0), Role.Provider);
        vm.assertGe(2 * (BOND - left), p.claimBond, "half at least is lost");
        vm.assertLe(BOND - left, p.claimBond, "the claim's bond at most");
    }

    function testFuzz_silent_scores_cost_their_stake_and_no_more(uint256 vStake, uint256 share) public {
        ProtocolParameters memory p = _parameters();
        p.reporterSharePpm = uint32(between(share, 0, 500_000));
        parameters.setParameters(p);
        vStake = between(vStake, p.minimumVStake, BOND / 3);
        uint256 oid = revealed(3);
        enrol(me, Role.Validator, BOND);
        vm.prank(me);
        proof.commitScores(oid, SALT, vStake);
        toChallenge(oid);
        vm.prank(me);
        proof.slashUnrevealedScores(oid, me);
        uint256 left = token.balanceOf(me) + bonded(me, Role.Validator);
        vm.assertGe(2 * (BOND - left), 3 * vStake, "half at least is lost");
        vm.assertEq(bonded(me, Role.Validator), BOND - 3 * vStake, "only what was behind it");
        vm.assertEq(locked(me, Role.Validator), 0, "nothing locked");
    }
}
