// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { draw, vm } from "../support/Vm.sol";
import { RewardsHandler } from "./RewardsHandler.sol";

/// @dev Money under roots: honest and lying ones, refuted, claimed, beside orders that are settled one by one.
abstract contract RewardRootInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    uint256 private constant VERBS = 15;

    RewardsHandler internal handler;

    function _watched() internal pure virtual returns (bool);

    function setUp() public {
        handler = new RewardsHandler(_watched());
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector({ addr: address(handler), selectors: _verbs() });
    }

    function _check() internal view {
        handler.checkSolvency();
        handler.checkRoots();
        handler.checkHonest();
    }

    function _verbs() internal pure returns (bytes4[] memory v) {
        v = new bytes4[](VERBS);
        v[0] = RewardsHandler.newOrder.selector;
        v[1] = RewardsHandler.payDirect.selector;
        v[2] = RewardsHandler.settleByMultisig.selector;
        v[3] = RewardsHandler.postRight.selector;
        v[4] = RewardsHandler.postLie.selector;
        v[5] = RewardsHandler.refuteLie.selector;
        v[6] = RewardsHandler.refuteRight.selector;
        v[7] = RewardsHandler.claimRoot.selector;
        v[8] = RewardsHandler.takeRewards.selector;
        v[9] = RewardsHandler.slashEquivocator.selector;
        v[10] = RewardsHandler.slashHonest.selector;
        v[11] = RewardsHandler.turnEpoch.selector;
        v[12] = RewardsHandler.leave.selector;
        v[13] = RewardsHandler.standAgain.selector;
        v[14] = RewardsHandler.advance.selector;
    }
}

/// @dev One watches: whatever a lying quorum posts, everybody ends with what was sealed for it.
contract WatchedRootInvariants is RewardRootInvariants {
    function _watched() internal pure override returns (bool) {
        return true;
    }

    /// forge-config: default.invariant.runs = 40
    function invariant_money() public view {
        _check();
    }

    function afterInvariant() public {
        handler.finish();
        handler.checkSolvency();
        handler.checkHonest();
    }

    /// @dev The fuzzer's choices are useless if they never go through.
    function test_no_verb_is_idle() public {
        bytes4[] memory verbs = _verbs();
        uint256[] memory reached = new uint256[](verbs.length);
        for (uint256 life = 0; life < 8; ++life) {
            handler = new RewardsHandler(true);
            for (uint256 i = 0; i < 100; ++i) {
                uint256 r = draw(life, i);
                uint256 verb = r % verbs.length;
                (bool ok,) = address(handler).call(abi.encodeWithSelector(verbs[verb], draw(r, 1)));
                if (ok) ++reached[verb];
            }
            afterInvariant();
        }
        for (uint256 i = 0; i < verbs.length; ++i) {
            bool attack =
                verbs[i] == RewardsHandler.refuteRight.selector || verbs[i] == RewardsHandler.slashHonest.selector;
            vm.assertEq(reached[i] == 0 ? 0 : 1, attack ? 0 : 1, string.concat("verb ", vm.toString(i)));
        }
    }
}

/// @dev Nobody watches: lies take effect, and yet no more is paid than was held for orders.
contract BlindRootInvariants is RewardRootInvariants {
    function _watched() internal pure override returns (bool) {
        return false;
    }

    /// forge-config: default.invariant.runs = 40
    function invariant_money() public view {
        _check();
    }
}
