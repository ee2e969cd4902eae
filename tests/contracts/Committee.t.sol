// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAggregatorCommittee } from "../../contracts/interfaces/IAggregatorCommittee.sol";
import { ProtocolParameters } from "../../contracts/interfaces/IParameters.sol";
import { IStakeVault, Role } from "../../contracts/interfaces/IStakeVault.sol";
import { Quorum } from "../../contracts/libraries/Quorum.sol";
import { between, vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

contract CommitteeTest is World {
    uint256 private constant STAKE = 1_000 * UNIT;

    function test_joining_locks_the_stake_and_stands_for_the_next_epoch() public {
        enrol(aggregator(0), Role.Aggregator, BOND);
        vm.expectEmit(address(committee));
        emit IAggregatorCommittee.CandidateJoined(aggregator(0), STAKE);
        _join(0, STAKE);
        vm.assertEq(locked(aggregator(0), Role.Aggregator), STAKE, "locked");
        vm.assertEq(committee.stakeOf(aggregator(0)), STAKE, "stake");
        vm.assertEq(committee.candidates()[0], aggregator(0), "candidate");
        vm.assertFalse(committee.isMember(aggregator(0)), "not yet a member");
        address[] memory elected = new address[](1);
        elected[0] = aggregator(0);
        vm.expectEmit(address(committee));
        emit IAggregatorCommittee.EpochStarted(1, elected, 1, uint64(block.timestamp + 7 days));
        committee.advanceEpoch();
        vm.assertTrue(committee.isMember(aggregator(0)), "member");
        vm.assertEq(committee.epoch(), 1, "epoch");
        vm.assertEq(committee.epochEndsAt(), block.timestamp + 7 days, "ends");
    }

    function test_joining_has_conditions() public {
        enrol(aggregator(0), Role.Aggregator, BOND);
        _joinRefused(0, 100 * UNIT - 1, _tooSmall(100 * UNIT, 100 * UNIT - 1));
        _joinRefused(
            0,
            BOND + 1,
            abi.encodeWithSelector(
                IStakeVault.InsufficientFreeBond.selector, aggregator(0), Role.Aggregator, BOND + 1, BOND
            )
        );
        _join(0, STAKE);
        _joinRefused(0, STAKE, abi.encodeWithSelector(IAggregatorCommittee.AlreadyCandidate.selector, aggregator(0)));
    }

    function test_the_highest_stakes_sit() public {
        for (uint256 i = 0; i < 10; ++i) {
            enrol(aggregator(i), Role.Aggregator, BOND);
            _join(i, STAKE + (i % 5) * UNIT);
        }
        committee.advanceEpoch();
        address[] memory members = committee.members();
        vm.assertEq(members.length, 7, "as many as may");
        uint8[7] memory expected = [4, 9, 3, 8, 2, 7, 1];
        for (uint256 i = 0; i < 7; ++i) {
            vm.assertEq(members[i], aggregator(expected[i]), "by stake, then by time");
            (bool sits, uint256 seat) = committee.seatOf(members[i]);
            vm.assertTrue(sits && seat == i, "seat");
        }
        vm.assertFalse(committee.isMember(aggregator(6)), "bench");
        vm.assertEq(committee.threshold(), 5, "2f+1 at f = 2");
    }

    function test_epochs_turn_when_they_are_over() public {
        seated(2);
        uint64 end = committee.epochEndsAt();
        vm.warp(end - 1);
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.EpochNotOver.selector, end, end - 1));
        committee.advanceEpoch();
        vm.warp(end);
        committee.advanceEpoch();
        vm.assertEq(committee.epoch(), 2, "turned");
        vm.assertTrue(committee.isMember(aggregator(0)) && committee.isMember(aggregator(1)), "re-elected");
    }

    function test_a_candidate_who_does_not_sit_leaves_at_once() public {
        enrol(aggregator(0), Role.Aggregator, BOND);
        _join(0, STAKE);
        vm.expectEmit(address(committee));
        emit IAggregatorCommittee.CandidateLeft(aggregator(0), 0);
        vm.expectEmit(address(committee));
        emit IAggregatorCommittee.StakeReleased(aggregator(0), STAKE);
        _leave(0);
        vm.assertEq(locked(aggregator(0), Role.Aggregator), 0, "free");
        vm.assertEq(committee.candidates().length, 0, "gone");
        _join(0, STAKE);
    }

    function test_a_sitting_member_serves_to_the_end() public {
        seated(3);
        vm.expectEmit(address(committee));
        emit IAggregatorCommittee.CandidateLeft(aggregator(0), 2);
        _leave(0);
        vm.assertTrue(committee.isMember(aggregator(0)), "still sits");
        vm.assertEq(locked(aggregator(0), Role.Aggregator), STAKE, "still bound");
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.StakeStillBound.selector, 2, 1));
        committee.releaseStake(aggregator(0));
        _joinRefused(0, STAKE, abi.encodeWithSelector(IAggregatorCommittee.AlreadyCandidate.selector, aggregator(0)));
        vm.warp(committee.epochEndsAt());
        committee.advanceEpoch();
        vm.assertFalse(committee.isMember(aggregator(0)), "no more");
        vm.assertEq(committee.members().length, 2, "the others");
        committee.releaseStake(aggregator(0));
        vm.assertEq(locked(aggregator(0), Role.Aggregator), 0, "free");
        vm.assertEq(committee.stakeOf(aggregator(0)), 0, "none");
    }

    function test_only_candidates_leave_and_only_former_ones_are_released() public {
        bytes memory reason = abi.encodeWithSelector(IAggregatorCommittee.NotACandidate.selector, aggregator(0));
        vm.expectRevert(reason);
        _leave(0);
        vm.expectRevert(reason);
        committee.releaseStake(aggregator(0));
        enrol(aggregator(0), Role.Aggregator, BOND);
        _join(0, STAKE);
        vm.expectRevert(reason);
        committee.releaseStake(aggregator(0));
    }

    function test_when_all_leave_the_committee_is_empty_and_their_stakes_are_free() public {
        vm.expectRevert(IAggregatorCommittee.NoCandidates.selector);
        committee.advanceEpoch();
        seated(2);
        _leave(0);
        _leave(1);
        vm.warp(committee.epochEndsAt());
        committee.advanceEpoch();
        vm.assertEq(committee.members().length, 0, "empty");
        vm.assertEq(committee.threshold(), 1, "never zero");
        committee.releaseStake(aggregator(0));
        committee.releaseStake(aggregator(1));
        vm.warp(committee.epochEndsAt());
        vm.expectRevert(IAggregatorCommittee.NoCandidates.selector);
        committee.advanceEpoch();
    }

    function test_when_the_bench_is_full_only_a_higher_stake_enters() public {
        for (uint256 i = 0; i < 129; ++i) {
            enrol(aggregator(i), Role.Aggregator, BOND);
            if (i < 128) _join(i, STAKE);
        }
        _joinRefused(128, STAKE, _tooSmall(STAKE + 1, STAKE));
        vm.expectEmit(address(committee));
        emit IAggregatorCommittee.CandidateLeft(aggregator(127), 0);
        _join(128, STAKE + 1);
        vm.assertEq(committee.stakeOf(aggregator(127)), 0, "the latest of the lowest");
        vm.assertEq(committee.candidates().length, 128, "full");
        committee.advanceEpoch();
        vm.assertEq(committee.members()[0], aggregator(128), "highest");
    }

    function test_candidates_and_members_say_where_they_are() public {
        seated(1);
        vm.startPrank(aggregator(0));
        vm.expectEmit(address(committee));
        emit IAggregatorCommittee.EndpointAnnounced(aggregator(0), "127.0.0.1:9000");
        committee.announce("127.0.0.1:9000");
        committee.leave();
        committee.announce("as a member still");
        vm.warp(committee.epochEndsAt());
        committee.advanceEpoch();
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.NotACandidate.selector, aggregator(0)));
        committee.announce("as nobody");
        vm.stopPrank();
    }

    function test_an_endpoint_is_short() public {
        seated(1);
        vm.startPrank(aggregator(0));
        committee.announce(string(new bytes(256)));
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.EndpointTooLong.selector, 256, 257));
        committee.announce(string(new bytes(257)));
        vm.stopPrank();
    }

    function test_members_of_past_epochs_are_remembered() public {
        seated(3);
        bytes32 first = keccak256(abi.encodePacked(committee.members()));
        vm.prank(aggregator(0));
        committee.leave();
        vm.warp(committee.epochEndsAt());
        committee.advanceEpoch();
        vm.assertEq(committee.membersHashOf(1), first, "the first");
        vm.assertEq(committee.membersHashOf(2), keccak256(abi.encodePacked(committee.members())), "the second");
        vm.assertEq(committee.membersHashOf(3), bytes32(0), "none yet");
    }

    function test_fewer_seats_hold_from_the_next_epoch() public {
        seated(5);
        ProtocolParameters memory p = _parameters();
        p.maxMembers = 2;
        parameters.setParameters(p);
        vm.assertEq(committee.members().length, 5, "this epoch");
        vm.warp(committee.epochEndsAt());
        committee.advanceEpoch();
        vm.assertEq(committee.members().length, 2, "next epoch");
        vm.assertEq(committee.candidates().length, 5, "the bench remains");
    }

    function testFuzz_two_quorums_share_an_honest_member(uint256 n) public pure {
        n = between(n, 1, 10_000);
        uint256 k = Quorum.threshold(n);
        uint256 f = (n - 1) / 3;
        vm.assertGe(2 * k, n + f + 1, "they share more than f");
        vm.assertLt(2 * (k - 1), n + f + 1, "with the least k");
        vm.assertLe(k, n - f, "and the honest alone suffice");
        if (n % 3 == 1) vm.assertEq(k, 2 * f + 1, "2f+1 at 3f+1");
    }

    function _tooSmall(uint256 expected, uint256 actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAggregatorCommittee.StakeTooSmall.selector, expected, actual);
    }

    function _join(uint256 index, uint256 stake) private {
        vm.prank(aggregator(index));
        committee.join(stake);
    }

    function _leave(uint256 index) private {
        vm.prank(aggregator(index));
        committee.leave();
    }

    function _joinRefused(uint256 index, uint256 stake, bytes memory reason) private {
        vm.expectRevert(reason);
        _join(index, stake);
    }
}
