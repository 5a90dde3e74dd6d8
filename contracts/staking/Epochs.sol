// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ledger, Status, Totals, Validator} from "./IStaking.sol";
import {StakingBase} from "./StakingBase.sol";

/// What happens once per epoch, in the first block after it, before its transactions (docs/consensus.md §8).
abstract contract Epochs is StakingBase {
    address internal constant SYSTEM = 0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE;

    uint256 private constant HEAD_BYTES = 23;
    uint256 private constant ROW_BYTES = 17;
    uint256 private constant VOTED = 1;
    uint256 private constant VOTE_EXPECTED = 2;

    uint256 internal constant HALF_REPUTATION = 5_000;
    uint256 private constant LEAST_REPUTATION = 2_000;
    uint32 internal constant JAIL_EPOCHS = 40;

    /// Rewards, reputation and jail of one epoch. The coins themselves come with the block's withdrawal. Writes one slot per
    /// row, whoever claims what; a validator that is jailed costs some more.
    ///
    ///     summary = epoch:u64 ‖ frozen:u8 ‖ q:u32 ‖ minted:u64 ‖ n:u16 ‖ n rows ‖ candidates, which are not read here
    ///     row     = id:u32 ‖ made:u16 ‖ missed:u16 ‖ flags:u8 (1 voted, 2 vote expected) ‖ reward:u64
    function onEpoch(bytes calldata summary) external {
        if (msg.sender != SYSTEM) revert OnlySystem();
        if (summary.length < HEAD_BYTES) revert BadSummary();
        Totals memory totals = _totals;
        uint64 epoch = uint64(bytes8(summary[0:8]));
        if (epoch <= totals.epoch || epoch > type(uint32).max) revert BadSummary();
        totals.epoch = uint32(epoch);
        totals.frozen = summary[8] != 0;
        uint64 minted = uint64(bytes8(summary[13:21]));
        uint256 count = uint16(bytes2(summary[21:23]));
        if (summary.length < HEAD_BYTES + count * ROW_BYTES) revert BadSummary();
        uint256 credited;
        uint256 activeStake;
        for (uint256 i; i < count; i++) {
            bytes17 row = bytes17(summary[HEAD_BYTES + i * ROW_BYTES:]);
            (uint64 reward, uint64 stake) = _applyRow(uint136(row), totals);
            credited += reward;
            activeStake += stake;
        }
        if (credited != minted) revert BadSummary();
        totals.minted += minted;
        totals.rewards += minted;
        // nobody votes for epoch 0: what was known before goes on counting
        if (activeStake != 0) totals.activeStake = uint64(activeStake);
        _totals = totals;
        _epochTimes[epoch] = block.timestamp;
    }

    function _applyRow(
        uint136 row,
        Totals memory totals
    ) private returns (uint64 reward, uint64 stake) {
        uint32 id = uint32(row >> 104);
        reward = uint64(row);
        Validator storage validator = _validator(id);
        Ledger memory ledger = validator.ledger;
        ledger.rewards += reward;
        ledger.lastListed = totals.epoch;
        if (!totals.frozen) ledger.reputation = _reputation(ledger.reputation, row);
        bool jailed = ledger.status == Status.Registered && ledger.reputation < LEAST_REPUTATION;
        if (jailed) {
            ledger.status = Status.Jailed;
            ledger.since = totals.epoch + JAIL_EPOCHS;
        }
        validator.ledger = ledger;
        if (jailed) _relist(id, validator);
        // members that only come later have no vote to give yet
        stake = (row >> 64) & VOTE_EXPECTED != 0 ? ledger.stake : 0;
    }

    /// floor((31 reputation + duty) / 32), duty = half for votes, half for blocks; one that was not due counts like the other.
    function _reputation(uint16 reputation, uint136 row) private pure returns (uint16) {
        uint256 flags = (row >> 64) & 0xff;
        uint256 made = (row >> 88) & 0xffff;
        uint256 due = made + ((row >> 72) & 0xffff);
        bool voteExpected = flags & VOTE_EXPECTED != 0;
        if (!voteExpected && due == 0) return reputation;
        uint256 duty;
        if (flags & VOTED != 0) duty = HALF_REPUTATION;
        if (due != 0) {
            uint256 share = (HALF_REPUTATION * made) / due;
            duty = voteExpected ? duty + share : 2 * share;
        } else {
            duty *= 2;
        }
        return uint16((31 * uint256(reputation) + duty) / 32);
    }
}
