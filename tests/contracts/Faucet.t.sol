// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { ITestTokenFaucet } from "../../contracts/interfaces/ITestTokenFaucet.sol";
import { TestTokenFaucet } from "../../contracts/TestTokenFaucet.sol";
import { UtilityToken } from "../../contracts/UtilityToken.sol";
import { between, draw, vm } from "./support/Vm.sol";

contract FaucetTest {
    uint256 private constant DRIP = 10;
    uint256 private constant PERIOD = 100;
    uint256 private constant LIMIT = 25;
    uint256 private constant MOST = 2 ** 120;

    UtilityToken private token;
    TestTokenFaucet private faucet;

    function setUp() public {
        vm.warp(1_000_000);
        token = new UtilityToken(address(this), 1_000);
        faucet = new TestTokenFaucet(token, DRIP, PERIOD, LIMIT);
        token.transfer(address(faucet), 100);
    }

    function _account(uint256 index) private pure returns (address) {
        return address(uint160(0xACC0 + index));
    }

    function _drip(uint256 index) private {
        vm.prank(_account(index));
        faucet.drip();
    }

    function test_a_drip_gives_its_amount_and_says_when_the_next_is() public {
        vm.expectEmit(address(faucet));
        emit ITestTokenFaucet.Dripped(_account(1), DRIP, 1_000_100);
        _drip(1);
        vm.assertEq(token.balanceOf(_account(1)), DRIP, "given");
        vm.assertEq(faucet.nextDripAt(_account(1)), 1_000_100, "next");
        vm.assertEq(faucet.available(), LIMIT - DRIP, "what the period has left");
    }

    function test_an_account_waits_for_its_next() public {
        _drip(1);
        vm.warp(1_000_099);
        vm.expectRevert(abi.encodeWithSelector(ITestTokenFaucet.DripTooEarly.selector, 1_000_100, 1_000_099));
        _drip(1);
        vm.warp(1_000_100);
        _drip(1);
        vm.assertEq(token.balanceOf(_account(1)), 2 * DRIP, "twice");
    }

    function test_a_period_has_a_limit_whoever_asks() public {
        _drip(1);
        _drip(2);
        vm.expectRevert(abi.encodeWithSelector(ITestTokenFaucet.LimitReached.selector, DRIP, 5));
        _drip(3);
        vm.warp(1_000_100); // the next one begins
        _drip(3);
        vm.assertEq(faucet.available(), LIMIT - DRIP, "a new period");
    }

    function test_an_empty_faucet_says_so_and_anybody_fills_it() public {
        for (uint256 i = 0; i < 10; ++i) {
            _drip(i);
            vm.warp(block.timestamp + PERIOD);
        }
        vm.assertEq(faucet.available(), 0, "empty");
        vm.expectRevert(abi.encodeWithSelector(ITestTokenFaucet.FaucetEmpty.selector, DRIP, 0));
        _drip(77);
        token.transfer(address(faucet), DRIP);
        _drip(77);
    }

    function test_terms_have_bounds() public {
        _refused(0, PERIOD, LIMIT, "dripAmount", 0, 1, MOST);
        _refused(MOST + 1, PERIOD, MOST + 2, "dripAmount", MOST + 1, 1, MOST);
        _refused(DRIP, 0, LIMIT, "dripPeriod", 0, 1, 365 days);
        _refused(DRIP, 365 days + 1, LIMIT, "dripPeriod", 365 days + 1, 1, 365 days);
        _refused(DRIP, PERIOD, DRIP - 1, "dripLimit", DRIP - 1, DRIP, MOST);
        _refused(DRIP, PERIOD, MOST + 1, "dripLimit", MOST + 1, DRIP, MOST);
    }

    function _refused(
        uint256 amount,
        uint256 period,
        uint256 limit,
        string memory name,
        uint256 actual,
        uint256 low,
        uint256 high
    ) private {
        vm.expectRevert(abi.encodeWithSelector(ITestTokenFaucet.TermsOutOfBounds.selector, name, actual, low, high));
        new TestTokenFaucet(IERC20(address(token)), amount, period, limit);
    }

    /// @dev Any accounts at any times: nobody gets two in a period's time, no period gives more than its limit, what is
    /// available is what can be had, and nothing is lost.
    function testFuzz_limits_hold(uint256 seed) public {
        uint256 drip = between(draw(seed, 0), 1, 20);
        uint256 period = between(draw(seed, 1), 1, 50);
        uint256 limit = between(draw(seed, 2), drip, 70);
        faucet = new TestTokenFaucet(token, drip, period, limit);
        token.transfer(address(faucet), between(draw(seed, 3), 0, 300));
        uint256 given;
        uint256 current;
        for (uint256 i = 0; i < 24; ++i) {
            vm.warp(block.timestamp + between(draw(seed, 100 + i), 0, period));
            if (block.timestamp / period != current) (current, given) = (block.timestamp / period, 0);
            address who = _account(between(draw(seed, 200 + i), 0, 3));
            uint256 allowed = faucet.nextDripAt(who);
            bool expected = block.timestamp >= allowed && faucet.available() >= drip;
            uint256 before = token.balanceOf(who);
            vm.prank(who);
            (bool done,) = address(faucet).call(abi.encodeCall(ITestTokenFaucet.drip, ()));
            vm.assertTrue(done == expected, "as the views say");
            if (done) given += drip;
            vm.assertLe(given, limit, "the period's limit");
            vm.assertEq(token.balanceOf(who) - before, done ? drip : 0, "exactly a drip, or nothing");
            if (done) vm.assertEq(faucet.nextDripAt(who), block.timestamp + period, "waits");
        }
        uint256 held = token.balanceOf(address(this)) + token.balanceOf(address(faucet)) + 100;
        for (uint256 i = 0; i < 4; ++i) {
            held += token.balanceOf(_account(i));
        }
        vm.assertEq(held, 1_000, "nothing is lost");
    }
}
