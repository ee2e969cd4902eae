// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Verdict } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { draw, vm } from "../support/Vm.sol";
import { DisputeHandler } from "./support/DisputeHandler.sol";

/// @dev What verifiers have locked is what is at stake in open disputes, or behind scores that took a place, whatever has
/// happened.
contract DisputeInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    DisputeHandler private handler;
    mapping(bytes4 verb => uint256) private _reached;

    function setUp() public {
        handler = new DisputeHandler();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector({ addr: address(handler), selectors: _verbs() });
    }

    function invariant_locks_are_open_stakes() public {
        handler.checkLocks();
        handler.checkVerdicts();
    }

    function afterInvariant() public {
        handler.end();
        handler.checkLocks();
        handler.checkVerdicts();
    }

    /// @dev The fuzzer's choices are useless if they never go through: random lives come to every verdict and every verb.
    function test_no_verdict_is_missing() public {
        uint256[4] memory ended;
        bytes4[] memory verbs = _verbs();
        for (uint256 life = 0; life < 20; ++life) {
            handler = new DisputeHandler();
            for (uint256 i = 0; i < 40; ++i) {
                uint256 r = draw(life, i);
                (bool ok,) = address(handler).call(abi.encodeWithSelector(verbs[r % verbs.length], draw(r, 1)));
                if (ok) ++_reached[verbs[r % verbs.length]];
                if (ok) handler.checkVerdicts();
            }
            afterInvariant();
            for (uint256 v = 1; v <= 3; ++v) {
                ended[v] += handler.ended(Verdict(v));
            }
            // most places are freed at the end of a life
            _reached[DisputeHandler.freeSeat.selector] += handler.freed();
        }
        for (uint256 v = 1; v <= 3; ++v) {
            vm.assertTrue(ended[v] > 5, "each verdict comes up");
        }
        for (uint256 i = 0; i < verbs.length; ++i) {
            vm.assertTrue(_reached[verbs[i]] > 0, "each verb goes through");
        }
    }

    function _verbs() private pure returns (bytes4[] memory v) {
        v = new bytes4[](15);
        v[0] = DisputeHandler.challenge.selector;
        v[1] = DisputeHandler.makeMove.selector;
        v[2] = DisputeHandler.makeMoves.selector;
        v[3] = DisputeHandler.wait.selector;
        v[4] = DisputeHandler.runOut.selector;
        v[5] = DisputeHandler.letGo.selector;
        v[6] = DisputeHandler.leave.selector;
        v[7] = DisputeHandler.lose.selector;
        v[8] = DisputeHandler.sealOne.selector;
        v[9] = DisputeHandler.challenge.selector;
        v[10] = DisputeHandler.makeMoves.selector;
        v[11] = DisputeHandler.counter.selector;
        v[12] = DisputeHandler.fill.selector;
        v[13] = DisputeHandler.freeSeat.selector;
        v[14] = DisputeHandler.counter.selector;
    }
}
