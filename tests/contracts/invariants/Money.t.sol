// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { draw, vm } from "../support/Vm.sol";
import { Handler } from "./Handler.sol";

/// @dev Every money invariant of the design, over random lives of several orders with eighteen actors, disputes and requests for data included.
contract MoneyInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    uint256 private constant VERBS = 40;
    uint256 private constant TICKETS = 43;

    Handler private handler;

    function setUp() public {
        handler = new Handler();
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        bytes4[] memory verbs = _verbs();
        // Eight more tickets for time, so that it goes on often enough to see orders end.
        bytes4[] memory tickets = new bytes4[](verbs.length + 8);
        for (uint256 i = 0; i < tickets.length; ++i) {
            tickets[i] = i < verbs.length ? verbs[i] : Handler.advance.selector;
        }
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector({ addr: address(handler), selectors: tickets });
    }

    /// @dev One campaign for all: what each checks, and which invariant of the design it is, says the ledger. A step plays
    /// and checks far more than in other campaigns, so there are fewer lives.
    /// forge-config: default.invariant.runs = 64
    function invariant_money() public view {
        handler.checkSolvency();
        handler.checkStakes();
        handler.checkOrders();
    }

    /// @dev At the end of every run: each order is driven home, the books still balance, and all can leave.
    function afterInvariant() public {
        handler.drive();
        handler.checkSolvency();
        handler.checkStakes();
        handler.checkOrders();
        handler.leaveAll();
        handler.checkSolvency();
        handler.checkStakes();
    }

    /// @dev The fuzzer's choices are useless if they never go through: a few dozen random lives reach every verb.
    function test_no_verb_is_idle() public {
        vm.pauseGasMetering(); // they take more than a test may
        bytes4[] memory verbs = _verbs();
        uint256[] memory reached = new uint256[](VERBS);
        uint256 idle = type(uint256).max;
        // Every life begins with the same world: what was before it would only make the machine slower.
        uint256 beginning = vm.snapshotState();
        for (uint256 life = 0; life < 200 && idle != 0; ++life) {
            vm.revertToState(beginning);
            for (uint256 i = 0; i < 120; ++i) {
                uint256 r = draw(life, i);
                uint256 verb = (r >> 8) % verbs.length;
                bytes4 selector = r % 4 == 0 ? Handler.advance.selector : verbs[verb];
                (bool ok,) = address(handler).call(abi.encodeWithSelector(selector, draw(r, 1), draw(r, 2), draw(r, 3)));
                if (ok && r % 4 != 0) ++reached[verb < VERBS ? verb : VERBS - 1];
            }
            if (life % 4 == 0) afterInvariant();
            idle = _idle(verbs, reached);
        }
        vm.assertEq(idle, 0, "idle: a bit for each verb");
        for (uint256 i = 0; i < VERBS; ++i) {
            if (_isAttack(verbs[i])) vm.assertEq(reached[i], 0, "an attack went through");
        }
    }

    /// @return bits those of the verbs that nobody has come through with, attacks aside
    function _idle(bytes4[] memory verbs, uint256[] memory reached) private pure returns (uint256 bits) {
        for (uint256 i = 0; i < VERBS; ++i) {
            if (reached[i] == 0 && !_isAttack(verbs[i])) bits |= 1 << i;
        }
    }

    function _isAttack(bytes4 verb) private pure returns (bool) {
        return verb == Handler.openCopiedClaim.selector || verb == Handler.openCopiedScores.selector
            || verb == Handler.embezzle.selector;
    }

    function _verbs() private pure returns (bytes4[] memory v) {
        v = new bytes4[](TICKETS);
        v[0] = Handler.placeOrder.selector;
        v[1] = Handler.cancelOrder.selector;
        v[2] = Handler.openTest.selector;
        v[3] = Handler.makeClaim.selector;
        v[4] = Handler.copyClaim.selector;
        v[5] = Handler.openClaim.selector;
        v[6] = Handler.openCopiedClaim.selector;
        v[7] = Handler.makeScores.selector;
        v[8] = Handler.copyScores.selector;
        v[9] = Handler.openScores.selector;
        v[10] = Handler.openCopiedScores.selector;
        v[11] = Handler.slashClaim.selector;
        v[12] = Handler.slashScores.selector;
        v[13] = Handler.challengeAny.selector;
        v[14] = Handler.challengeFalse.selector;
        v[15] = Handler.slashVoid.selector;
        v[16] = Handler.sealAny.selector;
        v[17] = Handler.propose.selector;
        v[18] = Handler.confirm.selector;
        v[19] = Handler.execute.selector;
        v[20] = Handler.payDirect.selector;
        v[21] = Handler.embezzle.selector;
        v[22] = Handler.takeRewards.selector;
        v[23] = Handler.turnEpoch.selector;
        v[24] = Handler.leaveCommittee.selector;
        v[25] = Handler.rejoinCommittee.selector;
        v[26] = Handler.addBond.selector;
        v[27] = Handler.requestExit.selector;
        v[28] = Handler.cancelExit.selector;
        v[29] = Handler.withdraw.selector;
        v[30] = Handler.releaseStake.selector;
        v[31] = Handler.playHostile.selector;
        v[32] = Handler.playHonest.selector;
        v[33] = Handler.endDispute.selector;
        v[34] = Handler.askAny.selector;
        v[35] = Handler.askHidden.selector;
        v[36] = Handler.answerData.selector;
        v[37] = Handler.endRequest.selector;
        v[38] = Handler.releaseSeat.selector;
        // Four tickets: a place is empty and needed only now and then.
        for (uint256 i = VERBS - 1; i < TICKETS; ++i) {
            v[i] = Handler.fillPlace.selector;
        }
    }
}
