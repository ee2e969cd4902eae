// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAggregatorCommittee } from "../../contracts/interfaces/IAggregatorCommittee.sol";
import { Role } from "../../contracts/interfaces/IStakeVault.sol";
import { RewardRoot } from "../../contracts/libraries/RewardRoots.sol";
import { Rewards } from "./support/Rewards.sol";
import { vm } from "./support/Vm.sol";

/// @dev `slashEquivocation`, and what `slashSigners` shares with it.
contract SlashEquivocationTest is Rewards {
    uint256 private constant STAKE = 1_000 * UNIT;
    address private reporter = actor("reporter", 0);
    RewardRoot private a;
    RewardRoot private b;
    address[] private members;

    function setUp() public override {
        super.setUp();
        seatedWithKeys(4);
        holdOrder();
        members = committee.members();
        a = draft().statement;
        b = a;
        b.root = keccak256("another");
    }

    function test_who_signs_two_statements_of_one_attempt_loses_its_stake() public {
        vm.expectEmit(address(committee));
        emit IAggregatorCommittee.EpochSuspended(1);
        vm.expectEmit(address(committee));
        emit IAggregatorCommittee.CandidateLeft(member(2), 1);
        vm.expectEmit(address(committee));
        emit IAggregatorCommittee.MemberSlashed(member(2), 1, STAKE, reporter);
        _slash(2);
        vm.assertEq(bonded(member(2), Role.Aggregator), BOND - STAKE, "slashed");
        vm.assertEq(locked(member(2), Role.Aggregator), 0, "nothing locked");
        vm.assertEq(token.balanceOf(reporter), STAKE / 10, "the reporter's share");
        vm.assertEq(committee.slashedOf(1), 4, "seat 2");
        vm.assertFalse(committee.isMember(member(2)), "no seat");
        vm.assertEq(committee.members()[2], member(2), "its place stays");
        vm.assertEq(committee.stakeOf(member(2)), 0, "no stake");
        vm.assertEq(committee.candidates().length, 3, "unlisted");
        vm.assertTrue(committee.isSuspended(), "suspended");
        committee.advanceEpoch();
        vm.assertEq(committee.members().length, 3, "the others");
    }

    function test_in_whatever_it_differs() public {
        for (uint256 i = 0; i < 6; ++i) {
            uint256 before = vm.snapshotState();
            b = a;
            if (i == 0) b.cycle += 1;
            if (i == 1) b.upTo += 1;
            if (i == 2) b.settledOtherwise += 1;
            if (i == 3) b.parent = keccak256("another");
            if (i == 4) b.history = keccak256("another");
            if (i == 5) b.root = keccak256("another");
            _slash(i % 4);
            vm.assertEq(committee.slashedOf(1), uint128(1 << (i % 4)), "slashed");
            vm.revertToState(before);
        }
    }

    function test_in_a_past_epoch_too() public {
        vm.warp(committee.epochEndsAt());
        committee.advanceEpoch();
        _slash(0);
        vm.assertEq(committee.slashedOf(1), 1, "then");
        vm.assertTrue(committee.isSuspended(), "for it sits now");
    }

    function test_the_present_epoch_goes_on_without_a_former_member() public {
        vm.prank(member(0));
        committee.leave();
        vm.warp(committee.epochEndsAt());
        committee.advanceEpoch();
        _slash(0);
        vm.assertFalse(committee.isSuspended(), "it sat no more");
        vm.assertEq(bonded(member(0), Role.Aggregator), BOND - STAKE, "what was still locked");
    }

    function test_once_for_an_epoch() public {
        _slash(0);
        _refused(0, abi.encodeWithSelector(IAggregatorCommittee.AlreadySlashed.selector, 1, member(0)));
        vm.prank(member(0));
        committee.join(2 * STAKE);
        _refused(0, abi.encodeWithSelector(IAggregatorCommittee.AlreadySlashed.selector, 1, member(0)));
        vm.prank(address(treasury));
        committee.slashSigners(1, members, 3, reporter);
        vm.assertEq(committee.stakeOf(member(0)), 2 * STAKE, "not again");
        vm.assertEq(committee.stakeOf(member(1)), 0, "but the other");
    }

    function test_who_has_nothing_locked_and_got_nothing_back_loses_the_least_bond() public {
        vm.warp(committee.epochEndsAt());
        committee.advanceEpoch();
        vm.prank(address(treasury));
        committee.slashSigners(2, members, 1, reporter);
        _slash(0);
        uint256 least = _parameters().aggregatorMinimum;
        vm.assertEq(bonded(member(0), Role.Aggregator), BOND - STAKE - least, "for two epochs");
    }

    function test_a_suspended_epoch_stays_suspended() public {
        _slash(0);
        uint64 endsAt = committee.epochEndsAt();
        vm.warp(block.timestamp + 10);
        _slash(1);
        vm.assertEq(committee.epochEndsAt(), endsAt, "over since the first");
        committee.advanceEpoch();
        _slash(2);
        vm.assertTrue(committee.isSuspended(), "again, for it sits again");
    }

    function test_two_statements_of_one_attempt() public {
        b = a;
        _refused(0, abi.encodeWithSelector(IAggregatorCommittee.NoEquivocation.selector));
        b.root = keccak256("another");
        b.attempt += 1;
        _refused(0, abi.encodeWithSelector(IAggregatorCommittee.NoEquivocation.selector));
        b.attempt -= 1;
        b.epoch += 1;
        _refused(0, abi.encodeWithSelector(IAggregatorCommittee.NoEquivocation.selector));
    }

    function test_by_one_member_of_that_epoch() public {
        (bytes memory byFirst, bytes memory bySecond) = (_signed(0, a), _signed(1, b));
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.DifferentSigners.selector, member(0), member(1)));
        committee.slashEquivocation(a, byFirst, b, bySecond, members);
        _standWithKey(9, STAKE);
        _refused(9, abi.encodeWithSelector(IAggregatorCommittee.NotAMemberOf.selector, 1, member(9)));
        bytes memory none = new bytes(64);
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.NotAMemberOf.selector, 1, address(0)));
        committee.slashEquivocation(a, none, b, none, members);
    }

    function test_with_signatures_and_members_as_they_are() public {
        (bytes memory first, bytes memory second) = (_signed(0, a), _signed(0, b));
        bytes memory longer = bytes.concat(second, hex"1b");
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.WrongSignatureLength.selector, 64, 65));
        committee.slashEquivocation(a, first, b, longer, members);
        members.pop();
        vm.expectPartialRevert(IAggregatorCommittee.WrongMembers.selector);
        committee.slashEquivocation(a, first, b, second, members);
    }

    function test_an_epoch_that_never_was_has_no_members() public {
        (a.epoch, b.epoch) = (7, 7);
        vm.expectPartialRevert(IAggregatorCommittee.WrongMembers.selector);
        _slash(0);
        delete members;
        vm.expectPartialRevert(IAggregatorCommittee.WrongMembers.selector);
        _slash(0);
    }

    function test_only_the_treasury_slashes_signers() public {
        vm.expectRevert(
            abi.encodeWithSelector(IAggregatorCommittee.OnlyTreasury.selector, address(treasury), address(this))
        );
        committee.slashSigners(1, members, 1, reporter);
        vm.assertEq(committee.treasury(), address(treasury), "wired");
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.NoSuchSeat.selector, 4, 17));
        vm.prank(address(treasury));
        committee.slashSigners(1, members, 17, reporter);
    }

    function test_the_domain_is_the_committees() public view {
        (, string memory name, string memory version, uint256 chainId, address contract_,,) = committee.eip712Domain();
        vm.assertEq(keccak256(bytes(name)), keccak256("Assay"), "name");
        vm.assertEq(keccak256(bytes(version)), keccak256("1"), "version");
        vm.assertEq(chainId, block.chainid, "chain");
        vm.assertEq(contract_, address(committee), "contract");
    }

    function _signed(uint256 index, RewardRoot memory statement) private view returns (bytes memory) {
        return signBy(member(index), digestOf(statement));
    }

    function _slash(uint256 index) private {
        (bytes memory first, bytes memory second) = (_signed(index, a), _signed(index, b));
        vm.prank(reporter);
        committee.slashEquivocation(a, first, b, second, members);
    }

    function _refused(uint256 index, bytes memory reason) private {
        (bytes memory first, bytes memory second) = (_signed(index, a), _signed(index, b));
        vm.expectRevert(reason);
        committee.slashEquivocation(a, first, b, second, members);
    }
}
