// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Stage } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { vm } from "../support/Vm.sol";
import { Game } from "./support/DisputeWorld.sol";
import { Layer, Network, Networks } from "./support/Networks.sol";
import { Players } from "./support/Players.sol";

/// @dev Bounds on what moves cost, execution and calldata, with room to spare; `assay bench dispute` has the exact figures.
contract DisputeGasTest is Players {
    uint256 private constant BASE = 21_000;
    uint256 private constant MOST_A_MOVE = 1_000_000;
    uint256 private constant MOST_A_GAME = 3_000_000;

    function test_a_row_of_784_weights_and_a_thousand_samples() public {
        Layer[] memory layers = new Layer[](2);
        layers[0] = Networks.dense(1, 784, 4);
        layers[1] = Networks.dense(2, 4, 1);
        _expectWithin(lying(Networks.assemble(Networks.vector(784), layers), 40, 37, 0, 0));
    }

    function test_a_row_of_1089_weights_in_parts() public {
        Game memory g = lying(pooled(), 3, 1, 1, 0);
        g.depth = 9;
        _expectWithin(g);
    }

    function test_a_tensor_of_forty_chunks() public {
        _expectWithin(lying(embedded(), 3, 1, 0, 39 * 1024 + 100));
    }

    function _expectWithin(Game memory g) private {
        opened(g);
        uint256 sum = 0;
        while (stageOf(g) != Stage.Closed) {
            (address player, bytes memory data) = move(g);
            uint256 cost = BASE + _calldata(data);
            vm.prank(player);
            uint256 before = gasleft();
            (bool ok,) = address(disputes).call(data);
            cost += before - gasleft();
            vm.assertTrue(ok, "goes through");
            vm.assertLe(cost, MOST_A_MOVE, "a move");
            sum += cost;
        }
        vm.assertLe(sum, MOST_A_GAME, "a game");
    }

    function _calldata(bytes memory data) private pure returns (uint256 cost) {
        for (uint256 i = 0; i < data.length; ++i) {
            cost += data[i] == 0 ? 4 : 16;
        }
    }
}
