// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Bitmaps } from "../../../contracts/federated/Bitmaps.sol";
import { SecureGroups } from "../../../contracts/federated/SecureGroups.sol";
import { FederatedTerms, Mode, TaskPhase } from "../../../contracts/interfaces/FederatedTypes.sol";
import { IFederatedEvents } from "../../../contracts/interfaces/IFederatedEvents.sol";
import { vm } from "../support/Vm.sol";
import { ProvenWorld } from "./support/ProvenWorld.sol";

/// @dev Proofs of accuracy in secure rounds: who is out is known before anybody unmasks.
contract AccuracySecureTest is ProvenWorld {
    using Bitmaps for uint128;

    function _secureTerms() private view returns (FederatedTerms memory t) {
        t = _provenTerms();
        t.mode = Mode.Secure;
        t.groupSize = 4;
        (t.windows.keys, t.windows.shares, t.windows.reveal, t.windows.unmask) = (30, 20, 0, 10);
    }

    function test_who_has_not_proven_is_out_before_the_masks_are() public {
        uint256 task = _masked(8);
        vm.assertEq(uint256(round_(task).revealed), 255, "all vectors");
        for (uint256 i = 0; i < 7; ++i) {
            prove(task, i, i == 2 ? 50 : 90 + i);
        }
        toEnd(task, round_(task).answerEnds);
        requirePhase(task, TaskPhase.Prove);
        vm.expectPartialRevert(IFederatedEvents.WrongPhase.selector);
        vm.prank(member(0));
        federation.postUnmask(task, "h", "c");
        toCount(task);
        federation.countProofs(task);
        requirePhase(task, TaskPhase.Unmask);
        vm.assertEq(uint256(round_(task).included), 255 - 4 - 128, "without 2, and 7 who proved nothing");
        // neither of its secrets is shared by the one who is out, and the others share that of its key, not of its own mask
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotIncluded.selector, task, 1, 2));
        vm.prank(member(2));
        federation.postUnmask(task, "h", "c");
        _unmask(task, round_(task).included);
        vm.assertEq(uint256(round_(task).unmaskEnds), round_(task).countedAt + 10, "from the count on");
        toEnd(task, round_(task).unmaskEnds);
        vm.assertEq(uint256(federation.leaderOf(task)), 6, "the best");
    }

    function test_a_group_whose_sum_is_lost_is_not_paid() public {
        uint256 task = _masked(8);
        for (uint256 i = 0; i < 8; ++i) {
            prove(task, i, 80);
        }
        toCount(task);
        federation.countProofs(task);
        uint128[] memory groups = SecureGroups.assign(state_(task).seed, 1, 255, 4);
        _unmask(task, groups[0]);
        toEnd(task, round_(task).unmaskEnds);
        uint16 leader = post(task, abi.encodePacked(int64(50), int64(100)));
        toSettle(task);
        federation.finalize(task);
        vm.assertEq(federation.accuracyOf(task, 1).rewarded, groups[0], "the group that was unmasked");
        uint256 whole = 0;
        for (uint256 i = 0; i < 8; ++i) {
            uint256 paid = claimProven(task, 1, i);
            if (i != leader) {
                vm.assertEq(paid, groups[0].has(i) ? ROUND_REWARD * 9 / 10 / 4 : 0, "an even share of it");
            }
            whole += paid;
        }
        vm.assertEq(whole, ROUND_REWARD, "to the last wei");
    }

    function test_shares_come_before_the_model_and_it_before_the_vector() public {
        uint256 task = started(_secureTerms(), 4);
        _speak(task, 3);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotDoneBefore.selector, task, 3));
        vm.prank(member(3));
        federation.commitModel(task, 5);
        vm.expectRevert(abi.encodeWithSelector(IFederatedEvents.NotDoneBefore.selector, task, 0));
        vm.prank(member(0));
        federation.postMasked(task, "y", "c");
        commitModel(task, 0);
        vm.prank(member(0));
        federation.postMasked(task, "y", "c");
    }

    /// @dev From the beginning until all have posted what is masked and the chunks are drawn.
    function _masked(uint256 n) private returns (uint256 task) {
        task = started(_secureTerms(), n);
        _speak(task, n);
        for (uint256 i = 0; i < n; ++i) {
            commitModel(task, i);
            bytes32 root = updateRoot(task, i);
            vm.prank(member(i));
            federation.postMasked(task, root, "c");
        }
        drawn(task);
    }

    function _speak(uint256 task, uint256 n) private {
        for (uint256 i = 0; i < n; ++i) {
            vm.prank(member(i));
            federation.postKeys(task, "h", "c");
        }
        toEnd(task, round_(task).keysEnd);
        for (uint256 i = 0; i < n; ++i) {
            vm.prank(member(i));
            federation.postShares(task, "s", "h", "c");
        }
        toEnd(task, round_(task).sharesEnd);
    }

    function _unmask(uint256 task, uint128 who_) private {
        uint256[] memory indices = who_.list();
        for (uint256 i = 0; i < indices.length; ++i) {
            vm.prank(member(indices[i]));
            federation.postUnmask(task, "h", "c");
        }
    }
}
