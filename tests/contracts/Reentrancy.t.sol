// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { Payout } from "../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../contracts/interfaces/IStakeVault.sol";
import { RewardTreasury } from "../../contracts/RewardTreasury.sol";
import { StakeVault } from "../../contracts/StakeVault.sol";
import { HostileToken } from "./support/HostileToken.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

/// @dev Were the token to call back, nobody would be paid twice; and tokens sent unasked change nothing.
contract ReentrancyTest is World {
    bytes4 private guard = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;

    HostileToken private hostile;
    StakeVault private victim;

    function setUp() public override {
        super.setUp();
        hostile = new HostileToken();
        victim = new StakeVault(
            hostile, parameters, address(this), address(0), address(0), address(0), address(0), address(0)
        );
        hostile.approve(address(victim), type(uint256).max);
    }

    function test_a_bond_cannot_be_reentered() public {
        hostile.arm(address(victim), abi.encodeCall(victim.bond, (Role.Provider, 1)));
        vm.expectRevert(guard);
        victim.bond(Role.Provider, 1);
    }

    function test_a_withdrawal_cannot_be_reentered() public {
        victim.bond(Role.Provider, 10);
        victim.requestExit(Role.Provider, 10);
        vm.warp(block.timestamp + 1 days);
        hostile.arm(address(victim), abi.encodeCall(victim.withdraw, (Role.Provider)));
        vm.expectRevert(guard);
        victim.withdraw(Role.Provider);
    }

    function test_a_slash_cannot_be_reentered() public {
        victim.bond(Role.Provider, 10);
        victim.lock(address(this), Role.Provider, 10, "");
        hostile.arm(address(victim), abi.encodeCall(victim.withdraw, (Role.Provider)));
        vm.expectRevert(guard);
        victim.slashLocked(address(this), Role.Provider, 10, client, 500_000, "");
    }

    function test_rewards_cannot_be_taken_twice() public {
        RewardTreasury purse = new RewardTreasury(hostile, parameters, address(this), committee);
        hostile.transfer(address(purse), 20);
        purse.refund(1, client, 10);
        hostile.arm(address(purse), abi.encodeCall(purse.claimRewards, (client)));
        vm.expectRevert(guard);
        purse.claimRewards(client);
    }

    function test_gifts_change_nothing() public {
        fund(address(vault), 3);
        fund(address(book), 5);
        fund(address(treasury), 7);
        uint256 oid = scored();
        toSealable(oid);
        (Payout[] memory payouts,) = sealOrder(oid);
        vm.warp(block.timestamp + 1 days);
        treasury.payDirect(oid, payouts);
        treasury.claimRewards(payouts[0].account);
        vm.assertEq(token.balanceOf(payouts[0].account), payouts[0].amount, "as sealed");
        vm.assertEq(token.balanceOf(address(treasury)), treasury.totalOwed() + 7, "the gift stays");
        vm.assertEq(token.balanceOf(address(book)), 5, "and here");
    }
}
