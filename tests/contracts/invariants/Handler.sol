// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { OrderTerms } from "../../../contracts/interfaces/IOrderBook.sol";
import { Seat } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { Holding, Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Bond, Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Commitments } from "../../../contracts/libraries/Commitments.sol";
import { Phase } from "../../../contracts/libraries/Lifecycle.sol";
import { Target } from "../../../contracts/interfaces/IAvailabilityCourt.sol";
import { ScoreFunctions } from "../../../contracts/libraries/ScoreFunctions.sol";
import { between, draw, vm } from "../support/Vm.sol";
import { Steps } from "./Steps.sol";

/// @dev The verbs that the fuzzer combines. Each draws who and which order from its arguments; `successes` counts what
/// went through, so that a test can see that none is idle.
contract Handler is Steps {
    uint256 private constant MAX_ORDERS = 5;

    mapping(bytes4 verb => uint256) public successes;

    modifier counted() {
        _;
        ++successes[msg.sig];
    }

    constructor() {
        setUp();
        for (uint256 i = 0; i < STAKERS; ++i) {
            _deposit(_actor(i), _roleOf(i), BOND);
        }
        for (uint256 i = 0; i < AGGREGATORS; ++i) {
            vm.prank(aggregator(i));
            committee.join(1_000 * UNIT + i);
        }
        committee.advanceEpoch();
        _begin();
    }

    // Clients

    function placeOrder(uint256 seed) external counted {
        require(book.orderCount() < MAX_ORDERS, "enough");
        _put(seed);
    }

    function cancelOrder(uint256 o) external counted {
        uint256 oid = _order(o, Phase.Training);
        if (proof.factsOf(oid).claims != 0) oid = book.orderCount();
        vm.prank(_clientOf(oid));
        book.cancel(oid);
        rewardsOut += book.getOrder(oid).terms.reward;
    }

    function openTest(uint256 o) public counted {
        release(_order(o, Phase.Reveal));
    }

    // Providers

    function makeClaim(uint256 a, uint256 o, uint256 seed) external counted {
        uint256 index = a % COPIER;
        uint256 oid = _order(o, Phase.Training);
        bool idle = !_isHonest(index) && seed % 2 == 0;
        bytes32 commitment = idle ? keccak256(abi.encode(seed)) : modelCommitment(oid, provider(index));
        vm.prank(provider(index));
        proof.claim(oid, commitment);
    }

    function copyClaim(uint256 a, uint256 o) external counted {
        uint256 oid = _order(o, Phase.Training);
        bytes32 theirs = proof.claimOf(oid, provider(a % COPIER)).commitment;
        vm.prank(provider(COPIER));
        proof.claim(oid, theirs);
    }

    function openClaim(uint256 a, uint256 o) external counted {
        reveal(_order(o, Phase.Reveal), provider(a % COPIER));
    }

    /// @dev The copier tries to open its copy as the model it copied.
    function openCopiedClaim(uint256 a, uint256 o) external {
        (uint256 oid, address victim) = (_order(o, Phase.Reveal), provider(a % COPIER));
        vm.prank(provider(COPIER));
        proof.reveal(oid, modelRoot(victim), modelCid(victim), SALT);
        violation = "a copied claim was opened";
    }

    // Validators

    function makeScores(uint256 a, uint256 o, uint256 seed) public counted {
        uint256 oid = _order(o, Phase.ScoreCommit);
        address account = validator(a % COPIER);
        require(!_isHonest(EACH + a % COPIER) || !_isTestHidden(oid), "nothing to score with");
        _rows[oid][account] = _isHonest(EACH + a % COPIER) ? _honestRow(oid) : _hostileRow(oid, seed);
        commitScores(oid, account, _rows[oid][account], between(seed, 10 * UNIT, 100 * UNIT));
    }

    function copyScores(uint256 a, uint256 o, uint256 vStake) external counted {
        uint256 oid = _order(o, Phase.ScoreCommit);
        bytes32 theirs = proof.sheetOf(oid, validator(a % COPIER)).commitment;
        vm.prank(validator(COPIER));
        proof.commitScores(oid, theirs, between(vStake, 10 * UNIT, 100 * UNIT));
    }

    function openScores(uint256 a, uint256 o) public counted {
        uint256 oid = _order(o, Phase.ScoreReveal);
        address account = validator(a % COPIER);
        revealScores(oid, account, _rows[oid][account]);
    }

    function openCopiedScores(uint256 a, uint256 o) external {
        uint256 oid = _order(o, Phase.ScoreReveal);
        vm.prank(validator(COPIER));
        proof.revealScores(oid, _rows[oid][validator(a % COPIER)], SALT);
        violation = "copied scores were opened";
    }

    // Reporter, sealer

    function slashClaim(uint256 a, uint256 o) external counted {
        (uint256 oid, address account) = (_order(o, Phase.Sealable), provider(a % EACH));
        uint256 before = _stake(account, Role.Provider);
        vm.prank(reporter);
        proof.slashUnrevealedClaim(oid, account);
        uint256 taken = before - _stake(account, Role.Provider);
        if (taken != book.getOrder(oid).claimBond) violation = "a claim's slash is not its bond";
    }

    function slashScores(uint256 a, uint256 o) external counted {
        (uint256 oid, address account) = (_order(o, Phase.Challenge), validator(a % EACH));
        uint256 before = _stake(account, Role.Validator);
        uint256 bound = proof.sheetOf(oid, account).locked;
        vm.prank(reporter);
        proof.slashUnrevealedScores(oid, account);
        if (before - _stake(account, Role.Validator) != bound) violation = "a sheet's slash is not its lock";
    }

    function slashVoid(uint256 o) external counted {
        uint256 oid = _order(o, Phase.Challenge);
        uint256 reveals = proof.factsOf(oid).reveals;
        for (uint256 i = 2 * reveals; i < 4 * reveals; ++i) {
            (address account, uint16 m) = (validator(i / reveals), uint16(i % reveals));
            Seat memory seat = proof.seatOf(oid, account, m);
            Role role = seat.holder == account ? Role.Validator : Role.Verifier;
            uint256 before = _stake(seat.holder, role);
            vm.prank(reporter);
            try proof.slashVoidValidation(oid, account, m) {
                if (before - _stake(seat.holder, role) != seat.stake) violation = "a void validation costs its stake";
                return;
            } catch { }
        }
        revert("nothing void");
    }

    // Disputes

    /// @dev Anybody's standing validation, true or false, by the hostile verifier.
    function challengeAny(uint256 a, uint256 o, uint256 m) external counted {
        uint256 oid = _order(o, Phase.Challenge);
        uint16 index = uint16(m % proof.factsOf(oid).reveals);
        vm.prank(verifier(1));
        if (m % 2 == 0) disputes.open(oid, validator(a % COPIER), index);
        else disputes.counter(oid, validator(a % COPIER), index, int64(uint64(draw(m, 1) % (COUNT + 1))));
    }

    function challengeFalse(uint256 o) external counted {
        require(_accuse(_order(o, Phase.Challenge)), "nothing false");
    }

    function playHostile(uint256 d, uint256 seed) external counted {
        for (uint256 i = 0; i < disputes.disputeCount(); ++i) {
            uint256 id = 1 + (d % disputes.disputeCount() + i) % disputes.disputeCount();
            if (_isHostilesTurn(id)) return _playHostile(id, seed);
        }
        revert("no turn");
    }

    function playHonest(uint256 d) external counted {
        for (uint256 i = 0; i < disputes.disputeCount(); ++i) {
            uint256 id = 1 + (d % disputes.disputeCount() + i) % disputes.disputeCount();
            if (_playHonest(id)) return;
        }
        revert("no turn");
    }

    function endDispute(uint256 d) external counted {
        for (uint256 i = 0; i < disputes.disputeCount(); ++i) {
            if (_endDispute(1 + (d % disputes.disputeCount() + i) % disputes.disputeCount())) return;
        }
        revert("none to end");
    }

    /// @dev Verifier 0 fills an emptied place with the truth, verifier 1 with anything.
    function fillPlace(uint256 o, uint256 seed) external counted {
        uint256 oid = _order(o, Phase.Challenge);
        bool honest = seed % 2 == 0;
        require(!honest || !_isTestHidden(oid), "nothing to score with");
        uint256 reveals = proof.factsOf(oid).reveals;
        for (uint256 i = 0; i < COPIER * reveals; ++i) {
            (address account, uint16 m) = (validator(i % COPIER), uint16(i / COPIER));
            if (honest && _isHidden(oid, m)) continue;
            int64 score = honest ? _truth(oid, m) : int64(uint64(draw(seed, m) % (COUNT + 1)));
            vm.prank(verifier(seed % 2));
            try disputes.fill(oid, account, m, score) {
                return;
            } catch { }
        }
        revert("no place is empty");
    }

    /// @dev Anybody frees what is behind a place in a sealed order.
    function releaseSeat(uint256 o) external counted {
        require(_releaseSeats(_order(o, Phase.Sealed)), "no place taken");
    }

    // Data

    function askAny(uint256 o, uint256 seed) external counted {
        uint256 oid = _order(o, Phase.Challenge);
        Target memory target = _anyTarget(oid, seed);
        vm.prank(verifier(1));
        hall.request(target);
    }

    function askHidden(uint256 o) external counted {
        require(_askHidden(_order(o, Phase.ScoreCommit)) || _askHidden(_order(o, Phase.Challenge)), "nothing hidden");
    }

    function answerData(uint256 r) external counted {
        for (uint256 i = 0; i < hall.requestCount(); ++i) {
            if (_answer(1 + (r % hall.requestCount() + i) % hall.requestCount())) return;
        }
        revert("nothing to answer");
    }

    function endRequest(uint256 r) external counted {
        for (uint256 i = 0; i < hall.requestCount(); ++i) {
            if (_endRequest(1 + (r % hall.requestCount() + i) % hall.requestCount())) return;
        }
        revert("none to end");
    }

    function sealAny(uint256 o) external counted {
        _seal(_order(o, Phase.Sealable));
    }

    // Aggregators and everyone's rewards

    function propose(uint256 a, uint256 o) external counted {
        uint256 oid = _unpaid(o);
        vm.prank(aggregator(a % AGGREGATORS));
        treasury.propose(oid, payoutsOf[oid]);
    }

    function confirm(uint256 a, uint256 o) external counted {
        uint256 oid = _unpaid(o);
        vm.prank(aggregator(a % AGGREGATORS));
        treasury.confirm(oid);
    }

    function execute(uint256 a, uint256 o) external counted {
        uint256 oid = _unpaid(o);
        uint256 before = treasury.totalOwed();
        vm.prank(aggregator(a % AGGREGATORS));
        treasury.execute(oid, payoutsOf[oid]);
        _paid(oid, before);
    }

    function payDirect(uint256 o) external counted {
        _payDirect(_unpaid(o));
    }

    /// @dev A committee that pays itself.
    function embezzle(uint256 a, uint256 o) external {
        uint256 oid = _unpaid(o);
        Payout[] memory theirs = payoutsOf[oid];
        theirs[0].account = aggregator(a % AGGREGATORS);
        vm.prank(aggregator(a % AGGREGATORS));
        treasury.execute(oid, theirs);
        violation = "something else was paid than was sealed";
    }

    function takeRewards(uint256 a) external counted {
        for (uint256 i = 0; i < _actors(); ++i) {
            address account = _actor((a % _actors() + i) % _actors());
            if (treasury.balanceOf(account) != 0) return _takeRewards(account);
        }
        revert("nothing to take");
    }

    function turnEpoch() external counted {
        committee.advanceEpoch();
    }

    function leaveCommittee(uint256 a) external counted {
        vm.prank(aggregator(a % AGGREGATORS));
        committee.leave();
    }

    function releaseStake(uint256 a) external counted {
        committee.releaseStake(aggregator(a % AGGREGATORS));
    }

    function rejoinCommittee(uint256 a, uint256 stake) external counted {
        address account = aggregator(a % AGGREGATORS);
        for (uint256 i = 1; i < AGGREGATORS && committee.stakeOf(account) != 0; ++i) {
            try committee.releaseStake(account) { }
            catch {
                account = aggregator((a % AGGREGATORS + i) % AGGREGATORS);
            }
        }
        vm.prank(account);
        committee.join(between(stake, 100 * UNIT, 2_000 * UNIT));
    }

    // Stakes

    function addBond(uint256 a, uint256 amount) external counted {
        uint256 index = a % (STAKERS);
        _deposit(_actor(index), _roleOf(index), between(amount, 1, BOND));
    }

    function requestExit(uint256 a, uint256 amount) external counted {
        uint256 index = a % (STAKERS);
        Bond memory b = vault.bondOf(_actor(index), _roleOf(index));
        amount = between(amount, 1, (b.bonded - b.locked) / 4);
        vm.prank(_actor(index));
        vault.requestExit(_roleOf(index), amount);
    }

    function cancelExit(uint256 a) external counted {
        uint256 index = _exiting(a);
        vm.prank(_actor(index));
        vault.cancelExit(_roleOf(index));
    }

    function withdraw(uint256 a) external counted {
        uint256 index = _exiting(a);
        _withdraw(_actor(index), _roleOf(index));
    }

    // Time

    /// @dev To the next edge of a window, once the honest have opened what they must open before it.
    function advance() public counted {
        for (uint256 oid = 1; oid <= book.orderCount(); ++oid) {
            _duties(oid);
        }
        _gameDuties();
        vm.warp(_nextEdge());
    }

    /// @dev Ends everything: whatever happened, strangers can drive each order home and all can leave with what is theirs.
    function drive() external {
        // Calls, for memory is freed only at their end.
        while (this.endSome()) this.advance();
        for (uint256 oid = 1; oid <= book.orderCount(); ++oid) {
            while (this.endSome() || proof.phaseOf(oid) < Phase.Sealable) this.advance();
            if (proof.phaseOf(oid) == Phase.Sealable) _seal(oid);
        }
        vm.warp(block.timestamp + 1 days);
        for (uint256 oid = 1; oid <= book.orderCount(); ++oid) {
            Holding memory h = treasury.holdingOf(oid);
            if (h.sealedAt != 0 && !h.paid) _payDirect(oid);
        }
    }

    function endSome() external returns (bool) {
        return _endSome();
    }

    function leaveAll() external {
        for (uint256 oid = 1; oid <= book.orderCount(); ++oid) {
            _releaseSeats(oid);
        }
        vm.warp(committee.epochEndsAt());
        for (uint256 i = 0; i < AGGREGATORS; ++i) {
            vm.prank(aggregator(i));
            try committee.leave() { } catch { }
        }
        if (committee.members().length != 0) committee.advanceEpoch();
        for (uint256 i = 0; i < AGGREGATORS; ++i) {
            if (committee.stakeOf(aggregator(i)) != 0) committee.releaseStake(aggregator(i));
        }
        for (uint256 i = 0; i < _actors(); ++i) {
            if (treasury.balanceOf(_actor(i)) != 0) _takeRewards(_actor(i));
            if (i < STAKERS) _leave(_actor(i), _roleOf(i));
        }
        vm.assertEq(token.balanceOf(address(vault)), 0, "vault is empty");
        vm.assertEq(token.balanceOf(address(book)), 0, "book is empty");
        vm.assertEq(token.balanceOf(address(treasury)), 0, "treasury is empty");
    }

    /// @dev Three orders at different stages, so that a run of a few dozen steps sees each stage and some orders end:
    /// one in Challenge with scores in conflict and some unrevealed, one in Reveal, one in Training.
    function _begin() private {
        _put(1);
        for (uint256 i = 0; i < 4; ++i) {
            claim(1, provider(i));
        }
        vm.warp(block.timestamp + 350);
        _put(2);
        for (uint256 i = 0; i < 3; ++i) {
            claim(2, provider(i));
        }
        toReveal(1);
        for (uint256 i = 0; i < 3; ++i) {
            reveal(1, provider(i));
        }
        openTest(0);
        toScoreCommit(1);
        for (uint256 i = 0; i < 4; ++i) {
            makeScores(i, 0, uint256(keccak256(abi.encode("begin", i))));
        }
        toScoreReveal(1);
        for (uint256 i = 0; i < 3; ++i) {
            openScores(i, 0);
        }
        toReveal(2);
        _put(3);
        claim(3, provider(1));
    }
}
