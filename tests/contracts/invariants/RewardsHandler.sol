// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ProtocolParameters } from "../../../contracts/interfaces/IParameters.sol";
import { Holding, Payout, Refutation, RewardClaim } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { RewardState } from "../../../contracts/libraries/RewardTree.sol";
import { RewardTrees, Tree } from "../support/RewardTrees.sol";
import { Draft, Rewards } from "../support/Rewards.sol";
import { between, draw, vm } from "../support/Vm.sol";

/// @dev A treasury and its committee, of which member 0 signs what is right and nothing else, and the others anything: a
/// quorum of them lies when it likes. One watcher refutes in time what is false, if `watched`. Every verb draws what it
/// needs; `successes` counts what went through.
contract RewardsHandler is Rewards {
    using RewardTrees for Tree;

    uint256 private constant SEATS = 4;
    uint256 private constant EARNERS = 6;
    uint32 private constant MOST_ORDERS = 24;
    uint256 private constant DEPOSIT = 1_000 * UNIT;

    bool public watched;
    string public violation;
    mapping(bytes4 verb => uint256) public successes;
    address private thief = actor("thief", 0);
    /// @dev By cycle: 1 + the first wrong step, 0 when the root is right.
    mapping(uint256 cycle => uint256) private _wrong;
    mapping(address account => uint256) private _earned;
    uint256 private _given;

    modifier counted() {
        _;
        ++successes[msg.sig];
    }

    constructor(bool watched_) {
        setUp();
        watched = watched_;
        seatedWithKeys(SEATS);
        for (uint256 i = 0; i < 4; ++i) {
            newOrder(i);
        }
    }

    function _parameters() internal pure override returns (ProtocolParameters memory p) {
        p = super._parameters();
        p.epochSeconds = 600;
        p.stallDelay = 300;
        p.exitDelay = 200;
        p.fraudSeconds = 100;
    }

    // Orders

    function newOrder(uint256 seed) public counted {
        require(orderCount < MOST_ORDERS, "enough");
        Payout[] memory list = new Payout[](seed % 4);
        uint256 tax = draw(seed, 0) % 3 == 0 ? 0 : 1 + draw(seed, 1) % UNIT;
        _given += tax;
        for (uint256 i = 0; i < list.length; ++i) {
            uint256 r = draw(seed, 2 + i);
            list[i] = Payout(provider(r % EARNERS), r % 7 == 0 ? 0 : 1 + (r >> 8) % UNIT);
            _earned[list[i].account] += list[i].amount;
            _given += list[i].amount;
        }
        holdOrder(list, tax);
    }

    function payDirect(uint256 seed) external counted {
        SealedOrder storage order = _open(seed);
        treasury.payDirect(order.oid, order.payouts);
    }

    function settleByMultisig(uint256 seed) external counted {
        SealedOrder storage order = _open(seed);
        address[] memory members = committee.members();
        uint256 k = committee.threshold();
        for (uint256 i = 0; i < k; ++i) {
            vm.prank(members[i]);
            if (i == 0) treasury.propose(order.oid, order.payouts);
            else treasury.confirm(order.oid);
        }
        vm.prank(members[0]);
        treasury.execute(order.oid, order.payouts);
    }

    // Roots

    function postRight(uint256 seed) public counted {
        require(_lowestWrong() == 0, "the honest do not build on a lie");
        uint32 covered = treasury.coveredUpTo();
        require(covered < orderCount, "nothing waits");
        Draft memory d = draft(uint32(between(seed, covered + 1, orderCount)));
        uint256 n = d.members.length;
        d.signers = seed % 2 == 0 ? uint128((1 << n) - 1) : d.signers;
        post(d);
        _wrong[posted] = 0;
    }

    /// @dev Signed by all but member 0.
    function postLie(uint256 seed) external counted {
        Draft memory d = draft(uint32(between(seed, treasury.coveredUpTo() + 1, orderCount)));
        bytes32[] memory right = abi.decode(abi.encode(d.steps), (bytes32[]));
        _lie(d, seed);
        d.signers = 0;
        for (uint256 i = 0; i < d.members.length; ++i) {
            if (d.members[i] != member(0)) d.signers |= uint128(1 << i);
        }
        uint256 wrong = 0;
        for (uint256 i = d.steps.length; i > 0; --i) {
            if (d.steps[i - 1] != right[i - 1]) wrong = i;
        }
        require(wrong != 0, "no lie");
        post(d);
        _wrong[posted] = wrong;
    }

    function refuteLie() public counted {
        uint64 cycle = _lowestWrong();
        require(cycle != 0, "nothing false");
        refute(cycle, _wrong[cycle] - 1);
    }

    /// @dev Somebody who wants the signers' stakes, with a witness that is right or nearly.
    function refuteRight(uint256 seed) external {
        uint64 cycle = uint64(between(seed, 1, posted));
        uint64 lowest = _lowestWrong();
        require(lowest == 0 || cycle < lowest, "false");
        Refutation memory r = refutation(cycle, draw(seed, 1) % roots[cycle].steps.length);
        _forge(r, draw(seed, 2));
        treasury.refute(r);
        violation = "a right root was refuted";
    }

    function claimRoot(uint256 seed) external counted {
        _claimFor(_anybody(seed), uint64(between(draw(seed, 1), 1, posted)));
    }

    function takeRewards(uint256 seed) external counted {
        treasury.claimRewards(_anybody(seed));
    }

    // Committee

    function slashEquivocator(uint256 seed) external counted {
        Draft memory a = draft(orderCount);
        Draft memory b = draft(orderCount);
        b.statement.attempt = a.statement.attempt;
        b.statement.upTo += 1;
        address liar = a.members[seed % a.members.length];
        require(liar != member(0), "honest");
        bytes memory first = signBy(liar, digestOf(a.statement));
        bytes memory second = signBy(liar, digestOf(b.statement));
        committee.slashEquivocation(a.statement, first, b.statement, second, a.members);
    }

    /// @dev Member 0 signs every attempt once.
    function slashHonest(uint256 seed) external {
        Draft memory a = draft(uint32(between(seed, treasury.coveredUpTo() + 1, orderCount)));
        Draft memory b = draft(orderCount);
        bytes memory first = signBy(member(0), digestOf(a.statement));
        bytes memory second = signBy(member(0), digestOf(b.statement));
        committee.slashEquivocation(a.statement, first, b.statement, second, a.members);
        violation = "an honest member was slashed";
    }

    function turnEpoch() public counted {
        committee.advanceEpoch();
    }

    function leave(uint256 seed) external counted {
        vm.prank(member(1 + seed % (SEATS - 1)));
        committee.leave();
    }

    function standAgain(uint256 seed) external counted {
        address account = member(seed % SEATS);
        if (committee.stakeOf(account) != 0) committee.releaseStake(account);
        fund(account, DEPOSIT);
        vm.startPrank(account);
        token.approve(address(vault), DEPOSIT);
        vault.bond(Role.Aggregator, DEPOSIT);
        committee.join(DEPOSIT);
        vm.stopPrank();
    }

    /// @dev Whoever watches does so before anything false takes effect.
    function advance(uint256 seed) public counted {
        uint256 to = block.timestamp + between(seed, 1, 150);
        uint64 lowest = _lowestWrong();
        if (watched && lowest != 0 && treasury.rootOf(lowest).effectiveAt <= to) refuteLie();
        vm.warp(to);
    }

    // What must hold

    /// @notice The treasury's tokens are what it owes, holds and has yet to pay against roots; and whatever roots say, they
    /// and what is held are together the orders that nobody settled otherwise.
    function checkSolvency() external view {
        (uint256 total, uint256 paid) = treasury.rootTotals();
        uint256 held = treasury.totalHeld();
        vm.assertLe(paid, total, "claims within the roots");
        vm.assertEq(token.balanceOf(address(treasury)), treasury.totalOwed() + held + total - paid, "tokens");
        uint256 open = 0;
        for (uint32 q = 1; q <= orderCount; ++q) {
            Holding memory h = treasury.holdingOf(orders[q].oid);
            if (!h.paid) open += h.amount;
        }
        vm.assertEq(held + total, open, "orders not settled otherwise");
        uint256 claimed = treasury.claimedOf(thief) + treasury.claimedOf(client);
        for (uint256 i = 0; i < EARNERS; ++i) {
            claimed += treasury.claimedOf(provider(i));
        }
        for (uint256 i = 0; i < SEATS; ++i) {
            claimed += treasury.claimedOf(member(i));
        }
        vm.assertEq(claimed, paid, "what each claimed");
    }

    /// @notice Roots stand on each other, and take effect in their order.
    function checkRoots() external view {
        vm.assertEq(treasury.cycles(), posted, "cycles");
        for (uint64 c = 1; c <= posted; ++c) {
            vm.assertGe(treasury.rootOf(c).effectiveAt, treasury.rootOf(c - 1).effectiveAt, "effect");
            vm.assertLt(treasury.rootOf(c - 1).upTo, treasury.rootOf(c).upTo, "coverage");
        }
        vm.assertEq(treasury.coveredUpTo(), treasury.rootOf(posted).upTo, "covered");
    }

    /// @notice Nobody honest loses: member 0 has its stake, and where one watches nobody has more than was sealed for it.
    function checkHonest() external view {
        vm.assertEq(bytes(violation).length, 0, violation);
        vm.assertGe(bonded(member(0), Role.Aggregator), BOND, "an honest stake is whole");
        if (!watched) return;
        vm.assertEq(token.balanceOf(thief) + treasury.balanceOf(thief), 0, "a thief has nothing");
        for (uint256 i = 0; i < EARNERS; ++i) {
            uint256 has = token.balanceOf(provider(i)) + treasury.balanceOf(provider(i));
            vm.assertLe(has, _earned[provider(i)], "what was sealed, at most");
        }
    }

    /// @dev Whatever happened: strangers settle what is open, all claim, and each has exactly what was sealed for it.
    function finish() external {
        if (_lowestWrong() != 0) refuteLie();
        vm.warp(block.timestamp + 1 days);
        for (uint32 q = treasury.coveredUpTo() + 1; q <= orderCount; ++q) {
            if (!treasury.holdingOf(orders[q].oid).paid) treasury.payDirect(orders[q].oid, orders[q].payouts);
        }
        for (uint256 i = 0; i < EARNERS + SEATS + 1; ++i) {
            address account = _anybody(i);
            if (posted != 0) try this.claimFor(account, posted) { } catch { }
            if (treasury.balanceOf(account) != 0) treasury.claimRewards(account);
            if (i < EARNERS) vm.assertEq(token.balanceOf(account), _earned[account], "each what was sealed for it");
        }
        vm.assertEq(token.balanceOf(address(treasury)), 0, "treasury is empty");
    }

    function claimFor(address account, uint64 cycle) external {
        _claimFor(account, cycle);
    }

    function _claimFor(address account, uint64 cycle) private {
        uint64 lowest = _lowestWrong();
        if (lowest != 0 && cycle >= lowest) {
            // What a liar shows, who knows what it posted: that it earned all there is
            Tree memory tree = treeAfter(lowest - 1);
            tree.credit(thief, roots[lowest].state.total - tree.total);
            treasury.claim(claimFrom(tree, lowest, thief));
            return;
        }
        treasury.claim(claimOf(cycle, account));
    }

    function _lie(Draft memory d, uint256 seed) private view {
        Tree memory tree = treeAfter(posted);
        RewardState memory state = d.state;
        (uint256 kind, uint256 last) = (draw(seed, 3) % 5, d.steps.length - 1);
        (uint256 given,) = treasury.rootTotals();
        if (kind == 0) tree.credit(thief, state.total - tree.total);
        if (kind == 1) tree.credit(thief, given + treasury.totalHeld() - tree.total);
        if (kind < 2) state = tree.state();
        if (kind == 2) state.total = given;
        if (kind == 3) state.accountsRoot = keccak256(abi.encode(seed));
        if (kind == 4) d.steps[draw(seed, 4) % (last + 1)] = keccak256(abi.encode(seed));
        if (kind < 4 || d.steps[last] == keccak256(abi.encode(seed))) falsify(d, state);
        else close(d);
    }

    function _forge(Refutation memory r, uint256 forgery) private view {
        uint256 kind = forgery % 8;
        if (kind == 1 && r.payouts.length != 0) r.payouts[0].amount += 1;
        if (kind == 2) r.members[0] = thief;
        if (kind == 3) r.previous.total += 1;
        if (kind == 4) r.oid = orders[uint32(between(forgery, 1, orderCount))].oid;
        if (kind == 5 && r.credits.length != 0) r.credits[0].leaf.total += 1;
        if (kind == 6 && r.credits.length != 0) r.credits[0].index ^= 1;
        if (kind == 7 && r.steps.length > 1) r.step = (r.step + 1) % r.steps.length;
    }

    /// @return cycle the lowest false root that stands and can fall; 0 when there is none
    function _lowestWrong() private view returns (uint64 cycle) {
        for (uint64 c = 1; c <= posted; ++c) {
            if (_wrong[c] != 0) return c;
        }
    }

    /// @dev Mostly an order that is open.
    function _open(uint256 seed) private view returns (SealedOrder storage order) {
        uint32 q = uint32(between(seed, 1, orderCount));
        order = orders[q];
        for (uint32 i = 0; i < orderCount; ++i) {
            order = orders[1 + (q + i) % orderCount];
            Holding memory h = treasury.holdingOf(order.oid);
            if (!h.paid && h.sequence > treasury.coveredUpTo()) return order;
        }
    }

    function _anybody(uint256 i) private view returns (address) {
        i %= EARNERS + SEATS + 1;
        if (i < EARNERS) return provider(i);
        return i == EARNERS ? client : member(i - EARNERS - 1);
    }
}
