// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { draw, vm } from "../support/Vm.sol";
import { ProofHandler } from "./support/ProofHandler.sol";

/// @dev The bonds of proof rounds over random lives of several: what enters leaves once, to its owner, the reporter or the
/// fire; nobody proves with another's proof; any history can be driven to its end by anybody.
contract ProofMoneyInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    ProofHandler private handler;
    mapping(bytes4 verb => uint256) private _reached;

    function setUp() public {
        handler = new ProofHandler();
        handler.openNew(7);
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector({ addr: address(handler), selectors: _tickets() });
    }

    /// forge-config: default.invariant.runs = 24
    /// forge-config: default.invariant.depth = 120
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
        for (uint256 life = 0; life < 3 || (life < 20 && _idle(tickets) != 0); ++life) {
            setUp();
            for (uint256 i = 0; i < 150; ++i) {
                uint256 r = draw(life, i);
                bytes4 verb = tickets[(r >> 8) % tickets.length];
                (bool ok,) = address(handler).call(abi.encodeWithSelector(verb, draw(r, 1), draw(r, 2)));
                if (ok) ++_reached[verb];
            }
            handler.check();
            afterInvariant();
        }
        vm.assertEq(_idle(tickets), 0, "idle: a bit for each");
    }

    function _idle(bytes4[] memory verbs) private view returns (uint256 bits) {
        for (uint256 i = 0; i < verbs.length; ++i) {
            if (_reached[verbs[i]] == 0) bits |= 1 << i;
        }
    }

    /// @dev Proofs are most of what happens, for a prover owes several.
    function _tickets() private pure returns (bytes4[] memory v) {
        v = new bytes4[](20);
        v[0] = ProofHandler.openNew.selector;
        v[1] = ProofHandler.endSome.selector;
        v[2] = ProofHandler.slashSome.selector;
        v[3] = ProofHandler.returnSome.selector;
        for (uint256 i = 4; i < v.length; ++i) {
            if (i < 7) v[i] = ProofHandler.commitSome.selector;
            else if (i < 10) v[i] = ProofHandler.drawSome.selector;
            else if (i < 17) v[i] = ProofHandler.submitSome.selector;
            else v[i] = ProofHandler.advance.selector;
        }
    }
}
