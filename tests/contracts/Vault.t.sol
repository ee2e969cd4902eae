// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20Errors } from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { Bond, IStakeVault, Role } from "../../contracts/interfaces/IStakeVault.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

contract VaultTest is World {
    uint256 private constant KEY = 0xB0B;
    address private me = vm.addr(KEY);
    address private other = actor("other", 0);

    function test_a_bond_belongs_to_one_account_in_one_role() public {
        fund(me, BOND);
        vm.startPrank(me);
        token.approve(address(vault), BOND);
        vm.expectEmit(address(vault));
        emit IStakeVault.Bonded(me, Role.Verifier, BOND, BOND);
        vault.bond(Role.Verifier, BOND);
        vm.stopPrank();
        vm.assertEq(bonded(me, Role.Verifier), BOND, "bonded");
        vm.assertEq(bonded(me, Role.Provider) + bonded(other, Role.Verifier), 0, "nobody else's");
        vm.assertEq(token.balanceOf(address(vault)), BOND, "tokens");
    }

    function test_bad_bonds_are_refused() public {
        vm.expectRevert(IStakeVault.RoleRequired.selector);
        vault.bond(Role.None, 1);
        vm.expectRevert(IStakeVault.AmountRequired.selector);
        vault.bond(Role.Provider, 0);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(vault), 0, 1));
        vault.bond(Role.Provider, 1);
        uint256 absurd = uint256(type(uint128).max) + 1;
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 128, absurd));
        vault.bond(Role.Provider, absurd);
    }

    function test_a_permit_spares_the_allowance_even_when_front_run() public {
        fund(me, 2 * BOND);
        (uint8 v, bytes32 r, bytes32 s) = _permit(BOND);
        vm.prank(me);
        vault.bondWithPermit(Role.Provider, BOND, block.timestamp, v, r, s);
        (v, r, s) = _permit(BOND);
        token.permit(me, address(vault), BOND, block.timestamp, v, r, s);
        vm.prank(me);
        vault.bondWithPermit(Role.Provider, BOND, block.timestamp, v, r, s);
        vm.assertEq(bonded(me, Role.Provider), 2 * BOND, "both");
    }

    function test_activity_is_a_matter_of_the_role_minimum() public {
        enrol(me, Role.Validator, 100 * UNIT - 1);
        vm.assertFalse(vault.isActive(me, Role.Validator), "one wei short");
        enrol(me, Role.Validator, 1);
        vm.assertTrue(vault.isActive(me, Role.Validator), "enough");
        vm.assertFalse(vault.isActive(me, Role.Provider), "in that role only");
        vm.assertFalse(vault.isActive(me, Role.None), "never in none");
        _exit(Role.Validator, 1);
        vm.assertFalse(vault.isActive(me, Role.Validator), "the queue does not count");
    }

    function test_an_exit_takes_its_time() public {
        enrol(me, Role.Provider, BOND);
        uint64 exitAt = uint64(block.timestamp + 1 days);
        vm.expectEmit(address(vault));
        emit IStakeVault.ExitRequested(me, Role.Provider, BOND / 4, BOND / 4, exitAt);
        _exit(Role.Provider, BOND / 4);
        vm.warp(exitAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.StillExiting.selector, exitAt, exitAt - 1));
        _withdraw(Role.Provider);
        vm.warp(exitAt);
        vm.expectEmit(address(vault));
        emit IStakeVault.Withdrawn(me, Role.Provider, BOND / 4);
        _withdraw(Role.Provider);
        vm.assertEq(token.balanceOf(me), BOND / 4, "out");
        vm.assertEq(bonded(me, Role.Provider), BOND - BOND / 4, "in");
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NothingExiting.selector, me, Role.Provider));
        _withdraw(Role.Provider);
    }

    function test_a_second_request_restarts_the_clock_for_all() public {
        enrol(me, Role.Provider, BOND);
        _exit(Role.Provider, 1);
        vm.warp(block.timestamp + 1 days);
        _exit(Role.Provider, 2);
        Bond memory b = vault.bondOf(me, Role.Provider);
        vm.assertEq(b.exiting, 3, "together");
        vm.assertEq(b.exitAt, block.timestamp + 1 days, "anew");
    }

    function test_an_exit_can_be_taken_back() public {
        enrol(me, Role.Provider, BOND);
        _exit(Role.Provider, BOND);
        vm.expectEmit(address(vault));
        emit IStakeVault.ExitCancelled(me, Role.Provider, BOND, BOND);
        vm.prank(me);
        vault.cancelExit(Role.Provider);
        vm.assertEq(bonded(me, Role.Provider), BOND, "back");
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NothingExiting.selector, me, Role.Provider));
        vm.prank(me);
        vault.cancelExit(Role.Provider);
    }

    function test_what_is_locked_cannot_exit() public {
        enrol(me, Role.Verifier, BOND);
        court.lock(me, Role.Verifier, BOND - 1);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.InsufficientFreeBond.selector, me, Role.Verifier, 2, 1));
        _exit(Role.Verifier, 2);
        _exit(Role.Verifier, 1);
        vm.expectRevert(IStakeVault.AmountRequired.selector);
        _exit(Role.Verifier, 0);
        vm.expectRevert(IStakeVault.RoleRequired.selector);
        _exit(Role.None, 1);
    }

    function test_locks_come_from_the_free_bond_and_return_to_it() public {
        enrol(me, Role.Verifier, BOND);
        vm.expectEmit(address(vault));
        emit IStakeVault.Locked(me, Role.Verifier, "court", BOND, BOND);
        court.lock(me, Role.Verifier, BOND);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.InsufficientFreeBond.selector, me, Role.Verifier, 1, 0));
        court.lock(me, Role.Verifier, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IStakeVault.InsufficientLockedBond.selector, me, Role.Verifier, BOND + 1, BOND)
        );
        court.unlock(me, Role.Verifier, BOND + 1);
        vm.expectEmit(address(vault));
        emit IStakeVault.Unlocked(me, Role.Verifier, "court", BOND, 0);
        court.unlock(me, Role.Verifier, BOND);
    }

    function test_a_locked_bond_is_slashed_and_split() public {
        enrol(me, Role.Verifier, BOND);
        court.lock(me, Role.Verifier, 100);
        uint256 supply = token.totalSupply();
        court.slashLocked(me, Role.Verifier, 99, other, 500_000);
        vm.assertEq(token.balanceOf(other), 49, "half, rounded down");
        vm.assertEq(supply - token.totalSupply(), 50, "the rest burned");
        vm.assertEq(bonded(me, Role.Verifier), BOND - 99, "bond");
        vm.assertEq(locked(me, Role.Verifier), 1, "lock");
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.InsufficientLockedBond.selector, me, Role.Verifier, 2, 1));
        court.slashLocked(me, Role.Verifier, 2, other, 0);
    }

    function test_with_no_beneficiary_all_is_burned() public {
        enrol(me, Role.Verifier, BOND);
        court.lock(me, Role.Verifier, 100);
        uint256 supply = token.totalSupply();
        court.slashLocked(me, Role.Verifier, 100, address(0), 500_000);
        vm.assertEq(supply - token.totalSupply(), 100, "burned");
    }

    function test_with_a_whole_share_nothing_is_burned() public {
        enrol(me, Role.Verifier, BOND);
        court.lock(me, Role.Verifier, 100);
        court.slashLocked(me, Role.Verifier, 100, other, 1_000_000);
        vm.assertEq(token.balanceOf(other), 100, "all");
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.ShareAboveOne.selector, 1_000_000, 1_000_001));
        court.slashLocked(me, Role.Verifier, 0, other, 1_000_001);
    }

    function test_unbonding_stake_stays_slashable() public {
        enrol(me, Role.Verifier, 100);
        court.lock(me, Role.Verifier, 30);
        _exit(Role.Verifier, 50);
        // free: 20, exiting: 50, locked: 30
        vm.expectEmit(address(vault));
        emit IStakeVault.Slashed(me, Role.Verifier, "court", 60, other, 30, 30, false);
        vm.assertEq(court.slashFree(me, Role.Verifier, 60, other, 500_000), 60, "taken");
        Bond memory b = vault.bondOf(me, Role.Verifier);
        vm.assertTrue(b.bonded == 30 && b.locked == 30 && b.exiting == 10, "free first, then the queue");
        vm.assertEq(court.slashFree(me, Role.Verifier, 60, other, 500_000), 10, "what there is");
        vm.assertEq(court.slashFree(me, Role.Verifier, 60, other, 500_000), 0, "nothing left");
        vm.assertEq(locked(me, Role.Verifier), 30, "locks are others' security");
    }

    function test_only_modules_lock_and_slash() public {
        bytes memory reason = abi.encodeWithSelector(IStakeVault.NotAModule.selector, me);
        vm.startPrank(me);
        vm.expectRevert(reason);
        vault.lock(me, Role.Provider, 1, "");
        vm.expectRevert(reason);
        vault.unlock(me, Role.Provider, 1, "");
        vm.expectRevert(reason);
        vault.slashLocked(me, Role.Provider, 1, me, 0, "");
        vm.expectRevert(reason);
        vault.slashFree(me, Role.Provider, 1, me, 0, "");
        vm.stopPrank();
    }

    function _exit(Role role, uint256 amount) private {
        vm.prank(me);
        vault.requestExit(role, amount);
    }

    function _withdraw(Role role) private {
        vm.prank(me);
        vault.withdraw(role);
    }

    function _permit(uint256 amount) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 kind = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 message = keccak256(abi.encode(kind, me, address(vault), amount, token.nonces(me), block.timestamp));
        return vm.sign(KEY, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), message)));
    }
}
