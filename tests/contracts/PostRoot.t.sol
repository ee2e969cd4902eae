// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAggregatorCommittee } from "../../contracts/interfaces/IAggregatorCommittee.sol";
import { IRewardTreasury, Payout, PostedRoot } from "../../contracts/interfaces/IRewardTreasury.sol";
import { Draft, Rewards } from "./support/Rewards.sol";
import { vm } from "./support/Vm.sol";

/// @dev `postRoot`, with the certificate that it asks the committee for.
contract PostRootTest is Rewards {
    function setUp() public override {
        super.setUp();
        seatedWithKeys(4);
        holdOrder();
        holdOrder();
        holdOrder();
    }

    function test_orders_have_numbers_and_a_history() public view {
        vm.assertEq(treasury.sealedCount(), 3, "three");
        bytes32 history = 0;
        for (uint32 q = 1; q <= 3; ++q) {
            uint256 oid = orders[q].oid;
            history = keccak256(abi.encode(history, oid, keccak256(abi.encode(oid, orders[q].payouts, TAX))));
            vm.assertEq(treasury.historyAt(q), history, "history");
            vm.assertEq(treasury.holdingOf(oid).sequence, q, "sequence");
        }
        vm.assertEq(treasury.historyAt(0), bytes32(0), "nothing before");
        vm.assertEq(treasury.historyAt(4), bytes32(0), "nothing after");
    }

    function test_a_refund_has_no_number() public {
        token.transfer(address(treasury), 5);
        vm.prank(address(proof));
        treasury.refund(77, client, 5);
        vm.assertEq(treasury.sealedCount(), 3, "not counted");
        vm.assertEq(treasury.holdingOf(77).sequence, 0, "no number");
    }

    function test_a_quorum_posts_what_the_orders_say() public {
        Draft memory d = draft(2);
        bytes memory signatures = sign(d);
        uint64 effectiveAt = uint64(block.timestamp) + 1 hours;
        vm.expectEmit(address(treasury));
        emit IRewardTreasury.RootPosted(1, 1, d.statement, d.state, d.steps, d.signers, effectiveAt);
        vm.prank(actor("anyone", 0));
        _post(d, signatures);
        PostedRoot memory r = treasury.rootOf(1);
        vm.assertEq(r.root, d.statement.root, "root");
        vm.assertTrue(r.upTo == 2 && r.epoch == 1 && r.signers == 7 && r.effectiveAt == effectiveAt, "root");
        vm.assertEq(treasury.cycles(), 1, "cycles");
        vm.assertEq(treasury.coveredUpTo(), 2, "covered");
        vm.assertEq(treasury.totalHeld(), REWARD, "the third order is held");
        (uint256 total, uint256 paid) = treasury.rootTotals();
        vm.assertEq(total, 2 * REWARD, "given to roots");
        vm.assertEq(paid, 0, "not paid");
    }

    function test_any_quorum_will_do_and_all_may_sign() public {
        Draft memory d = draft(1);
        d.signers = 13;
        post(d);
        d = draft(2);
        d.signers = 15;
        post(d);
        vm.assertEq(treasury.cycles(), 2, "both");
        vm.assertEq(treasury.rootOf(2).signers, 15, "all");
    }

    function test_roots_wait_on_top_of_each_other() public {
        post(draft(1));
        post(draft(3));
        vm.assertEq(treasury.rootOf(2).upTo, 3, "second");
        (uint256 total,) = treasury.rootTotals();
        vm.assertEq(total, 3 * REWARD, "all");
        vm.assertEq(treasury.rootOf(3).root, bytes32(0), "none");
        vm.assertEq(treasury.rootOf(0).root, bytes32(0), "none");
    }

    function test_the_next_epoch_goes_on() public {
        post(draft(1));
        vm.warp(committee.epochEndsAt());
        committee.advanceEpoch();
        post(draft(2));
        vm.assertEq(treasury.rootOf(2).epoch, 2, "epoch");
    }

    function test_an_order_that_was_settled_otherwise_is_passed_over() public {
        vm.warp(block.timestamp + 1 days);
        treasury.payDirect(orders[2].oid, orders[2].payouts);
        vm.assertEq(treasury.settledOtherwise(), 1, "counted");
        Draft memory d = draft();
        vm.assertEq(d.steps[0], d.steps[1], "nothing changes");
        post(d);
        (uint256 total,) = treasury.rootTotals();
        vm.assertEq(total, 2 * REWARD, "two orders");
        vm.assertEq(treasury.totalHeld(), 0, "nothing left");
    }

    function test_what_a_root_covers_is_closed_to_all_other_paths() public {
        vm.startPrank(member(0));
        treasury.propose(orders[1].oid, orders[1].payouts);
        vm.stopPrank();
        post(draft(1));
        vm.warp(block.timestamp + 1 days);
        (uint256 oid, Payout[] memory payouts) = (orders[1].oid, orders[1].payouts);
        bytes memory covered = abi.encodeWithSelector(IRewardTreasury.CoveredByRoot.selector, oid, 1, 1);
        vm.expectRevert(covered);
        treasury.payDirect(oid, payouts);
        vm.expectRevert(covered);
        vm.prank(member(1));
        treasury.propose(oid, payouts);
        vm.expectRevert(covered);
        vm.prank(member(1));
        treasury.confirm(oid);
        vm.expectRevert(covered);
        vm.prank(member(1));
        treasury.execute(oid, payouts);
        treasury.payDirect(orders[2].oid, orders[2].payouts);
    }

    // Refused: another state of the treasury

    function test_only_the_next_cycle() public {
        Draft memory d = draft();
        d.statement.cycle = 2;
        _refused(d, abi.encodeWithSelector(IRewardTreasury.WrongCycle.selector, 1, 2));
        d.statement.cycle = 1;
        post(d);
        _refused(d, abi.encodeWithSelector(IRewardTreasury.WrongCycle.selector, 2, 1));
    }

    function test_only_on_the_root_that_stands() public {
        Draft memory d = draft();
        d.statement.parent = keccak256("another");
        _refused(d, abi.encodeWithSelector(IRewardTreasury.WrongParent.selector, bytes32(0), d.statement.parent));
    }

    function test_not_after_an_order_was_settled_otherwise_meanwhile() public {
        Draft memory d = draft();
        vm.warp(block.timestamp + 1 days);
        treasury.payDirect(orders[3].oid, orders[3].payouts);
        _refused(d, abi.encodeWithSelector(IRewardTreasury.WrongSettledOtherwise.selector, 1, 0));
    }

    function test_only_over_the_history_there_is() public {
        Draft memory d = draft();
        d.statement.history = keccak256("before the reorganisation");
        bytes32 there = treasury.historyAt(3);
        _refused(d, abi.encodeWithSelector(IRewardTreasury.WrongHistory.selector, there, d.statement.history));
    }

    function test_at_least_one_order_and_none_that_is_not_sealed() public {
        Draft memory d = draft();
        d.statement.upTo = 4;
        _refused(d, abi.encodeWithSelector(IRewardTreasury.CoverageOutOfBounds.selector, 4, 1, 3));
        d.statement.upTo = 0;
        _refused(d, abi.encodeWithSelector(IRewardTreasury.CoverageOutOfBounds.selector, 0, 1, 3));
        post(draft(2));
        d = draft(3);
        d.statement.upTo = 2;
        _refused(d, abi.encodeWithSelector(IRewardTreasury.CoverageOutOfBounds.selector, 2, 3, 3));
    }

    function test_no_more_orders_than_can_be_refuted() public {
        for (uint256 i = 0; i < 254; ++i) {
            holdOrder();
        }
        Draft memory d = draft(256);
        d.statement.upTo = 257;
        _refused(d, abi.encodeWithSelector(IRewardTreasury.CoverageOutOfBounds.selector, 257, 1, 256));
        d.statement.upTo = 256;
        post(d);
        vm.assertEq(treasury.coveredUpTo(), 256, "as many as there may be");
    }

    function test_as_many_steps_as_orders() public {
        Draft memory d = draft(2);
        d.statement.upTo = 3;
        d.statement.history = treasury.historyAt(3);
        _refused(d, abi.encodeWithSelector(IRewardTreasury.WrongStepCount.selector, 3, 2));
    }

    function test_the_state_is_the_last_steps() public {
        Draft memory d = draft();
        d.state.total += 1;
        bytes32 actual = keccak256(abi.encode(d.state.accountsRoot, d.state.count, d.state.total));
        _refused(d, abi.encodeWithSelector(IRewardTreasury.WrongState.selector, d.steps[2], actual));
    }

    function test_the_steps_are_those_that_were_signed() public {
        Draft memory d = draft();
        bytes32 signed = d.statement.root;
        d.steps[0] = keccak256("another");
        close(d);
        bytes32 actual = d.statement.root;
        d.statement.root = signed;
        _refused(d, abi.encodeWithSelector(IRewardTreasury.WrongRoot.selector, signed, actual));
    }

    function test_no_total_beyond_what_is_held_or_below_what_was_given() public {
        Draft memory d = draft(1);
        d.state.total = 3 * REWARD + 1;
        falsify(d, d.state);
        _refused(d, abi.encodeWithSelector(IRewardTreasury.TotalOutOfBounds.selector, 3 * REWARD + 1, 0, 3 * REWARD));
        post(draft(1));
        d = draft(2);
        d.state.total = REWARD - 1;
        falsify(d, d.state);
        _refused(d, abi.encodeWithSelector(IRewardTreasury.TotalOutOfBounds.selector, REWARD - 1, REWARD, 3 * REWARD));
    }

    // Refused: no certificate

    function test_an_epoch_that_is_over_signs_no_more() public {
        Draft memory d = draft();
        vm.warp(committee.epochEndsAt());
        committee.advanceEpoch();
        _refused(d, abi.encodeWithSelector(IAggregatorCommittee.NotTheEpoch.selector, 2, 1));
    }

    function test_a_suspended_epoch_signs_no_more() public {
        Draft memory d = draft();
        vm.prank(address(treasury));
        committee.slashSigners(1, d.members, 1, client);
        _refused(d, abi.encodeWithSelector(IAggregatorCommittee.Suspended.selector, 1));
    }

    function test_the_members_are_the_committees() public {
        Draft memory d = draft();
        bytes32 expected = committee.membersHashOf(1);
        vm.assertEq(expected, keccak256(abi.encodePacked(d.members)), "each padded to 32 bytes");
        (d.members[0], d.members[1]) = (d.members[1], d.members[0]);
        bytes32 actual = keccak256(abi.encodePacked(d.members));
        _refused(d, abi.encodeWithSelector(IAggregatorCommittee.WrongMembers.selector, expected, actual));
    }

    function test_a_signer_has_a_seat() public {
        Draft memory d = draft();
        bytes memory signatures = sign(d);
        d.signers |= 16;
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.NoSuchSeat.selector, 4, d.signers));
        _post(d, signatures);
    }

    function test_fewer_than_a_quorum_are_not_enough() public {
        Draft memory d = draft();
        d.signers = 5;
        _refused(d, abi.encodeWithSelector(IAggregatorCommittee.TooFewSigners.selector, 3, 2));
    }

    function test_as_many_signatures_as_signers() public {
        Draft memory d = draft();
        bytes memory signatures = sign(d);
        d.signers = 3;
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.WrongSignatureLength.selector, 128, 192));
        _post(d, signatures);
        d.signers = 15;
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.WrongSignatureLength.selector, 256, 192));
        _post(d, signatures);
        d.signers = 7;
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.WrongSignatureLength.selector, 192, 193));
        _post(d, bytes.concat(signatures, hex"00"));
    }

    function test_each_seat_signs_for_itself() public {
        Draft memory d = draft();
        bytes memory signatures = sign(d);
        bytes32 digest = digestOf(d.statement);
        bytes memory one = signBy(d.members[0], digest);
        _wrongSigner(d, bytes.concat(one, one, one), 1, d.members[0]);
        _wrongSigner(d, bytes.concat(one, signBy(d.members[1], digest), new bytes(64)), 2, address(0));
        d.signers = 14;
        _wrongSigner(d, signatures, 1, d.members[0]);
    }

    function test_the_mirror_of_a_signature_is_none() public {
        Draft memory d = draft();
        bytes memory signatures = sign(d);
        (bytes32 r, uint256 vs) = abi.decode(signBy(d.members[0], digestOf(d.statement)), (bytes32, uint256));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        uint256 mirrored = (order - ((vs << 1) >> 1)) | (vs ^ (1 << 255)) >> 255 << 255;
        bytes memory rest = _tail(signatures, 64);
        vm.expectPartialRevert(IAggregatorCommittee.WrongSigner.selector);
        _post(d, bytes.concat(r, bytes32(mirrored), rest));
    }

    function test_a_signature_is_for_one_statement_on_one_chain() public {
        Draft memory d = draft();
        bytes memory signatures = sign(d);
        d.statement.attempt += 1;
        vm.expectPartialRevert(IAggregatorCommittee.WrongSigner.selector);
        _post(d, signatures);
        d.statement.attempt -= 1;
        vm.chainId(block.chainid + 1);
        vm.expectPartialRevert(IAggregatorCommittee.WrongSigner.selector);
        _post(d, signatures);
        vm.chainId(block.chainid - 1);
    }

    function test_an_empty_committee_signs_nothing() public {
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(member(i));
            committee.leave();
        }
        vm.warp(committee.epochEndsAt());
        committee.advanceEpoch();
        address[] memory nobody = new address[](0);
        vm.expectRevert(abi.encodeWithSelector(IAggregatorCommittee.TooFewSigners.selector, 1, 0));
        committee.requireCertificate(0, 2, nobody, 0, "");
    }

    function _wrongSigner(Draft memory d, bytes memory signatures, uint256 seat, address actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAggregatorCommittee.WrongSigner.selector, seat, d.members[seat], actual)
        );
        _post(d, signatures);
    }

    function _refused(Draft memory d, bytes memory reason) private {
        bytes memory signatures = sign(d);
        vm.expectRevert(reason);
        _post(d, signatures);
    }

    function _tail(bytes memory data, uint256 start) private pure returns (bytes memory tail) {
        tail = new bytes(data.length - start);
        for (uint256 i = 0; i < tail.length; ++i) {
            tail[i] = data[start + i];
        }
    }
}
