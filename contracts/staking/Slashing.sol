// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ConsensusMessages} from "./ConsensusMessages.sol";
import {Ledger, Offence, Status, Validator} from "./IStaking.sol";
import {KeyCode} from "./KeyCode.sol";
import {StakingBase} from "./StakingBase.sol";

/// Punishment from two signed messages that contradict each other (docs/consensus.md §7, §9). Whoever brings them is rewarded.
///
/// Evidence names a key of the validator for each message: one branch of the chain may have rotated when the other has not.
/// Every key a validator ever had stays answerable while its stake is bonded.
abstract contract Slashing is StakingBase {
    /// A finality offence burns 1/20 of the stake at once, a double seal 1/100; 1/8 of that goes to the reporter.
    uint64 private constant FINALITY_SHARE = 20;
    uint64 private constant DOUBLE_SEAL_SHARE = 100;
    uint64 private constant REPORTER_SHARE = 8;
    uint32 private constant DOUBLE_SEAL_JAIL_EPOCHS = 960;
    uint8 private constant MAX_STRIKES = 3;
    /// With a third of the stake guilty at one time, nothing is left.
    uint256 private constant CORRELATION = 3;

    /// One side of the contradiction.
    struct Signed {
        /// Number of the validator's key
        uint8 key;
        bytes body;
        bytes signature;
    }

    /// Two votes or acks: S1, S1', S2 or S3. Final; the rest of the stake shrinks at withdrawal with what others lost near
    /// this time.
    function slashDoubleVote(
        uint32 id,
        uint8 keyA,
        bytes calldata a,
        bytes calldata sigA,
        uint8 keyB,
        bytes calldata b,
        bytes calldata sigB
    ) external alone {
        _slashDoubleVote(id, Signed(keyA, a, sigA), Signed(keyB, b, sigB));
    }

    /// Two seals in one place of a slot: S4. Once per slot; the third time is final.
    function slashDoubleSeal(
        uint32 id,
        uint8 keyA,
        bytes calldata a,
        bytes calldata sigA,
        uint8 keyB,
        bytes calldata b,
        bytes calldata sigB
    ) external alone {
        _slashDoubleSeal(id, Signed(keyA, a, sigA), Signed(keyB, b, sigB));
    }

    function _slashDoubleVote(uint32 id, Signed memory a, Signed memory b) private {
        Validator storage validator = _validator(id);
        if (_guilt[id].time != 0) revert AlreadySlashed();
        _demandSigned(id, ConsensusMessages.finalityKind(a.body, id), a);
        _demandSigned(id, ConsensusMessages.finalityKind(b.body, id), b);
        Offence offence = ConsensusMessages.contradiction(a.body, b.body);
        if (offence == Offence.None) revert NoOffence();
        uint256 epochA = ConsensusMessages.epochOf(a.body);
        uint256 epochB = ConsensusMessages.epochOf(b.body);
        _demandFresh(_epochTimes[epochA > epochB ? epochA : epochB]);
        _convict(validator);
        _guilt[id] = Guilt(uint64(block.timestamp), _totals.activeStake);
        uint256 count = _slashed.length;
        uint128 before = count == 0 ? 0 : _slashed[count - 1].sum;
        _slashed.push(SlashedSum(uint64(block.timestamp), before + validator.ledger.stake));
        _punish(id, validator, offence, FINALITY_SHARE);
    }

    function _slashDoubleSeal(uint32 id, Signed memory a, Signed memory b) private {
        Validator storage validator = _validator(id);
        Status status = validator.ledger.status;
        if (status == Status.Slashed) revert AlreadySlashed();
        uint64 slot = ConsensusMessages.doubleSealSlot(a.body, b.body, id);
        _demandSigned(id, ConsensusMessages.SEAL, a);
        _demandSigned(id, ConsensusMessages.SEAL, b);
        _demandFresh(GENESIS_TIME + (uint256(slot) * SLOT_MS) / 1000);
        uint256 place = (uint256(id) << 64) | slot;
        if (_doubleSealed[place]) revert AlreadySlashed();
        _doubleSealed[place] = true;
        uint8 strikes = ++validator.ledger.strikes;
        if (strikes == MAX_STRIKES) _convict(validator);
        else if (status != Status.Exiting) _jail(id, validator);
        _punish(id, validator, Offence.DoubleSeal, DOUBLE_SEAL_SHARE);
    }

    /// Reverts unless the validator's key signed this message.
    function _demandSigned(uint32 id, uint8 kind, Signed memory message) private view {
        bytes memory publicKey = KeyCode.read(_keyAt(id, message.key));
        bytes32 hash = ConsensusMessages.hash(SALT, kind, message.body);
        if (!ConsensusMessages.isSigned(PQ_VERIFIER, publicKey, message.signature, hash))
            revert BadSignature();
    }

    /// What a withdrawal would burn of `stake` for a finality offence: min(100 %, 3 · slashed near its time / active stake).
    function _correlatedPenalty(uint32 id, uint64 stake) internal view returns (uint64) {
        Guilt memory guilt = _guilt[id];
        if (guilt.time == 0) return 0;
        uint256 slashed = _slashedNear(guilt.time);
        uint256 penalty = guilt.activeStake == 0
            ? stake
            : (CORRELATION * slashed * stake) / guilt.activeStake;
        return penalty < stake ? uint64(penalty) : stake;
    }

    /// Stake of all that broke a finality rule within the evidence window of `time`, before and after.
    function _slashedNear(uint256 time) private view returns (uint256) {
        uint256 count = _slashed.length;
        if (EVIDENCE_WINDOW == 0) return _slashed[count - 1].sum;
        uint256 from = time < EVIDENCE_WINDOW ? 0 : time - EVIDENCE_WINDOW;
        uint256 end = _countBefore(time + EVIDENCE_WINDOW + 1);
        uint256 start = _countBefore(from);
        return _slashed[end - 1].sum - (start == 0 ? 0 : _slashed[start - 1].sum);
    }

    /// How many offences are older than `time`, by binary search.
    function _countBefore(uint256 time) private view returns (uint256 low) {
        uint256 high = _slashed.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (_slashed[middle].time < time) low = middle + 1;
            else high = middle;
        }
    }

    /// `time` 0: an epoch that has not ended, which is as fresh as can be.
    function _demandFresh(uint256 time) private view {
        if (EVIDENCE_WINDOW == 0 || time == 0) return;
        if (time + EVIDENCE_WINDOW < block.timestamp) revert EvidenceTooOld(time);
    }

    function _convict(Validator storage validator) private {
        Ledger storage ledger = validator.ledger;
        if (ledger.status == Status.Withdrawn) revert WrongStatus(Status.Withdrawn);
        ledger.status = Status.Slashed;
        ledger.since = _totals.epoch;
    }

    function _jail(uint32 id, Validator storage validator) private {
        Ledger storage ledger = validator.ledger;
        if (ledger.status == Status.Withdrawn) revert WrongStatus(Status.Withdrawn);
        ledger.status = Status.Jailed;
        ledger.since = _totals.epoch + DOUBLE_SEAL_JAIL_EPOCHS;
        emit Jailed(id, ledger.since);
    }

    /// Burns a share of the stake, pays the reporter.
    function _punish(
        uint32 id,
        Validator storage validator,
        Offence offence,
        uint64 share
    ) private {
        uint64 lost = validator.ledger.stake / share;
        uint64 reward = lost / REPORTER_SHARE;
        validator.ledger.stake -= lost;
        _totals.stake -= lost;
        _relist(id, validator);
        emit Slashed(id, offence, msg.sender, lost - reward, reward);
        _pay(BURN, lost - reward);
        _pay(msg.sender, reward);
    }
}
