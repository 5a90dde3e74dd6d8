// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Epochs} from "./staking/Epochs.sol";
import {GenesisValidator, Ledger, Parameters, Status, Totals, Validator} from "./staking/IStaking.sol";
import {KeyCode} from "./staking/KeyCode.sol";
import {Slashing} from "./staking/Slashing.sol";
import {StakingBase} from "./staking/StakingBase.sol";

/// Stake, keys, rewards and punishment of validators (docs/consensus.md §9). Predeployed: block 0 holds what the constructor
/// makes of the genesis file's validators.
///
/// Coins come in by register, topUp and, once per epoch, by a withdrawal entry of the consensus layer that mints the rewards
/// which `onEpoch` credited. They leave by claim, withdraw and slashing. At the end of each block the balance is at least
/// stakes and rewards together; inside the first block of an epoch the rewards of the last one are still on their way.
contract Staking is Epochs, Slashing {
    uint16 private constant START_REPUTATION = uint16(HALF_REPUTATION);
    uint16 private constant UNJAILED_REPUTATION = 2_500;

    /// The genesis credits the stakes before this runs.
    constructor(
        Parameters memory parameters,
        GenesisValidator[] memory genesis
    ) payable StakingBase(parameters) {
        for (uint256 i; i < genesis.length; i++) {
            GenesisValidator memory one = genesis[i];
            _admit(one, one.stake);
        }
        _totals.activeStake = _totals.stake;
        require(address(this).balance >= _totals.stake * GWEI);
    }

    /// Registers a validator with its stake (whole gwei) and an ML-DSA-44 key that the caller proves to hold. The caller
    /// becomes its owner; stake and rewards are paid to `withdrawal`, for ever. A key can be used once.
    function register(
        bytes calldata publicKey,
        bytes calldata keyProof,
        address withdrawal,
        address feeRecipient
    ) external payable alone returns (uint32 id) {
        uint64 stake = _gweiOf(msg.value);
        return
            _admit(
                GenesisValidator(msg.sender, withdrawal, feeRecipient, stake, publicKey, keyProof),
                stake
            );
    }

    /// Adds to the stake.
    function topUp(uint32 id) external payable alone {
        Validator storage validator = _owned(id);
        Status status = validator.ledger.status;
        if (status != Status.Registered && status != Status.Jailed) revert WrongStatus(status);
        uint64 amount = _gweiOf(msg.value);
        validator.ledger.stake += amount;
        _totals.stake += amount;
        _relist(id, validator);
        emit ToppedUp(id, amount);
    }

    /// Leaves for good. The validator must go on with its duties until a hand-off has replaced it.
    function requestExit(uint32 id) external alone {
        Validator storage validator = _owned(id);
        Status status = validator.ledger.status;
        if (status != Status.Registered && status != Status.Jailed) revert WrongStatus(status);
        validator.ledger.status = Status.Exiting;
        validator.ledger.since = _totals.epoch;
        _relist(id, validator);
        emit ExitRequested(id);
    }

    /// Pays the stake out after unbonding, less what a finality offence costs. By the owner or the receiver.
    function withdraw(uint32 id) external alone {
        Validator storage validator = _beneficiary(id);
        uint256 time = withdrawableAt(id);
        if (time == 0 || time > block.timestamp) revert StillBonded(time);
        // a set that was chosen before the exit may still come into force
        if (_totals.frozen) revert FinalityStalled();
        uint64 stake = validator.ledger.stake;
        uint64 burnt = _correlatedPenalty(id, stake);
        validator.ledger.status = Status.Withdrawn;
        validator.ledger.stake = 0;
        _totals.stake -= stake;
        emit Withdrawn(id, validator.withdrawal, stake - burnt, burnt);
        _pay(BURN, burnt);
        _pay(validator.withdrawal, stake - burnt);
    }

    /// Pays the rewards out, in wei. By the owner or the receiver.
    function claim(uint32 id) external alone returns (uint256) {
        Validator storage validator = _beneficiary(id);
        uint64 amount = validator.ledger.rewards;
        if (amount == 0) revert NothingToClaim();
        validator.ledger.rewards = 0;
        _totals.rewards -= amount;
        emit Claimed(id, validator.withdrawal, amount);
        _pay(validator.withdrawal, amount);
        return uint256(amount) * GWEI;
    }

    /// Replaces the key from the next hand-off on; until then the validator signs with the old one.
    function rotateKey(
        uint32 id,
        bytes calldata publicKey,
        bytes calldata keyProof
    ) external alone {
        Validator storage validator = _owned(id);
        Status status = validator.ledger.status;
        if (status != Status.Registered && status != Status.Jailed) revert WrongStatus(status);
        uint8 index = validator.ledger.keyCount;
        bytes32 keyHash = _addKey(id, msg.sender, publicKey, keyProof);
        emit KeyRotated(id, keyHash, index);
    }

    /// Lets a jailed validator be chosen again, with little reputation.
    function unjail(uint32 id) external alone {
        Validator storage validator = _owned(id);
        Ledger memory ledger = validator.ledger;
        if (ledger.status != Status.Jailed) revert WrongStatus(ledger.status);
        if (_totals.epoch < ledger.since) revert StillJailed(ledger.since);
        ledger.status = Status.Registered;
        ledger.since = 0;
        ledger.reputation = UNJAILED_REPUTATION;
        validator.ledger = ledger;
        _relist(id, validator);
        emit Unjailed(id);
    }

    // ------------------------------------------------------------------------------------------------ views

    /// Number of validators ever registered; ids run from 0.
    function validatorCount() external view returns (uint256) {
        return _validators.length;
    }

    /// Everything about one validator.
    function validatorOf(uint32 id) external view returns (Validator memory) {
        return _validator(id);
    }

    /// Id of the validator that has or had this key. Reverts if there is none.
    function idOfKey(bytes32 keyHash) external view returns (uint32) {
        uint256 idPlusOne = _holders[keyHash];
        if (idPlusOne == 0) revert UnknownKey(0, 0);
        return uint32(idPlusOne - 1);
    }

    /// Key number `index` of a validator; the newest has keyCount - 1.
    function publicKeyOf(uint32 id, uint8 index) external view returns (bytes memory) {
        return KeyCode.read(_keyAt(id, index));
    }

    /// Sums over all validators.
    function totals() external view returns (Totals memory) {
        return _totals;
    }

    /// Part of the list of ids that consensus may choose, in no order.
    function eligible(uint256 from, uint256 count) external view returns (uint32[] memory ids) {
        uint256 length = _eligible.length;
        if (from > length) from = length;
        if (count > length - from) count = length - from;
        ids = new uint32[](count);
        for (uint256 i; i < count; i++) ids[i] = _eligible[from + i];
    }

    /// Time at which the epoch was processed, in seconds; 0: not yet.
    function epochTime(uint256 epoch) external view returns (uint256) {
        return _epochTimes[epoch];
    }

    /// From when on the stake can be withdrawn, in seconds; 0: not known yet. Unbonding counts from the first epoch whose
    /// summary no longer lists the validator.
    function withdrawableAt(uint32 id) public view returns (uint256) {
        Ledger memory ledger = _validator(id).ledger;
        if (ledger.status != Status.Exiting && ledger.status != Status.Slashed)
            revert WrongStatus(ledger.status);
        uint256 last = ledger.lastListed > ledger.since ? ledger.lastListed : ledger.since;
        uint256 time = _epochTimes[last + 1];
        return time == 0 ? 0 : time + UNBONDING;
    }

    /// gwei that a withdrawal now would burn for a finality offence.
    function correlatedPenalty(uint32 id) external view returns (uint64) {
        return _correlatedPenalty(id, _validator(id).ledger.stake);
    }

    // ------------------------------------------------------------------------------------------------ inside

    function _admit(GenesisValidator memory given, uint64 stake) private returns (uint32 id) {
        if (stake < MIN_STAKE) revert StakeTooSmall(stake, MIN_STAKE);
        _demandReceiver(given.withdrawal);
        _demandReceiver(given.feeRecipient);
        id = uint32(_validators.length);
        Validator storage validator = _validators.push();
        validator.owner = given.owner;
        validator.withdrawal = given.withdrawal;
        validator.feeRecipient = given.feeRecipient;
        validator.ledger.stake = stake;
        validator.ledger.reputation = START_REPUTATION;
        validator.ledger.status = Status.Registered;
        _totals.stake += stake;
        bytes32 keyHash = _addKey(id, given.owner, given.publicKey, given.keyProof);
        _relist(id, validator);
        emit Registered(
            id,
            given.owner,
            keyHash,
            given.withdrawal,
            given.feeRecipient,
            stake
        );
    }

    /// This contract cannot receive, and what is sent to 0 is burnt.
    function _demandReceiver(address receiver) private view {
        if (receiver == address(0) || receiver == address(this)) revert BadAddress(receiver);
    }

    /// The validator, if the caller is its owner or is paid by it anyway.
    function _beneficiary(uint32 id) private view returns (Validator storage validator) {
        validator = _validator(id);
        if (msg.sender != validator.owner && msg.sender != validator.withdrawal)
            revert OnlyOwner(validator.owner);
    }
}
