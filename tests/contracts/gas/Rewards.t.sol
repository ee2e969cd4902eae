// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ProtocolParameters } from "../../../contracts/interfaces/IParameters.sol";
import { Payout, Refutation, RewardClaim } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { RewardCredit } from "../../../contracts/libraries/RewardTree.sol";
import { RewardTrees, Tree } from "../support/RewardTrees.sol";
import { Draft, Rewards } from "../support/Rewards.sol";
import { vm } from "../support/Vm.sol";

/// @dev What rewards cost by root and by multisig, for committees of the paper's sizes: run as `Gas.t.sol`. A root is
/// measured when one stands before it, as all but the first in a treasury's life are.
abstract contract RewardsGas is Rewards {
    using RewardTrees for Tree;

    uint256 internal constant EACH = 10 * UNIT;
    /// @dev Addresses like others', which have few zeros.
    uint160 internal constant FIRST = uint160(uint256(keccak256("accounts"))) >> 1;

    function _parameters() internal pure override returns (ProtocolParameters memory p) {
        p = super._parameters();
        p.maxMembers = 100;
        p.fraudSeconds = 100;
    }

    /// @dev A root that says that `tree` is what accounts have earned.
    function _drafted(Tree memory tree, uint128 signers) internal returns (Draft memory d) {
        d = draft();
        d.signers = signers;
        falsify(d, tree.state());
    }

    /// @dev The call alone, for nothing else may lie between it and the note.
    function _posted(Draft memory d, string memory action) internal returns (uint256 gas) {
        bytes memory signatures = sign(d);
        _post(d, signatures);
        gas = _note(action);
        _record(d);
    }

    function _note(string memory action) internal returns (uint256) {
        return vm.snapshotGasLastCall("actions", action);
    }

    function _of(uint256 k, uint256 n) internal pure returns (string memory) {
        return string.concat(" (", vm.toString(k), " of ", vm.toString(n), ")");
    }

    function _bits(uint256 k) internal pure returns (uint128) {
        return uint128((1 << k) - 1);
    }
}

contract CommitteeGasTest is RewardsGas {
    function test_gas_of_3_of_4() public {
        _measure(3, 4);
    }

    function test_gas_of_7_of_10() public {
        _measure(7, 10);
    }

    function test_gas_of_21_of_30() public {
        vm.assertLe(_measure(21, 30), 240_000, "postRoot");
    }

    function test_gas_of_67_of_100() public {
        _measure(67, 100);
    }

    function _measure(uint256 k, uint256 n) private returns (uint256 gas) {
        seatedWithKeys(n);
        vm.assertLe(committee.threshold(), k, "a quorum");
        uint256 oid = holdOrder(pay(provider(0), REWARD), 0);
        _multisig(oid, orders[1].payouts, k, n);
        holdOrder(pay(provider(0), REWARD), 0);
        post(draft());
        holdOrder(pay(provider(0), REWARD), 0);
        Draft memory d = draft();
        d.signers = _bits(k);
        gas = _posted(d, string.concat("postRoot", _of(k, n), ", 1 order"));
    }

    /// @dev The paper's way, all its transactions. Who proposes confirms by it; the paper's proposer confirms once more.
    function _multisig(uint256 oid, Payout[] memory payouts, uint256 k, uint256 n) private {
        string memory size = string.concat(_of(k, n), ", to one account");
        address[] memory members = committee.members();
        vm.prank(members[0]);
        treasury.propose(oid, payouts);
        uint256 sum = _note(string.concat("propose", size));
        for (uint256 i = 1; i < k; ++i) {
            vm.prank(members[i]);
            treasury.confirm(oid);
            sum += _note(string.concat("confirm", size));
        }
        vm.prank(members[0]);
        treasury.execute(oid, payouts);
        sum += _note(string.concat("execute", size));
        vm.snapshotValue("actions", string.concat("multisig", size), sum);
    }
}

contract AccountsGasTest is RewardsGas {
    using RewardTrees for Tree;

    function test_gas_of_1_account() public {
        _measure(1);
    }

    function test_gas_of_10_accounts() public {
        _measure(10);
    }

    function test_gas_of_100_accounts() public {
        _measure(100);
    }

    function test_gas_of_1000_accounts() public {
        _measure(1_000);
    }

    function test_gas_of_10000_accounts() public {
        _measure(10_000);
    }

    /// @dev Accounts hold tokens already; an account's first claim writes a new slot, and a cycle's first looks whether the
    /// root has taken effect.
    function _measure(uint256 n) private {
        seatedWithKeys(30);
        string memory size = string.concat(", ", vm.toString(n), n == 1 ? " account" : " accounts");
        address account = address(FIRST + uint160(n + 1) / 2);
        fund(account, 1);
        if (n > 1) fund(address(FIRST + 1), 1);
        holdOrder(pay(account, n * EACH), 0);
        post(_drafted(RewardTrees.filled(n, FIRST, EACH), _bits(21)));
        if (n > 1) _claim(n, 1, address(FIRST + 1));
        _claim(n, 1, account);
        _note(string.concat("claim, first", size));
        holdOrder(pay(account, n * EACH), 0);
        uint256 gas = _posted(
            _drafted(RewardTrees.filled(n, FIRST, 2 * EACH), _bits(21)), string.concat("postRoot (21 of 30)", size)
        );
        vm.assertLe(gas, 240_000, "postRoot");
        if (n > 1) {
            _claim(n, 2, address(FIRST + 1));
            _note(string.concat("claim, first of its cycle", size));
        }
        _claim(n, 2, account);
        gas = _note(string.concat("claim, again", size));
        vm.assertLe(gas, 65_000, "claim");
        vm.assertEq(token.balanceOf(account), 1 + 2 * EACH, "paid");
    }

    function _claim(uint256 n, uint64 cycle, address account) private {
        if (block.timestamp < treasury.rootOf(cycle).effectiveAt) vm.warp(treasury.rootOf(cycle).effectiveAt);
        RewardClaim memory c = claimFrom(RewardTrees.filled(n, FIRST, cycle * EACH), cycle, account);
        treasury.claim(c);
    }
}

