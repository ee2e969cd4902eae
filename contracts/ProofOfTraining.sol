// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { IOrderBook, Order } from "./interfaces/IOrderBook.sol";
import { IParameters } from "./interfaces/IParameters.sol";
import { Claim, IProofOfTraining, Model, Outcome, Settlement } from "./interfaces/IProofOfTraining.sol";
import { IRewardTreasury, Payout } from "./interfaces/IRewardTreasury.sol";
import { IStakeVault, Role } from "./interfaces/IStakeVault.sol";
import { Commitments } from "./libraries/Commitments.sol";
import { Phase } from "./libraries/Lifecycle.sol";
import { ScoreFunction, ScoreFunctions } from "./libraries/ScoreFunctions.sol";
import { Settlements } from "./libraries/Settlements.sol";
import { Tallies, Votes } from "./libraries/Tallies.sol";
import { ProofCourts } from "./ProofCourts.sol";

/// @title ProofOfTraining
contract ProofOfTraining is ProofCourts {
    using Tallies for Votes;

    constructor(
        IOrderBook orderBook_,
        IStakeVault vault_,
        IRewardTreasury treasury_,
        address court_,
        address availability_
    ) ProofCourts(orderBook_, vault_, treasury_, court_, availability_) { }

    /// @inheritdoc IProofOfTraining
    function claim(uint256 oid, bytes32 commitment) external nonReentrant {
        _requirePhase(oid, Phase.Training);
        if (commitment == 0) revert CommitmentRequired();
        Cycle storage cycle = _cycles[oid];
        Claim storage mine = cycle.claimBy[msg.sender];
        Order memory order = _orderOf(oid);
        bool first = mine.commitment == 0;
        uint64 sequence = ++cycle.sequence;
        if (first) {
            if (cycle.claims >= order.maxClaims) revert TooManyClaims(oid, order.maxClaims);
            _requireActive(Role.Provider);
            cycle.claimantAt[cycle.claims++] = msg.sender;
        }
        mine.commitment = commitment;
        mine.sequence = sequence;
        emit Claimed(oid, msg.sender, commitment, sequence, order.claimBond);
        if (first) _VAULT.lock(msg.sender, Role.Provider, order.claimBond, bytes32(oid));
    }

    /// @inheritdoc IProofOfTraining
    function reveal(uint256 oid, bytes32 modelRoot, bytes32 cid, bytes32 salt) external {
        _requirePhase(oid, Phase.Reveal);
        Cycle storage cycle = _cycles[oid];
        Claim storage mine = cycle.claimBy[msg.sender];
        if (mine.commitment == 0) revert NothingCommitted(oid, msg.sender);
        if (mine.revealed) revert AlreadyRevealed(oid, msg.sender);
        bytes32 actual = Commitments.model(oid, msg.sender, modelRoot, cid, salt);
        if (actual != mine.commitment) revert WrongOpening(mine.commitment, actual);
        uint16 index = cycle.reveals++;
        mine.revealed = true;
        mine.modelIndex = index;
        cycle.modelAt[index] = Model({ provider: msg.sender, sequence: mine.sequence, modelRoot: modelRoot, cid: cid });
        emit Revealed(oid, msg.sender, index, modelRoot, cid);
    }

    /// @inheritdoc IProofOfTraining
    function commitScores(uint256 oid, bytes32 commitment, uint256 vStake) external nonReentrant {
        _requirePhase(oid, Phase.ScoreCommit);
        if (commitment == 0) revert CommitmentRequired();
        Cycle storage cycle = _cycles[oid];
        if (cycle.sheetBy[msg.sender].commitment != 0) revert AlreadyCommitted(oid, msg.sender);
        Order memory order = _orderOf(oid);
        if (vStake < order.minimumVStake) revert VStakeTooSmall(order.minimumVStake, vStake);
        _requireActive(Role.Validator);
        uint256 locked = Math.saturatingMul(vStake, cycle.reveals);
        (address displaced, uint256 freed) = _seat(oid, cycle, order.maxValidators, vStake);
        Sheet storage sheet = cycle.sheetBy[msg.sender];
        sheet.commitment = commitment;
        // A vStake that does not fit is one that no bond covers: the lock below reverts.
        sheet.vStake = uint128(vStake);
        sheet.sequence = ++cycle.sequence;
        emit ScoresCommitted(oid, msg.sender, commitment, vStake, locked);
        _VAULT.lock(msg.sender, Role.Validator, locked, bytes32(oid));
        if (freed != 0) _VAULT.unlock(displaced, Role.Validator, freed, bytes32(oid));
    }

    /// @inheritdoc IProofOfTraining
    function revealScores(uint256 oid, int64[] calldata scores, bytes32 salt) external {
        _requirePhase(oid, Phase.ScoreReveal);
        Cycle storage cycle = _cycles[oid];
        Sheet storage sheet = cycle.sheetBy[msg.sender];
        if (sheet.commitment == 0) revert NothingCommitted(oid, msg.sender);
        if (sheet.revealed) revert AlreadyRevealed(oid, msg.sender);
        if (scores.length != cycle.reveals) revert WrongScoreCount(cycle.reveals, scores.length);
        bytes32 actual = Commitments.scores(oid, msg.sender, scores, salt);
        if (actual != sheet.commitment) revert WrongOpening(sheet.commitment, actual);
        sheet.revealed = true;
        cycle.scoreReveals += 1;
        cycle.scoresBy[msg.sender] = scores;
        _count(oid, cycle, scores);
        emit ScoresRevealed(oid, msg.sender, scores);
    }

    /// @inheritdoc IProofOfTraining
    function slashUnrevealedClaim(uint256 oid, address provider) external nonReentrant {
        Phase phase = _phaseOf(oid);
        bool late = phase > Phase.Reveal && phase < Phase.Sealed;
        Claim storage theirs = _cycles[oid].claimBy[provider];
        if (!late || theirs.commitment == 0 || theirs.revealed || theirs.slashed) revert NotSlashable(oid, provider);
        _slashClaim(oid, provider, _orderOf(oid));
    }

    /// @inheritdoc IProofOfTraining
    function slashUnrevealedScores(uint256 oid, address validator) external nonReentrant {
        Phase phase = _phaseOf(oid);
        Cycle storage cycle = _cycles[oid];
        bool late = phase > Phase.ScoreReveal && phase < Phase.Sealed && !cycle.testVoid;
        Sheet storage theirs = cycle.sheetBy[validator];
        if (!late || theirs.commitment == 0 || theirs.revealed || theirs.slashed) {
            revert NotSlashable(oid, validator);
        }
        _slashSheet(oid, validator, _orderOf(oid));
    }

    /// @inheritdoc IProofOfTraining
    function seal(uint256 oid) external nonReentrant {
        _requirePhase(oid, Phase.Sealable);
        Order memory order = _orderOf(oid);
        (Settlement memory settlement, Payout[] memory payouts, uint256 tax) = _settle(oid, order);
        settlement.sealedAt = uint64(block.timestamp);
        settlement.payoutsHash = Commitments.payouts(oid, payouts, tax);
        _cycles[oid].settlement = settlement;
        emit OrderSealed(oid, settlement.outcome, settlement, payouts, tax);
        _closeClaims(oid, order);
        _closeSheets(oid, order);
        uint256 amount = _BOOK.releaseEscrow(oid);
        // slither-disable-next-line incorrect-equality
        if (settlement.outcome == Outcome.Refunded) _TREASURY.refund(oid, order.client, amount);
        else _TREASURY.hold(oid, settlement.payoutsHash, amount, tax, order.client);
    }

    /// @dev Gives the caller a place among the validators: the next free one, else that of the lowest vStake.
    /// @return displaced who sat there; zero when nobody did
    /// @return freed what the displaced had locked
    function _seat(uint256 oid, Cycle storage cycle, uint256 places, uint256 vStake)
        private
        returns (address displaced, uint256 freed)
    {
        if (cycle.scoreCommits < places) {
            cycle.validatorAt[cycle.scoreCommits++] = msg.sender;
            return (address(0), 0);
        }
        (uint256 index, uint256 lowest) = _lowest(cycle, places);
        if (vStake <= lowest) revert TooManyValidators(oid, lowest, vStake);
        displaced = cycle.validatorAt[index];
        freed = lowest * cycle.reveals;
        cycle.validatorAt[index] = msg.sender;
        delete cycle.sheetBy[displaced];
        emit ValidatorDisplaced(oid, displaced, msg.sender);
    }

    /// @dev Checks the ranges and counts every score but the abstentions and those of models that are void by now.
    function _count(uint256 oid, Cycle storage cycle, int64[] calldata scores) private {
        ScoreFunction fn = _orderOf(oid).terms.scoreFunction;
        uint32 samples = _samplesOf(oid);
        for (uint256 i = 0; i < scores.length; ++i) {
            if (scores[i] == ScoreFunctions.ABSTAIN) continue;
            if (!ScoreFunctions.inRange(fn, scores[i], samples)) revert ScoreOutOfRange(i, scores[i]);
            if (_isVoid(cycle, i)) {
                cycle.removedBy[msg.sender] |= 1 << i;
                // forge-lint: disable-next-line(unsafe-typecast)
                emit ValidationRemoved(oid, msg.sender, uint16(i), address(0), 0);
            } else {
                cycle.votesOn[i].add(scores[i]);
            }
        }
    }

    // The vault is ours and calls nobody but the token, which is ours; both loops are bounded by 32; `seal` and all that
    // moves money is behind the reentrancy guard, and the order is sealed before the first call.
    // slither-disable-start calls-loop,reentrancy-no-eth
    function _closeClaims(uint256 oid, Order memory order) private {
        Cycle storage cycle = _cycles[oid];
        uint256 claims = cycle.claims;
        for (uint256 i = 0; i < claims; ++i) {
            address provider = cycle.claimantAt[i];
            Claim storage theirs = cycle.claimBy[provider];
            if (theirs.slashed) continue;
            if (theirs.revealed) _VAULT.unlock(provider, Role.Provider, order.claimBond, bytes32(oid));
            else _slashClaim(oid, provider, order);
        }
    }

    function _closeSheets(uint256 oid, Order memory order) private {
        Cycle storage cycle = _cycles[oid];
        uint256 sheets = cycle.scoreCommits;
        for (uint256 i = 0; i < sheets; ++i) {
            address validator = cycle.validatorAt[i];
            Sheet storage theirs = cycle.sheetBy[validator];
            if (theirs.slashed) continue;
            if (!theirs.revealed && !cycle.testVoid) {
                _slashSheet(oid, validator, order);
                continue;
            }
            uint256 locked = _lockedBy(cycle, theirs);
            if (locked != 0) _VAULT.unlock(validator, Role.Validator, locked, bytes32(oid));
        }
    }

    function _slashClaim(uint256 oid, address provider, Order memory order) private {
        _cycles[oid].claimBy[provider].slashed = true;
        emit ClaimSlashed(oid, provider, order.claimBond, msg.sender);
        _VAULT.slashLocked(provider, Role.Provider, order.claimBond, msg.sender, order.reporterSharePpm, bytes32(oid));
    }

    function _slashSheet(uint256 oid, address validator, Order memory order) private {
        Cycle storage cycle = _cycles[oid];
        Sheet storage theirs = cycle.sheetBy[validator];
        uint256 amount = _lockedBy(cycle, theirs);
        theirs.slashed = true;
        emit ScoresSlashed(oid, validator, amount, msg.sender);
        _VAULT.slashLocked(validator, Role.Validator, amount, msg.sender, order.reporterSharePpm, bytes32(oid));
    }

    // slither-disable-end calls-loop,reentrancy-no-eth

    /// @return index of the validator with the lowest vStake, the latest of them on a tie
    /// @return lowest its vStake
    function _lowest(Cycle storage cycle, uint256 places) private view returns (uint256 index, uint256 lowest) {
        lowest = type(uint256).max;
        uint64 latest = 0;
        for (uint256 i = 0; i < places; ++i) {
            Sheet storage sheet = cycle.sheetBy[cycle.validatorAt[i]];
            if (sheet.vStake < lowest || (sheet.vStake == lowest && sheet.sequence > latest)) {
                (index, lowest, latest) = (i, sheet.vStake, sheet.sequence);
            }
        }
    }

    /// @return settlement without time and hash
    /// @return payouts who earned what
    /// @return tax the aggregators'
    function _settle(uint256 oid, Order memory order)
        private
        view
        returns (Settlement memory settlement, Payout[] memory payouts, uint256 tax)
    {
        Cycle storage cycle = _cycles[oid];
        uint256 reward = order.terms.reward;
        uint32 samples = _samplesOf(oid);
        tax = Settlements.taxOf(reward, order.aggregatorTaxPpm);
        if (samples == 0) {
            address[] memory providers = _sharersOf(cycle);
            if (providers.length != 0) {
                settlement.outcome = Outcome.Shared;
                return (settlement, Settlements.shared(reward, tax, providers), tax);
            }
        }
        _pickWinner(cycle, order, samples, settlement);
        if (settlement.outcome == Outcome.Won) {
            (address[] memory validators, uint256[] memory stakes) =
                _supportersOf(cycle, settlement.modelIndex, order.challengeStake);
            payouts = Settlements.won(reward, tax, order.validatorSharePpm, settlement.winner, validators, stakes);
            return (settlement, payouts, tax);
        }
        settlement.outcome = Outcome.Refunded;
        return (settlement, Settlements.refunded(reward, order.client), 0);
    }

    /// @dev Highest score wins, the earlier claim on a tie. Leaves `settlement` alone when no model is eligible.
    function _pickWinner(Cycle storage cycle, Order memory order, uint32 samples, Settlement memory settlement)
        private
        view
    {
        uint64 earliest = 0;
        for (uint256 i = 0; i < cycle.reveals; ++i) {
            (bool eligible, int64 score) = _eligible(cycle, i, order, samples);
            if (!eligible) continue;
            Model storage model = cycle.modelAt[i];
            bool better = settlement.outcome == Outcome.None || score > settlement.score
                || (score == settlement.score && model.sequence < earliest);
            if (!better) continue;
            settlement.outcome = Outcome.Won;
            settlement.modelIndex = uint16(i);
            settlement.score = score;
            settlement.winner = model.provider;
            earliest = model.sequence;
        }
    }

    /// @return validators whose live validation made the model win
    /// @return stakes what is behind each
    function _supportersOf(Cycle storage cycle, uint256 modelIndex, uint256 challengeStake)
        private
        view
        returns (address[] memory validators, uint256[] memory stakes)
    {
        uint256 live = cycle.votesOn[modelIndex].live;
        validators = new address[](live);
        stakes = new uint256[](live);
        uint256 n = 0;
        for (uint256 i = 0; n < live; ++i) {
            address validator = cycle.validatorAt[i];
            if (!_isLive(cycle, validator, modelIndex)) continue;
            (validators[n], stakes[n]) = _holderOf(cycle, validator, modelIndex, challengeStake);
            n += 1;
        }
    }

    /// @return providers those who revealed a model that is not void
    function _sharersOf(Cycle storage cycle) private view returns (address[] memory providers) {
        uint256 reveals = cycle.reveals;
        uint256 n = 0;
        for (uint256 i = 0; i < reveals; ++i) {
            if (!_isVoid(cycle, i)) n += 1;
        }
        providers = new address[](n);
        n = 0;
        for (uint256 i = 0; i < reveals; ++i) {
            if (!_isVoid(cycle, i)) providers[n++] = cycle.modelAt[i].provider;
        }
    }

    function _requireActive(Role role) private view {
        if (_VAULT.isActive(msg.sender, role)) return;
        uint256 expected = IParameters(_VAULT.parameters()).minimumBond(role);
        revert NotActive(msg.sender, expected, _VAULT.bondOf(msg.sender, role).bonded);
    }
}
