// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    IAvailabilityCourt,
    Item,
    Request,
    RequestStatus,
    Target
} from "../../../contracts/interfaces/IAvailabilityCourt.sol";
import { IOrderBook } from "../../../contracts/interfaces/IOrderBook.sol";
import { IProofOfTraining } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { IStakeVault, Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Lifecycle, Phase } from "../../../contracts/libraries/Lifecycle.sol";
import { vm } from "../support/Vm.sol";
import { Hall } from "./Hall.sol";

/// @dev Who may ask for what, and when.
contract RequestTest is Hall {
    function test_a_request_locks_the_bond_and_holds_the_order() public {
        uint256 oid = revealedRoot(validRoot());
        Target memory wanted = target(oid, Item.Header);
        uint64 deadline = uint64(block.timestamp) + _parameters().moveSeconds;
        vm.expectEmit(address(hall));
        emit IAvailabilityCourt.Requested(1, oid, asker, wanted, deadline, bondOf());
        uint256 id = ask(wanted);
        vm.assertEq(id, 1, "ids count from 1");
        vm.assertEq(hall.requestCount(), 1, "count");
        vm.assertEq(hall.askedAs(wanted), 1, "by target");
        vm.assertEq(locked(asker, Role.Verifier), bondOf(), "locked");
        vm.assertEq(proof.factsOf(oid).openDisputes, 1, "holds the order");
        Request memory asked = hall.requestOf(id);
        vm.assertEq(asked.asker, asker, "asker");
        vm.assertEq(asked.deadline, deadline, "deadline");
        vm.assertTrue(asked.status == RequestStatus.Open, "open");
        vm.assertEq(asked.bond, bondOf(), "bond");
        vm.assertEq(keccak256(abi.encode(asked.target)), keccak256(abi.encode(wanted)), "target");
    }

    function test_an_open_request_outlasts_every_window() public {
        uint256 oid = revealedRoot(bytes32("hidden"));
        ask(target(oid, Item.Header));
        vm.warp(block.timestamp + 365 days);
        vm.assertTrue(proof.phaseOf(oid) == Phase.Challenge, "held");
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.Sealable, Phase.Challenge)
        );
        proof.seal(oid);
    }

    function test_only_active_verifiers_ask() public {
        uint256 oid = revealedRoot(validRoot());
        uint256 least = _parameters().verifierMinimum;
        enrol(holder, Role.Verifier, least - 1);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.NotAVerifier.selector, holder, least, least - 1));
        askAs(holder, target(oid, Item.Header));
        enrol(holder, Role.Validator, BOND);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityCourt.NotAVerifier.selector, holder, least, least - 1));
        askAs(holder, target(oid, Item.Header));
        enrol(holder, Role.Verifier, 1);
        askAs(holder, target(oid, Item.Header));
    }

    function test_the_bond_must_be_free() public {
        uint256 oid = revealedRoot(validRoot());
        vm.prank(address(court));
        vault.lock(asker, Role.Verifier, BOND - bondOf() + 1, "else");
        vm.expectRevert(
            abi.encodeWithSelector(
                IStakeVault.InsufficientFreeBond.selector, asker, Role.Verifier, bondOf(), bondOf() - 1
            )
        );
        ask(target(oid, Item.Header));
    }

    function test_each_leaf_is_asked_for_once() public {
        uint256 oid = revealedRoot(validRoot());
        uint256 id = ask(target(oid, Item.Header));
        _refused(target(oid, Item.Header), abi.encodeWithSelector(IAvailabilityCourt.AlreadyAsked.selector, id));
        hall.answerHeader(id, makeHeader(makeNode()));
        _refused(target(oid, Item.Header), abi.encodeWithSelector(IAvailabilityCourt.AlreadyAsked.selector, id));
        ask(target(oid, Item.Node));
    }

    function test_a_target_has_one_form() public {
        uint256 oid = revealedRoot(validRoot());
        _malformed(target(oid, Item.None));
        _malformed(target(oid, Item.Header, 1, 0, 0));
        _malformed(target(oid, Item.Header, 0, 1, 0));
        _malformed(target(oid, Item.Header, 0, 0, 1));
        _malformed(target(oid, Item.Node, 0, 1, 0));
        _malformed(target(oid, Item.Node, 0, 0, 1));
        _malformed(target(oid, Item.Unit, 0, 0, 1));
        _malformed(target(oid, Item.Sample, 1, 0, 0));
        Target memory wanted = target(oid, Item.Sample);
        wanted.modelIndex = 1;
        _malformed(wanted);
    }

    function test_models_and_orders_that_are_not_there() public {
        uint256 oid = revealedRoot(validRoot());
        Target memory wanted = target(oid, Item.Header);
        wanted.modelIndex = 1;
        _refused(wanted, abi.encodeWithSelector(IProofOfTraining.UnknownModel.selector, oid, 1));
        _refused(target(oid + 1, Item.Sample), abi.encodeWithSelector(IOrderBook.UnknownOrder.selector, oid + 1));
    }

    function test_nothing_is_asked_before_the_reveals_are_over() public {
        uint256 oid = revealedRoot(validRoot());
        vm.warp(Lifecycle.revealEnd(windows(oid)) - 1);
        _refused(
            target(oid, Item.Header),
            abi.encodeWithSelector(IProofOfTraining.NotContestable.selector, oid, Phase.Reveal)
        );
        _refused(
            target(oid, Item.Sample),
            abi.encodeWithSelector(IProofOfTraining.NotContestable.selector, oid, Phase.Reveal)
        );
    }

    function test_an_unreleased_test_set_cannot_be_asked_for() public {
        uint256 oid = put();
        enrol(provider(0), Role.Provider, BOND);
        claim(oid, provider(0));
        toReveal(oid);
        reveal(oid, provider(0));
        toScoreCommit(oid);
        _refused(target(oid, Item.Sample), abi.encodeWithSelector(IAvailabilityCourt.NothingToAskFor.selector, oid));
    }

    function test_what_is_void_cannot_be_asked_for() public {
        uint256 oid = revealedRoot(bytes32("hidden"));
        uint256 model = ask(target(oid, Item.Header));
        uint256 sample = ask(target(oid, Item.Sample));
        pastDeadline(model);
        hall.expire(model);
        hall.expire(sample);
        bytes memory reason = abi.encodeWithSelector(IAvailabilityCourt.NothingToAskFor.selector, oid);
        _refused(target(oid, Item.Node), reason);
        _refused(target(oid, Item.Sample, 0, 1, 0), reason);
    }

    function test_asking_ends_with_the_orders_own_windows() public {
        uint256 oid = revealedRoot(validRoot());
        score(oid, row(2));
        uint64 end = Lifecycle.challengeEnd(windows(oid));
        vm.warp(end - 1);
        uint256 id = ask(target(oid, Item.Header));
        vm.warp(end);
        vm.assertTrue(proof.phaseOf(oid) == Phase.Challenge, "stretched");
        bytes memory reason = abi.encodeWithSelector(IAvailabilityCourt.TooLateToAsk.selector, oid, end);
        _refused(target(oid, Item.Node), reason);
        hall.answerHeader(id, makeHeader(makeNode()));
        vm.assertTrue(proof.phaseOf(oid) == Phase.Challenge, "time to use the answer");
        _refused(target(oid, Item.Node), reason);
    }

    function test_unknown_requests() public {
        bytes memory reason = abi.encodeWithSelector(IAvailabilityCourt.UnknownRequest.selector, 1);
        vm.expectRevert(reason);
        hall.requestOf(1);
        vm.expectRevert(reason);
        hall.expire(1);
        vm.expectRevert(reason);
        hall.dismiss(1);
        vm.expectRevert(reason);
        hall.answerHeader(1, makeHeader(makeNode()));
    }

    function test_it_knows_its_neighbours() public view {
        vm.assertEq(hall.orderBook(), address(book), "book");
        vm.assertEq(hall.proofOfTraining(), address(proof), "proof");
        vm.assertEq(hall.vault(), address(vault), "vault");
    }

    function _malformed(Target memory wanted) private {
        _refused(wanted, abi.encodeWithSelector(IAvailabilityCourt.MalformedTarget.selector));
    }

    function _refused(Target memory wanted, bytes memory reason) private {
        vm.expectRevert(reason);
        ask(wanted);
    }
}