/// @dev The most that one transaction must carry: all must stay far below a block's limit, refutations above all.
contract WorstRewardsGasTest is RewardsGas {
    using RewardTrees for Tree;

    uint256 private constant LIMIT = 10_000_000;
    uint256 private constant ACCOUNTS = 1_000;

    function test_gas_of_many_orders() public {
        seatedWithKeys(30);
        holdOrder(pay(provider(0), REWARD), 0);
        post(draft());
        for (uint256 i = 0; i < 256; ++i) {
            holdOrder(pay(provider(0), REWARD), 0);
        }
        vm.assertLt(_posted(draft(), "postRoot (21 of 30), 256 orders"), LIMIT, "postRoot");
    }

    function test_gas_of_the_worst_refutation() public {
        seatedWithKeys(100);
        holdOrder(pay(provider(0), ACCOUNTS * EACH), 0);
        post(_drafted(RewardTrees.filled(ACCOUNTS, FIRST, EACH), type(uint128).max >> 28));
        Refutation memory r = _refutation(255);
        treasury.refute(r);
        vm.assertLt(_note("refute, worst (33 new accounts, 256 orders, 100 signers)"), LIMIT, "refute");
    }

    function test_gas_of_a_typical_refutation() public {
        seatedWithKeys(30);
        holdOrder(pay(provider(0), REWARD, validator(0), REWARD), TAX);
        Draft memory d = stolen(actor("thief", 0));
        d.signers = _bits(21);
        post(d);
        Refutation memory r = refutation(1, 0);
        treasury.refute(r);
        _note("refute (21 of 30), 2 payouts");
    }

    function test_gas_of_slashing_an_equivocation() public {
        seatedWithKeys(100);
        holdOrder();
        Draft memory d = draft();
        Draft memory other = draft();
        other.statement.attempt = d.statement.attempt;
        other.statement.upTo += 1;
        bytes memory a = signBy(d.members[99], digestOf(d.statement));
        bytes memory b = signBy(d.members[99], digestOf(other.statement));
        committee.slashEquivocation(d.statement, a, other.statement, b, d.members);
        _note("slashEquivocation, worst (the last of 100)");
    }

    /// @dev Posts a root over as many orders as may be, wrong in the last, which pays 33 accounts that are all new.
    function _refutation(uint256 step) private returns (Refutation memory r) {
        for (uint256 i = 0; i < step; ++i) {
            holdOrder(pay(address(FIRST + 1), 1), 0);
        }
        Payout[] memory payouts = new Payout[](33);
        for (uint256 i = 0; i < 33; ++i) {
            payouts[i] = Payout(provider(i), EACH);
        }
        uint256 oid = holdOrder(payouts, TAX);
        Draft memory d = _wrong(step);
        Tree memory tree = _filledAnd(step);
        (r.cycle, r.step, r.steps, r.members) = (2, step, d.steps, d.members);
        r.parent = RewardTrees.filled(ACCOUNTS, FIRST, EACH).state();
        r.parentStepsHash = keccak256(abi.encodePacked(roots[1].steps));
        (r.previous, r.oid, r.payouts) = (tree.state(), oid, payouts);
        r.credits = new RewardCredit[](34);
        for (uint256 i = 0; i < 33; ++i) {
            r.credits[i] = tree.credit(payouts[i].account, EACH);
        }
        r.credits[33] = tree.credit(d.members[orderCount % 100], TAX);
    }

    /// @dev Only the step before the wrong one has to be right.
    function _wrong(uint256 step) private returns (Draft memory d) {
        Tree memory tree = _filledAnd(step);
        d.members = committee.members();
        d.steps = new bytes32[](step + 1);
        for (uint256 i = 0; i < step; ++i) {
            d.steps[i] = keccak256(abi.encode(i));
        }
        d.steps[step - 1] = tree.stateHash();
        d.statement.cycle = 2;
        d.statement.epoch = 1;
        d.statement.upTo = orderCount;
        d.statement.parent = treasury.rootOf(1).root;
        d.statement.history = treasury.historyAt(orderCount);
        d.signers = type(uint128).max >> 28;
        falsify(d, tree.state());
        _posted(d, "postRoot (100 of 100), 256 orders");
    }

    function _filledAnd(uint256 more) private pure returns (Tree memory tree) {
        tree = RewardTrees.create(ACCOUNTS + 40);
        Tree memory base = RewardTrees.filled(ACCOUNTS, FIRST, EACH);
        for (uint256 i = 0; i < base.count; ++i) {
            tree.leaves[i] = base.leaves[i];
        }
        (tree.count, tree.total) = (base.count, base.total);
        tree.credit(address(FIRST + 1), more);
    }
}
