// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { ITestTokenFaucet } from "./interfaces/ITestTokenFaucet.sol";

/// @title TestTokenFaucet
contract TestTokenFaucet is ITestTokenFaucet {
    using SafeERC20 for IERC20;

    uint256 private constant MAX_AMOUNT = 2 ** 120;
    uint256 private constant MAX_PERIOD = 365 days;

    IERC20 public immutable token;
    uint256 public immutable dripAmount;
    uint256 public immutable dripPeriod;
    uint256 public immutable dripLimit;

    mapping(address account => uint256) public nextDripAt;
    /// @dev The period in which something left last, and how much of it.
    uint256 private _period;
    uint256 private _given;

    /// @param token_ what it gives
    /// @param dripAmount_ wei for one drip
    /// @param dripPeriod_ seconds
    /// @param dripLimit_ wei for all drips of one period; TermsOutOfBounds applies
    constructor(IERC20 token_, uint256 dripAmount_, uint256 dripPeriod_, uint256 dripLimit_) {
        _within("dripAmount", dripAmount_, 1, MAX_AMOUNT);
        _within("dripPeriod", dripPeriod_, 1, MAX_PERIOD);
        _within("dripLimit", dripLimit_, dripAmount_, MAX_AMOUNT);
        token = token_;
        dripAmount = dripAmount_;
        dripPeriod = dripPeriod_;
        dripLimit = dripLimit_;
    }

    /// @inheritdoc ITestTokenFaucet
    function drip() external {
        if (block.timestamp < nextDripAt[msg.sender]) revert DripTooEarly(nextDripAt[msg.sender], block.timestamp);
        uint256 left = _left();
        if (left < dripAmount) revert LimitReached(dripAmount, left);
        uint256 held = token.balanceOf(address(this));
        if (held < dripAmount) revert FaucetEmpty(dripAmount, held);
        nextDripAt[msg.sender] = block.timestamp + dripPeriod;
        _period = block.timestamp / dripPeriod;
        _given = dripLimit - left + dripAmount;
        emit Dripped(msg.sender, dripAmount, block.timestamp + dripPeriod);
        token.safeTransfer(msg.sender, dripAmount);
    }

    /// @inheritdoc ITestTokenFaucet
    function available() external view returns (uint256) {
        return Math.min(_left(), token.balanceOf(address(this)));
    }

    function _left() private view returns (uint256) {
        return block.timestamp / dripPeriod > _period ? dripLimit : dripLimit - _given;
    }

    function _within(string memory name, uint256 actual, uint256 minimum, uint256 maximum) private pure {
        if (actual < minimum || actual > maximum) revert TermsOutOfBounds(name, actual, minimum, maximum);
    }
}
