// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ConsensusMessages} from "./ConsensusMessages.sol";
import {IStaking, Ledger, Parameters, Status, Totals, Validator} from "./IStaking.sol";
import {KeyCode} from "./KeyCode.sol";

/// Storage of the staking contract and what all of its parts need.
///
/// Consensus reads these slots from the state of finalised blocks without running any code (src/chain/stakingState.ts): the order
/// of the variables below and the fields of Validator, Ledger and Totals are part of the protocol.
abstract contract StakingBase is IStaking {
    /// Stake and rewards count in gwei.
    uint256 internal constant GWEI = 1e9;
    /// Where burnt coins go: nobody holds its key, and everybody can see its balance.
    address internal constant BURN = address(0);
    uint8 internal constant MAX_KEYS = type(uint8).max;

    bytes32 public immutable SALT;
    address public immutable PQ_VERIFIER;
    uint64 public immutable MIN_STAKE;
    uint32 public immutable SLOT_MS;
    uint32 public immutable UNBONDING;
    uint32 public immutable EVIDENCE_WINDOW;
    /// Time of slot 0, in seconds.
    uint64 public immutable GENESIS_TIME;

    /// A finality offence: when, and what its share of the stake is measured by.
    struct Guilt {
        uint64 time;
        /// gwei: stake of the active validators then
        uint64 activeStake;
    }

    /// Running sum of the stakes of validators that broke finality rules.
    struct SlashedSum {
        uint64 time;
        /// gwei, up to and including this one
        uint128 sum;
    }

    Totals internal _totals; // slots 0 and 1
    Validator[] internal _validators; // slot 2: by id
    uint32[] internal _eligible; // slot 3: ids that consensus may choose, in no order
    mapping(bytes32 keyHash => uint256 idPlusOne) internal _holders; // slot 4
    mapping(uint256 idAndIndex => address pointer) internal _keys; // slot 5
    mapping(uint256 epoch => uint256 time) internal _epochTimes; // slot 6
    mapping(uint256 idAndSlot => bool) internal _doubleSealed; // slot 7
    mapping(uint256 id => Guilt) internal _guilt; // slot 8
    SlashedSum[] internal _slashed; // slot 9: by time

    bool private transient _entered;

    constructor(Parameters memory parameters) {
        SALT = parameters.salt;
        PQ_VERIFIER = parameters.pqVerifier;
        MIN_STAKE = parameters.minStake;
        SLOT_MS = parameters.slotMs;
        UNBONDING = parameters.unbonding;
        EVIDENCE_WINDOW = parameters.evidenceWindow;
        GENESIS_TIME = uint64(block.timestamp);
        _epochTimes[0] = block.timestamp;
    }

    /// One call at a time: a receiver of coins must not call back.
    modifier alone() {
        if (_entered) revert Reentered();
        _entered = true;
        _;
        _entered = false;
    }

    /// The validator, if there is one.
    function _validator(uint32 id) internal view returns (Validator storage) {
        if (id >= _validators.length) revert UnknownValidator(id);
        return _validators[id];
    }

    /// The validator, if the caller owns it.
    function _owned(uint32 id) internal view returns (Validator storage validator) {
        validator = _validator(id);
        if (msg.sender != validator.owner) revert OnlyOwner(validator.owner);
    }

    /// Puts the validator into the list that consensus chooses from, or takes it out, as its ledger says.
    function _relist(uint32 id, Validator storage validator) internal {
        uint32 place = validator.place;
        Ledger storage ledger = validator.ledger;
        bool eligible = ledger.status == Status.Registered && ledger.stake >= MIN_STAKE;
        if (eligible == (place != 0)) return;
        if (eligible) {
            _eligible.push(id);
            validator.place = uint32(_eligible.length);
            return;
        }
        uint32 last = _eligible[_eligible.length - 1];
        if (last != id) {
            _eligible[place - 1] = last;
            _validators[last].place = place;
        }
        _eligible.pop();
        validator.place = 0;
    }

    /// Gives the validator another key after checking that `owner` holds it.
    function _addKey(
        uint32 id,
        address owner,
        bytes memory publicKey,
        bytes memory keyProof
    ) internal returns (bytes32 keyHash) {
        if (publicKey.length != ConsensusMessages.PUBLIC_KEY_BYTES)
            revert BadKeyLength(publicKey.length);
        keyHash = keccak256(publicKey);
        if (_holders[keyHash] != 0) revert KeyTaken(keyHash);
        bytes memory body = abi.encodePacked(address(this), owner, keyHash);
        bytes32 message = ConsensusMessages.hash(SALT, ConsensusMessages.KEY_PROOF, body);
        if (!ConsensusMessages.isSigned(PQ_VERIFIER, publicKey, keyProof, message))
            revert BadKeyProof();
        Validator storage validator = _validators[id];
        uint8 index = validator.ledger.keyCount;
        if (index == MAX_KEYS) revert TooManyKeys();
        validator.ledger.keyCount = index + 1;
        validator.keyHash = keyHash;
        _holders[keyHash] = uint256(id) + 1;
        _keys[_keySlot(id, index)] = KeyCode.write(publicKey);
    }

    /// Where the validator's key number `index` is kept.
    function _keyAt(uint32 id, uint8 index) internal view returns (address pointer) {
        pointer = _keys[_keySlot(id, index)];
        if (pointer == address(0)) revert UnknownKey(id, index);
    }

    /// Pays `gweis` out. The caller has written its books before.
    function _pay(address to, uint64 gweis) internal {
        if (gweis == 0) return;
        (bool success, ) = to.call{value: uint256(gweis) * GWEI}("");
        if (!success) revert TransferFailed(to);
    }

    /// What came with the call, in gwei.
    function _gweiOf(uint256 value) internal pure returns (uint64) {
        if (value % GWEI != 0) revert NotWholeGwei(value);
        uint256 gweis = value / GWEI;
        if (gweis > type(uint64).max) revert AmountTooLarge(gweis);
        return uint64(gweis);
    }

    function _keySlot(uint32 id, uint8 index) private pure returns (uint256) {
        return (uint256(id) << 8) | index;
    }
}
