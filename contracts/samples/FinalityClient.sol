// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FinalityProof} from "../FinalityProof.sol";

/// A light client of a QNet network inside a contract: follows its checkpoints from a trusted validator set and answers what
/// is final. Anybody may bring checkpoints; nobody can bring a wrong one while less than a third of the stake is dishonest, and
/// while checkpoints come more often than stake can leave: who has been paid out loses nothing by signing another history.
contract FinalityClient {
    using FinalityProof for FinalityProof.Checkpoint;

    FinalityProof.Network public network;
    /// The newest checkpoint that was brought.
    FinalityProof.Checkpoint public head;
    /// s from a checkpoint within which the next must be brought; 0: for ever. Of the network: its `trustPeriod`.
    uint64 public immutable TRUST_PERIOD;
    /// s since 1970: when what is trusted was known to be so
    uint64 public trustedAt;
    /// Who must sign the epochs that are known ahead: the set of each
    mapping(uint64 epoch => bytes32) public validatorsHash;

    event Advanced(uint64 indexed epoch, bytes32 indexed macroHash, bytes32 stateRoot);

    error OldEpoch(uint64 epoch);
    error UnknownValidators(uint64 epoch);
    error NotFinal();
    /// Nothing was brought for too long: begin anew with a set from a source that is trusted.
    error TrustExpired(uint64 trustedAt);

    /// `trusted`: hash of the set that signs epoch `epoch`, from a source that the deployer trusts.
    constructor(
        FinalityProof.Network memory network_,
        uint64 epoch,
        bytes32 trusted,
        uint64 trustPeriod
    ) {
        network = network_;
        TRUST_PERIOD = trustPeriod;
        trustedAt = uint64(block.timestamp);
        validatorsHash[epoch] = trusted;
    }

    /// Takes a checkpoint whose signers are known: of the trusted epoch, or of one of the two epochs after a checkpoint that
    /// was taken.
    function advance(
        bytes calldata header,
        FinalityProof.Member[] calldata members,
        FinalityProof.Certificate calldata certificate
    ) external {
        if (TRUST_PERIOD != 0 && block.timestamp > trustedAt + TRUST_PERIOD)
            revert TrustExpired(trustedAt);
        FinalityProof.Checkpoint memory next = FinalityProof.verify(
            network,
            header,
            members,
            certificate
        );
        if (next.epoch <= head.epoch || next.timeMs < head.timeMs) revert OldEpoch(next.epoch);
        if (validatorsHash[next.epoch] != next.validatorsHash) revert UnknownValidators(next.epoch);
        validatorsHash[next.epoch + 1] = next.nextValidatorsHash;
        validatorsHash[next.epoch + 2] = next.afterNextValidatorsHash;
        head = next;
        trustedAt = next.timeMs / 1000;
        emit Advanced(next.epoch, next.macroHash, next.stateRoot);
    }

    /// Balance of an account at the newest checkpoint.
    function balanceOf(address who, bytes[] calldata proof) external view returns (uint256) {
        return head.account(who, proof).balance;
    }

    /// Storage slot of a contract at the newest checkpoint.
    function slotOf(
        address who,
        bytes32 key,
        bytes[] calldata accountProof,
        bytes[] calldata slotProof
    ) external view returns (uint256) {
        return FinalityProof.slot(head.account(who, accountProof), key, slotProof);
    }

    /// Transaction of a block of the newest checkpoint's epoch, as it was signed. Reverts unless it is there.
    function transactionAt(
        uint64 number,
        bytes calldata blockHeader,
        bytes32[] calldata siblings,
        uint256 index,
        bytes[] calldata proof
    ) external view returns (bytes memory raw) {
        if (!head.hasBlock(number, keccak256(blockHeader), siblings)) revert NotFinal();
        raw = FinalityProof.transaction(blockHeader, index, proof);
        if (raw.length == 0) revert NotFinal();
    }
}
