// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Burnable } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title The token that pays and stakes
/// @notice The whole supply is minted once, at deployment; from then on it can only shrink, by slashing.
contract UtilityToken is ERC20, ERC20Permit, ERC20Burnable {
    /// @param holder receives the whole supply
    /// @param supply in wei (18 decimals)
    constructor(address holder, uint256 supply) ERC20("Assay", "ASY") ERC20Permit("Assay") {
        _mint(holder, supply);
    }
}
