// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Burnable } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";

/// @dev A token that calls back in the middle of a transfer, as ours never does: what the guards are for.
contract HostileToken is ERC20Burnable {
    address private _target;
    bytes private _data;

    constructor() ERC20("Hostile", "HOS") {
        _mint(msg.sender, 1_000_000 ether);
    }

    /// @dev From now on every movement calls `target` with `data` and passes on its failure.
    function arm(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_target == address(0)) return;
        (bool ok, bytes memory answer) = _target.call(_data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
    }
}
