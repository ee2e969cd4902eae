// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title Test tokens for newcomers, on development chains and test networks only
/// @notice Whoever asks gets `dripAmount`, once per `dripPeriod`, as long as there is any. Periods begin at multiples of
/// `dripPeriod` of the chain's clock, and in none of them more than `dripLimit` leaves in all, however many
/// accounts ask: a swarm of them takes a day's limit, not the faucet. Anybody fills it up by a plain transfer; nobody
/// can take anything else out, and there is no owner.
interface ITestTokenFaucet {
    /// @notice `account` got `amount` wei and can ask again from `nextDripAt` on.
    event Dripped(address indexed account, uint256 amount, uint256 nextDripAt);

    /// @notice `name` ("dripAmount", "dripPeriod", "dripLimit") must lie between `minimum` and `maximum`.
    error TermsOutOfBounds(string name, uint256 actual, uint256 minimum, uint256 maximum);
    /// @notice The account had its share; the next is there at `expected`, now it is `actual` (Unix seconds).
    error DripTooEarly(uint256 expected, uint256 actual);
    /// @notice A drip takes `expected` wei; the period has `actual` left.
    error LimitReached(uint256 expected, uint256 actual);
    /// @notice A drip takes `expected` wei; the faucet holds `actual`.
    error FaucetEmpty(uint256 expected, uint256 actual);

    /// @notice Gives the caller `dripAmount`. For anybody.
    /// @dev Reverts with DripTooEarly, LimitReached, FaucetEmpty. Emits Dripped.
    function drip() external;

    /// @return the token that it gives
    function token() external view returns (IERC20);

    /// @return what a drip gives, in wei
    function dripAmount() external view returns (uint256);

    /// @return how long an account waits between drips, and over what time the limit holds, in seconds
    function dripPeriod() external view returns (uint256);

    /// @return the most that leaves in one period, in wei
    function dripLimit() external view returns (uint256);

    /// @return when `account` can ask again (Unix seconds; not later than now if it can)
    function nextDripAt(address account) external view returns (uint256);

    /// @return what can leave in the present period still, in wei: what the limit leaves, or what there is
    function available() external view returns (uint256);
}
