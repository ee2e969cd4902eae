// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAccessControl } from "@openzeppelin/contracts/access/IAccessControl.sol";
import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { TimelockController } from "@openzeppelin/contracts/governance/TimelockController.sol";
import { IParameters, ProtocolParameters } from "../../contracts/interfaces/IParameters.sol";
import { IParametersTimelock } from "../../contracts/interfaces/IParametersTimelock.sol";
import { Parameters } from "../../contracts/Parameters.sol";
import { ParametersTimelock } from "../../contracts/ParametersTimelock.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

contract TimelockTest is World {
    uint256 private constant DELAY = 2 days;
    address private constant PROPOSER = address(0xB055);
    address private constant WATCHMAN = address(0xCA7);

    ParametersTimelock private timelock;
    Parameters private governed;

    function setUp() public override {
        super.setUp();
        timelock = new ParametersTimelock(DELAY, _one(PROPOSER), _one(WATCHMAN), _one(address(0)));
        governed = new Parameters(address(timelock), _parameters());
    }

    function _one(address account) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = account;
    }

    function _change(uint256 bond) private pure returns (bytes memory) {
        ProtocolParameters memory p = _parameters();
        p.claimBond = bond;
        return abi.encodeCall(IParameters.setParameters, (p));
    }

    function _schedule(bytes memory data) private returns (bytes32) {
        vm.prank(PROPOSER);
        timelock.schedule(address(governed), 0, data, 0, SALT, DELAY);
        return timelock.hashOperation(address(governed), 0, data, 0, SALT);
    }

    function _execute(bytes memory data) private {
        vm.prank(client);
        timelock.execute(address(governed), 0, data, 0, SALT);
    }

    function test_a_change_waits_and_then_anybody_makes_it() public {
        bytes32 id = _schedule(_change(7));
        vm.warp(block.timestamp + DELAY - 1);
        vm.expectPartialRevert(TimelockController.TimelockUnexpectedOperationState.selector);
        _execute(_change(7));
        vm.warp(block.timestamp + 1);
        _execute(_change(7));
        vm.assertEq(governed.current().claimBond, 7, "in force");
        vm.assertTrue(timelock.isOperationDone(id), "done");
    }

    function test_watchmen_and_proposers_cancel() public {
        bytes32 id = _schedule(_change(7));
        vm.prank(WATCHMAN);
        timelock.cancel(id);
        vm.warp(block.timestamp + DELAY);
        vm.expectPartialRevert(TimelockController.TimelockUnexpectedOperationState.selector);
        _execute(_change(7));
        id = _schedule(_change(7));
        vm.prank(PROPOSER);
        timelock.cancel(id);
        vm.assertFalse(timelock.isOperation(id), "gone");
    }

    function test_a_watchman_only_cancels() public {
        vm.expectPartialRevert(IAccessControl.AccessControlUnauthorizedAccount.selector);
        vm.prank(WATCHMAN);
        timelock.schedule(address(governed), 0, _change(7), 0, SALT, DELAY);
    }

    function test_nobody_goes_around_it() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, PROPOSER));
        vm.prank(PROPOSER);
        governed.setParameters(_parameters());
        vm.expectRevert(abi.encodeWithSelector(TimelockController.TimelockInsufficientDelay.selector, DELAY - 1, DELAY));
        vm.prank(PROPOSER);
        timelock.schedule(address(governed), 0, _change(7), 0, SALT, DELAY - 1);
        bytes32 admin = timelock.DEFAULT_ADMIN_ROLE();
        vm.assertTrue(timelock.hasRole(admin, address(timelock)), "its own administrator");
        vm.assertFalse(timelock.hasRole(admin, address(this)), "not its deployer");
        vm.assertFalse(timelock.hasRole(admin, PROPOSER), "nor a proposer");
    }

    function test_the_bounds_hold_for_it_too() public {
        ProtocolParameters memory p = _parameters();
        p.maxClaims = 33;
        bytes memory data = abi.encodeCall(IParameters.setParameters, (p));
        _schedule(data);
        vm.warp(block.timestamp + DELAY);
        vm.expectRevert(abi.encodeWithSelector(IParameters.ParameterOutOfBounds.selector, "maxClaims", 33, 1, 32));
        _execute(data);
    }

    function test_its_list_holds_every_operation_with_its_block() public {
        vm.assertEq(timelock.operationCount(), 0, "none");
        bytes32 first = _schedule(_change(7));
        (address[] memory targets, uint256[] memory values, bytes[] memory payloads) =
            (_one(address(governed)), new uint256[](1), new bytes[](1));
        payloads[0] = _change(8);
        vm.prank(PROPOSER);
        timelock.scheduleBatch(targets, values, payloads, 0, SALT, DELAY);
        vm.prank(PROPOSER);
        timelock.cancel(first);
        vm.assertEq(timelock.operationCount(), 2, "what is cancelled stays listed");
        (bytes32 id, uint256 at) = timelock.operationAt(0);
        vm.assertEq(id, first, "the first");
        vm.assertEq(at, block.number, "its block");
        (id, at) = timelock.operationAt(1);
        vm.assertEq(id, timelock.hashOperationBatch(targets, values, payloads, 0, SALT), "the batch");
        vm.expectRevert(abi.encodeWithSelector(IParametersTimelock.UnknownOperation.selector, 2, 2));
        timelock.operationAt(2);
    }

    function test_a_timelock_of_nothing_or_nobody_is_refused() public {
        bytes4 refusal = IParametersTimelock.TermsTooSmall.selector;
        address[] memory none = new address[](0);
        vm.expectRevert(abi.encodeWithSelector(refusal, "delay", 1, 0));
        new ParametersTimelock(0, _one(PROPOSER), none, _one(address(0)));
        vm.expectRevert(abi.encodeWithSelector(refusal, "proposers", 1, 0));
        new ParametersTimelock(DELAY, none, none, _one(address(0)));
        vm.expectRevert(abi.encodeWithSelector(refusal, "executors", 1, 0));
        new ParametersTimelock(DELAY, _one(PROPOSER), none, none);
    }
}
