// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAvailabilityCourt, Item, RequestStatus } from "../../../contracts/interfaces/IAvailabilityCourt.sol";
import { IProofOfTraining, Outcome } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Phase } from "../../../contracts/libraries/Lifecycle.sol";
import { Descriptor, Header, Unit, UnitOpening } from "../../../contracts/libraries/ModelTree.sol";
import { vm } from "../support/Vm.sol";
import { Hall } from "./Hall.sol";

/// @dev What follows when nobody can answer.
contract VoidTest is Hall {
    bytes32 private constant HIDDEN = "nobody knows what hashes to this";

    function test_nothing_expires_early() public {
        uint256 oid = revealedRoot(HIDDEN);
        uint256 id = ask(target(oid, Item.Header));
        uint64 deadline = hall.requestOf(id).deadline;
        vm.warp(deadline - 1);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.NotLate.selector, id, deadline));
        hall.expire(id);
        vm.warp(deadline);
        hall.expire(id);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.NotOpen.selector, id, RequestStatus.Expired));
        hall.expire(id);
    }

    /// @dev A root without a preimage, scored perfect by everybody: the asker alone brings it down, and is richer.
    function test_a_conspiracy_around_a_hidden_model_loses() public {
        bytes32[] memory roots = new bytes32[](2);
        (roots[0], roots[1]) = (HIDDEN, validRoot());
        uint256 oid = revealedRoots(roots);
        score(oid, row(2, 1));
        vm.assertTrue(proof.tallyOf(oid, 0).eligible, "about to win");
        uint256 id = ask(target(oid, Item.Header));
        pastDeadline(id);
        vm.expectEmit(address(hall));
        emit IAvailabilityCourt.Expired(id, oid, target(oid, Item.Header));
        hall.expire(id);
        vm.assertTrue(proof.isVoid(oid, 0) && !proof.isVoid(oid, 1), "only that one");
        vm.assertFalse(proof.tallyOf(oid, 0).eligible, "cannot win");
        vm.assertEq(locked(asker, Role.Verifier), 0, "bond is free");
        vm.assertEq(bonded(asker, Role.Verifier), BOND, "and whole");
        vm.assertEq(token.balanceOf(asker), _parameters().claimBond / 2, "half the provider's bond");
        for (uint256 i = 0; i < 2; ++i) {
            proof.slashVoidValidation(oid, validator(i), 0);
            vm.assertEq(bonded(validator(i), Role.Validator), BOND - VSTAKE, "the validator's stake on it");
        }
        vm.assertEq(token.balanceOf(asker), _parameters().claimBond / 2 + VSTAKE, "and half of each validator's");
        vm.assertTrue(proof.phaseOf(oid) == Phase.Challenge, "time for further challenges");
        vm.warp(block.timestamp + _terms().challengeSeconds);
        (Payout[] memory payouts,) = sealOrder(oid);
        vm.assertEq(payouts[0].account, provider(1), "the honest model wins");
        vm.assertEq(
            bonded(provider(0), Role.Provider), BOND - _parameters().claimBond, "the other one has lost its bond"
        );
    }

    function test_a_withheld_test_set_pays_the_providers() public {
        uint256 oid = revealedRoot(validRoot());
        uint256 id = ask(target(oid, Item.Sample, 0, 1, 1));
        pastDeadline(id);
        hall.expire(id);
        vm.assertTrue(proof.isTestVoid(oid), "void");
        vm.assertTrue(proof.phaseOf(oid) == Phase.Sealable, "nothing more to do");
        (Payout[] memory payouts, uint256 tax) = sealOrder(oid);
        vm.assertTrue(proof.settlementOf(oid).outcome == Outcome.Shared, "shared");
        vm.assertEq(payouts[0].account, provider(0), "by the provider");
        vm.assertEq(payouts[0].amount + tax, REWARD, "all of it");
        vm.assertEq(locked(asker, Role.Verifier), 0, "the asker's bond is free");
    }

    /// @dev Nobody could score, so nobody committed; the client must not have its money back before the clock says so.
    function test_an_order_without_scores_waits_for_the_answer() public {
        uint256 oid = revealedRoot(validRoot());
        toScoreReveal(oid);
        vm.warp(block.timestamp - 1);
        uint256 id = ask(target(oid, Item.Sample));
        toScoreReveal(oid);
        vm.assertTrue(proof.phaseOf(oid) == Phase.Challenge, "held");
        pastDeadline(id);
        hall.expire(id);
        proof.seal(oid);
        vm.assertTrue(proof.settlementOf(oid).outcome == Outcome.Shared, "shared, not refunded");
    }

    function test_other_requests_about_a_void_model_are_dismissed() public {
        uint256 oid = revealedRoot(HIDDEN);
        uint256 first = ask(target(oid, Item.Header));
        uint256 second = ask(target(oid, Item.Node));
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.StillStanding.selector, second));
        hall.dismiss(second);
        pastDeadline(first);
        hall.expire(first);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.ModelAlreadyVoid.selector, oid, 0));
        hall.expire(second);
        vm.expectEmit(address(hall));
        emit IAvailabilityCourt.Mooted(second);
        hall.dismiss(second);
        vm.assertTrue(hall.requestOf(second).status == RequestStatus.Moot, "moot");
        vm.assertEq(locked(asker, Role.Verifier), 0, "bonds are free");
        vm.assertEq(proof.factsOf(oid).openDisputes, 0, "nothing open");
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.NotOpen.selector, second, RequestStatus.Moot));
        hall.dismiss(second);
    }

    function test_other_requests_about_a_void_test_set_are_dismissed() public {
        uint256 oid = revealedRoot(validRoot());
        uint256 first = ask(target(oid, Item.Sample));
        uint256 second = ask(target(oid, Item.Sample, 0, 1, 0));
        uint256 model = ask(target(oid, Item.Header));
        pastDeadline(first);
        hall.expire(first);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.TestAlreadyVoid.selector, oid));
        hall.expire(second);
        hall.dismiss(second);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.StillStanding.selector, model));
        hall.dismiss(model);
    }

    // Leaves that are under the root but break a rule

    function test_a_malformed_header_is_no_answer() public {
        Header memory header = makeHeader(makeNode());
        header.inputShape = [uint256(1), INPUTS + 1, 0, 0];
        _noHeader(header, "input");
        header = makeHeader(makeNode());
        header.inputShape = [uint256(3), 11, 100, 0];
        _noHeader(header, "shape");
        header = makeHeader(makeNode());
        header.inputShape = [uint256(1), INPUTS, 1, 0];
        _noHeader(header, "shape");
        header = makeHeader(makeNode());
        header.inputShape = [uint256(2), INPUTS, 1, 0];
        _noHeader(header, "shape");
        header = makeHeader(makeNode());
        header.nodes = 0;
        _noHeader(header, "nodes");
        header.nodes = 513;
        _noHeader(header, "nodes");
        header = makeHeader(makeNode());
        header.outputScale = 0;
        _noHeader(header, "scale");
        header.outputScale = 0x7FF0000000000000;
        _noHeader(header, "scale");
        header.outputScale = 0x8010000000000000;
        _noHeader(header, "scale");
        header.outputScale = 2 ** 64 + 0x3FF0000000000000;
        _noHeader(header, "scale");
    }

    function test_a_malformed_unit_is_no_answer() public {
        Unit memory unit = makeUnit(0);
        unit.bias = 2 ** 31;
        _noUnit(unit, "bias");
        unit.bias = -(2 ** 31);
        _noUnit(unit, "bias");
        unit = makeUnit(0);
        unit.multiplier = 0;
        _noUnit(unit, "requantisation");
        unit.multiplier = 2 ** 22;
        _noUnit(unit, "requantisation");
        unit = makeUnit(0);
        unit.shift = 0;
        _noUnit(unit, "requantisation");
        unit.shift = 48;
        _noUnit(unit, "requantisation");
    }

    function test_a_malformed_model_is_void_as_if_it_were_hidden() public {
        Descriptor memory node = makeNode();
        node.shape[1] = OUTPUTS + 1;
        Header memory header = makeHeader(node);
        uint256 oid = revealedRoot(rootOf(header));
        uint256 id = ask(target(oid, Item.Node));
        expectRule("output");
        hall.answerNode(id, answerOf(node));
        pastDeadline(id);
        hall.expire(id);
        vm.assertTrue(proof.isVoid(oid, 0), "void");
    }

    function _noHeader(Header memory header, string memory rule) private {
        uint256 oid = revealedRoot(rootOf(header));
        uint256 id = ask(target(oid, Item.Header));
        expectRule(rule);
        hall.answerHeader(id, header);
    }

    function _noUnit(Unit memory unit, string memory rule) private {
        Descriptor memory node = makeNode();
        node.unitsRoot = pair(keccak256(abi.encode(uint256(3), unit)), unitLeaf(1));
        Header memory header = makeHeader(node);
        uint256 oid = revealedRoot(rootOf(header));
        uint256 id = ask(target(oid, Item.Unit));
        UnitOpening memory opening = openUnit(0);
        opening.unit = unit;
        expectRule(rule);
        hall.answerUnit(id, answerOf(node).opening, opening);
    }
}
