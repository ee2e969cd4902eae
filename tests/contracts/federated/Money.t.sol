// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { draw, vm } from "../support/Vm.sol";
import { FederatedHandler } from "./support/FederatedHandler.sol";

/// @dev The money of federated tasks over random lives of several, plain and secure, with proofs and without, with thirteen actors: eight participants, half of
/// them hostile, three who ask, a client, a court. The contract holds what it owes to the last wei, what enters leaves once, no honest
/// participant loses stake, and any history can be driven to its end by anybody.
contract FederatedMoneyInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    FederatedHandler private handler;
    mapping(bytes4 verb => uint256) private _reached;

    function setUp() public {
        handler = new FederatedHandler();
        handler.createTask(1);
        handler.joinHonest(0);
        handler.joinHostile(0, 0);
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector({ addr: address(handler), selectors: _tickets() });
    }

    /// forge-config: default.invariant.runs = 12
    /// forge-config: default.invariant.depth = 48
    function invariant_money() public view {
        handler.check();
    }

    function afterInvariant() public {
        handler.drive();
        handler.check();
    }

    /// @dev The fuzzer's choices are useless if they never go through.
    function test_no_verb_is_idle() public {
        vm.pauseGasMetering();
        bytes4[] memory tickets = _tickets();
        for (uint256 life = 0; life < 40 && _idle(tickets) != 0; ++life) {
            setUp();
            for (uint256 i = 0; i < 150; ++i) {
                uint256 r = draw(life, i);
                bytes4 verb = tickets[(r >> 8) % tickets.length];
                (bool ok,) =
                    address(handler).call(abi.encodeWithSelector(verb, draw(r, 1), draw(r, 2), draw(r, 3), draw(r, 4)));
                if (ok) ++_reached[verb];
            }
            handler.check();
            if (life % 4 == 0) afterInvariant();
        }
        vm.assertEq(_idle(tickets), 0, "idle: a bit for each");
    }

    function _idle(bytes4[] memory verbs) private view returns (uint256 bits) {
        for (uint256 i = 0; i < verbs.length; ++i) {
            if (_reached[verbs[i]] == 0) bits |= 1 << i;
        }
    }

    /// @dev Time goes on more often than anything else happens, so that tasks end.
    function _tickets() private pure returns (bytes4[] memory v) {
        v = new bytes4[](38);
        v[0] = FederatedHandler.createTask.selector;
        v[1] = FederatedHandler.askFor.selector;
        v[2] = FederatedHandler.joinHostile.selector;
        v[3] = FederatedHandler.joinHonest.selector;
        v[4] = FederatedHandler.leaveTask.selector;
        v[5] = FederatedHandler.startTask.selector;
        v[6] = FederatedHandler.cancelTask.selector;
        v[7] = FederatedHandler.withdrawTask.selector;
        v[8] = FederatedHandler.joinTask.selector;
        v[9] = FederatedHandler.actSome.selector;
        v[10] = FederatedHandler.answerAny.selector;
        v[11] = FederatedHandler.commitJunk.selector;
        v[12] = FederatedHandler.askFor.selector;
        v[13] = FederatedHandler.askFor.selector;
        v[14] = FederatedHandler.expireAny.selector;
        v[15] = FederatedHandler.expireAny.selector;
        v[16] = FederatedHandler.postAny.selector;
        v[17] = FederatedHandler.replaceAny.selector;
        v[18] = FederatedHandler.finalizeAny.selector;
        v[19] = FederatedHandler.finalizeAny.selector;
        v[20] = FederatedHandler.failAny.selector;
        v[21] = FederatedHandler.claimAny.selector;
        v[22] = FederatedHandler.openDispute.selector;
        v[23] = FederatedHandler.closeDispute.selector;
        v[24] = FederatedHandler.proveWrong.selector;
        v[25] = FederatedHandler.commitModelHostile.selector;
        v[26] = FederatedHandler.drawAny.selector;
        v[27] = FederatedHandler.proveHostile.selector;
        v[28] = FederatedHandler.countAny.selector;
        v[29] = FederatedHandler.replaceAny.selector;
        v[30] = FederatedHandler.replaceAny.selector;
        for (uint256 i = 31; i < v.length; ++i) {
            v[i] = FederatedHandler.advance.selector;
        }
    }
}
