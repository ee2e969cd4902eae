// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20Errors } from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import { IOrderBook, Order, OrderTerms } from "../../contracts/interfaces/IOrderBook.sol";
import { ProtocolParameters } from "../../contracts/interfaces/IParameters.sol";
import { Phase } from "../../contracts/libraries/Lifecycle.sol";
import { ScoreFunction } from "../../contracts/libraries/ScoreFunctions.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

contract PutTest is World {
    uint256 private constant KEY = 0xA11CE;

    function test_put_escrows_the_reward_and_records_everything() public {
        uint256 before = token.balanceOf(address(book));
        uint256 oid = put();
        vm.assertEq(oid, 1, "ids count from 1");
        vm.assertEq(book.orderCount(), 1, "count");
        vm.assertEq(token.balanceOf(address(book)) - before, REWARD, "tokens");
        vm.assertEq(book.escrowOf(oid), REWARD, "escrow");
        vm.assertEq(book.totalEscrow(), REWARD, "total");
        vm.assertEq(keccak256(abi.encode(book.getOrder(oid))), keccak256(abi.encode(_expected())), "order");
        vm.assertTrue(proof.phaseOf(oid) == Phase.Training, "phase");
        vm.assertEq(put(), 2, "next id");
    }

    function test_put_emits_the_whole_order() public {
        fund(client, REWARD);
        vm.prank(client);
        token.approve(address(book), REWARD);
        vm.expectEmit(address(book));
        emit IOrderBook.OrderPut(1, client, _expected());
        vm.prank(client);
        book.put(_terms());
    }

    function test_an_order_keeps_the_parameters_that_held_when_it_was_put() public {
        uint256 oid = put();
        ProtocolParameters memory p = _parameters();
        p.claimBond = 1;
        p.validatorSharePpm = 0;
        p.maxClaims = 1;
        parameters.setParameters(p);
        vm.assertEq(keccak256(abi.encode(book.getOrder(oid))), keccak256(abi.encode(_expected())), "order");
    }

    function test_put_refuses_a_missing_score_function() public {
        OrderTerms memory t = _terms();
        t.scoreFunction = ScoreFunction.None;
        _refused(t, abi.encodeWithSelector(IOrderBook.ScoreFunctionRequired.selector));
    }

    function test_put_refuses_missing_commitments() public {
        OrderTerms memory t = _terms();
        t.manifestCid = 0;
        _refused(t, abi.encodeWithSelector(IOrderBook.CommitmentRequired.selector, "manifestCid"));
        t = _terms();
        t.testCommitment = 0;
        _refused(t, abi.encodeWithSelector(IOrderBook.CommitmentRequired.selector, "testCommitment"));
    }

    function test_put_refuses_a_reward_that_is_too_small_or_too_large() public {
        OrderTerms memory t = _terms();
        t.reward = UNIT - 1;
        _refused(t, abi.encodeWithSelector(IOrderBook.RewardTooSmall.selector, UNIT, UNIT - 1));
        t.reward = uint256(type(uint128).max) + 1;
        _refused(
            t, abi.encodeWithSelector(IOrderBook.LimitOutOfBounds.selector, "reward", t.reward, UNIT, type(uint128).max)
        );
    }

    function test_put_refuses_windows_out_of_bounds() public {
        OrderTerms memory t = _terms();
        t.trainSeconds = 0;
        _refusedWindow(t, "trainSeconds", 0, 1);
        t = _terms();
        t.revealSeconds = 30 days + 1;
        _refusedWindow(t, "revealSeconds", 30 days + 1, 1);
        t = _terms();
        t.validateSeconds = 1;
        _refusedWindow(t, "validateSeconds", 1, 2);
        t = _terms();
        t.challengeSeconds = 0;
        _refusedWindow(t, "challengeSeconds", 0, 1);
    }

    function test_put_refuses_limits_out_of_bounds() public {
        OrderTerms memory t = _terms();
        t.minimumValidators = 0;
        _refusedLimit(t, "minimumValidators", 0, 4);
        t.minimumValidators = 5;
        _refusedLimit(t, "minimumValidators", 5, 4);
        t = _terms();
        t.maxModelBytes = 64 * 2 ** 20 + 1;
        _refusedLimit(t, "maxModelBytes", 64 * 2 ** 20 + 1, 64 * 2 ** 20);
        t = _terms();
        t.maxTensorBytes = 0;
        _refusedLimit(t, "maxTensorBytes", 0, 16 * 2 ** 20);
    }

    function test_put_refuses_sizes_that_no_dispute_could_be_about() public {
        OrderTerms memory t = _terms();
        t.inputSize = 0;
        _refusedLimit(t, "inputSize", 0, 2 ** 20);
        t.inputSize = 2 ** 20 + 1;
        _refusedLimit(t, "inputSize", 2 ** 20 + 1, 2 ** 20);
        t.inputSize = 2 ** 20;
        t.outputSize = 0;
        _refusedLimit(t, "outputSize", 0, 1024);
        t.outputSize = 1025;
        _refusedLimit(t, "outputSize", 1025, 1024);
        t.outputSize = 1024;
        Order memory order = book.getOrder(put(t));
        vm.assertEq(order.terms.inputSize, 2 ** 20, "input");
        vm.assertEq(order.terms.outputSize, 1024, "output");
    }

    function test_put_wants_one_output_for_scores_of_one_number() public {
        OrderTerms memory t = _terms();
        ScoreFunction[2] memory regressions = [ScoreFunction.MeanAbsoluteError, ScoreFunction.MeanSquaredError];
        for (uint256 i = 0; i < 2; ++i) {
            t.scoreFunction = regressions[i];
            t.outputSize = 2;
            _refusedLimit(t, "outputSize", 2, 1);
            t.outputSize = 1;
            put(t);
        }
    }

    function test_put_needs_an_allowance_and_a_balance() public {
        _refused(
            _terms(), abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(book), 0, REWARD)
        );
        vm.prank(client);
        token.approve(address(book), REWARD);
        _refused(_terms(), abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, client, 0, REWARD));
        vm.assertEq(book.orderCount(), 0, "nothing put");
    }

    function test_a_permit_spares_the_allowance() public {
        client = vm.addr(KEY);
        fund(client, REWARD);
        (uint8 v, bytes32 r, bytes32 s) = _permit(block.timestamp);
        vm.prank(client);
        uint256 oid = book.putWithPermit(_terms(), block.timestamp, v, r, s);
        vm.assertEq(book.escrowOf(oid), REWARD, "escrow");
    }

    function test_a_front_run_permit_does_no_harm() public {
        client = vm.addr(KEY);
        fund(client, REWARD);
        (uint8 v, bytes32 r, bytes32 s) = _permit(block.timestamp);
        token.permit(client, address(book), REWARD, block.timestamp, v, r, s);
        vm.prank(client);
        uint256 oid = book.putWithPermit(_terms(), block.timestamp, v, r, s);
        vm.assertEq(book.escrowOf(oid), REWARD, "escrow");
    }

    function test_an_expired_permit_gives_no_allowance() public {
        client = vm.addr(KEY);
        fund(client, REWARD);
        (uint8 v, bytes32 r, bytes32 s) = _permit(block.timestamp - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(book), 0, REWARD)
        );
        vm.prank(client);
        book.putWithPermit(_terms(), block.timestamp - 1, v, r, s);
    }

    function test_unknown_orders_are_said_to_be_unknown() public {
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.UnknownOrder.selector, 7));
        book.getOrder(7);
        vm.assertTrue(proof.phaseOf(7) == Phase.None, "phase");
    }

    function _expected() private view returns (Order memory) {
        ProtocolParameters memory p = _parameters();
        return Order({
            client: client,
            putAt: uint64(block.timestamp),
            terms: _terms(),
            claimBond: p.claimBond,
            minimumVStake: p.minimumVStake,
            challengeStake: p.challengeStake,
            requestBond: p.requestBond,
            validatorSharePpm: p.validatorSharePpm,
            aggregatorTaxPpm: p.aggregatorTaxPpm,
            reporterSharePpm: p.reporterSharePpm,
            disputeSharePpm: p.disputeSharePpm,
            moveSeconds: p.moveSeconds,
            maxClaims: p.maxClaims,
            maxValidators: p.maxValidators
        });
    }

    function _permit(uint256 deadline) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 kind = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 message = keccak256(abi.encode(kind, client, address(book), REWARD, token.nonces(client), deadline));
        return vm.sign(KEY, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), message)));
    }

    function _refusedWindow(OrderTerms memory t, string memory name, uint256 actual, uint256 minimum) private {
        _refused(
            t, abi.encodeWithSelector(IOrderBook.WindowOutOfBounds.selector, name, actual, minimum, uint256(30 days))
        );
    }

    function _refusedLimit(OrderTerms memory t, string memory name, uint256 actual, uint256 maximum) private {
        _refused(t, abi.encodeWithSelector(IOrderBook.LimitOutOfBounds.selector, name, actual, 1, maximum));
    }

    function _refused(OrderTerms memory t, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(client);
        book.put(t);
    }
}
