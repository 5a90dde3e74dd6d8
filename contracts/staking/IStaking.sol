// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// Where a validator stands. Who is active is decided by consensus from these facts, at each hand-off of the validator set.
enum Status {
    None,
    /// May be chosen, if its stake reaches the minimum.
    Registered,
    /// Leaves: never chosen again; the stake waits for the end of unbonding.
    Exiting,
    /// Not chosen until it is let free.
    Jailed,
    /// Found guilty; final. The rest of the stake waits for the end of unbonding.
    Slashed,
    /// The stake is paid out.
    Withdrawn
}

/// Which rule two messages of one validator break together. S-numbers as in docs/consensus.md §7.
enum Offence {
    None,
    /// S1: two votes for one target epoch
    DoubleVote,
    /// S1': two acks for one epoch
    DoubleAck,
    /// S2: a vote across an acked epoch
    AckSurround,
    /// S3: a vote around another
    VoteSurround,
    /// S4: two blocks in one place of a slot
    DoubleSeal
}

/// What the genesis fixes for ever.
struct Parameters {
    /// Network salt in every consensus message
    bytes32 salt;
    /// Precompile that verifies ML-DSA-44 with the empty context (EIP-8355)
    address pqVerifier;
    /// gwei
    uint64 minStake;
    uint32 slotMs;
    /// seconds
    uint32 unbonding;
    /// seconds; 0: evidence does not grow old
    uint32 evidenceWindow;
}

/// A validator of block 0.
struct GenesisValidator {
    address owner;
    address withdrawal;
    address feeRecipient;
    /// gwei
    uint64 stake;
    bytes publicKey;
    bytes keyProof;
}

/// What an epoch may change of a validator: one storage slot.
struct Ledger {
    /// gwei, bonded
    uint64 stake;
    /// gwei, earned and not claimed
    uint64 rewards;
    /// Newest epoch whose summary has a row of it; 0: none
    uint32 lastListed;
    /// Jailed: first epoch in which it may be let free. Exiting, Slashed: epoch in which that began.
    uint32 since;
    /// 0 to 10,000
    uint16 reputation;
    Status status;
    /// Slots in which it sealed two blocks in one place
    uint8 strikes;
    uint8 keyCount;
}

/// A validator.
struct Validator {
    Ledger ledger;
    address owner;
    /// Position in the list of eligible ids, plus 1; 0: not in it
    uint32 place;
    /// Where stake and rewards are paid
    address withdrawal;
    /// Where its node sends the tips of its blocks unless its operator says otherwise
    address feeRecipient;
    /// keccak256 of the newest public key
    bytes32 keyHash;
}

/// Sums over all validators.
struct Totals {
    /// gwei
    uint64 stake;
    /// gwei, earned and not claimed
    uint64 rewards;
    /// gwei, ever minted
    uint64 minted;
    /// Newest epoch that was processed
    uint32 epoch;
    /// Whether finality was stalled in that epoch
    bool frozen;
    /// gwei: stake of the validators of that epoch
    uint64 activeStake;
}

/// Names of what happens in the staking contract, and why a call is refused.
interface IStaking {
    event Registered(
        uint32 indexed id,
        address indexed owner,
        bytes32 indexed keyHash,
        address withdrawal,
        address feeRecipient,
        uint64 stake
    );
    event ToppedUp(uint32 indexed id, uint64 amount);
    event ExitRequested(uint32 indexed id);
    event Withdrawn(uint32 indexed id, address indexed to, uint64 amount, uint64 burnt);
    event Claimed(uint32 indexed id, address indexed to, uint64 amount);
    event KeyRotated(uint32 indexed id, bytes32 indexed keyHash, uint8 index);
    event Jailed(uint32 indexed id, uint32 untilEpoch);
    event Unjailed(uint32 indexed id);
    event Slashed(
        uint32 indexed id,
        Offence indexed offence,
        address indexed reporter,
        uint64 burnt,
        uint64 reward
    );

    error OnlySystem();
    error OnlyOwner(address owner);
    error UnknownValidator(uint32 id);
    error UnknownKey(uint32 id, uint8 index);
    error WrongStatus(Status status);
    error Reentered();
    /// Stake and rewards count in gwei.
    error NotWholeGwei(uint256 value);
    error AmountTooLarge(uint256 gweis);
    error StakeTooSmall(uint64 stake, uint64 least);
    error BadAddress(address given);
    error BadKeyLength(uint256 length);
    error KeyTaken(bytes32 keyHash);
    error TooManyKeys();
    error BadKeyProof();
    error BadSignature();
    error PrecompileMissing(address verifier);
    error BadBody(uint256 length);
    /// The message is another validator's.
    error ForeignMessage(uint32 validator);
    error NoOffence();
    error EvidenceTooOld(uint256 time);
    error AlreadySlashed();
    error BadSummary();
    /// `time` 0: not known yet.
    error StillBonded(uint256 time);
    error StillJailed(uint32 untilEpoch);
    error FinalityStalled();
    error NothingToClaim();
    error TransferFailed(address to);
}
