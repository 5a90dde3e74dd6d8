// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {PostQuantum} from "../PostQuantum.sol";

/// Coins that move when `threshold` of its keys agree. Each key has an algorithm of its own, so that no single break,
/// of lattices or of a library, empties the vault: say two ML-DSA keys and one SLH-DSA key, all three needed.
///
/// Gas of a spend with two ML-DSA-44 approvals: 325,000, the floor price of 7,464 bytes; verification is 13,000 of it.
contract PostQuantumVault {
    /// An owner's key: keccak256(algorithm ‖ public key).
    bytes32[] public keys;
    uint256 public immutable threshold;
    /// Of the next spend.
    uint256 public nonce;

    struct Approval {
        /// Position in `keys`; approvals come in ascending order.
        uint256 index;
        uint8 algorithm;
        bytes publicKey;
        bytes signature;
    }

    event Spent(uint256 indexed nonce, address indexed to, uint256 value);

    error BadThreshold(uint256 threshold, uint256 keys);
    error TooFewApprovals(uint256 have, uint256 want);
    error NotAscending(uint256 index);
    error NotAnOwner(uint256 index);
    error BadSignature(uint256 index);
    error TransferFailed(address to);

    constructor(bytes32[] memory keys_, uint256 threshold_) payable {
        if (threshold_ == 0 || threshold_ > keys_.length)
            revert BadThreshold(threshold_, keys_.length);
        keys = keys_;
        threshold = threshold_;
    }

    receive() external payable {}

    /// Sends `value` to `to`; anybody may bring the approvals.
    function spend(address payable to, uint256 value, Approval[] calldata approvals) external {
        if (approvals.length < threshold) revert TooFewApprovals(approvals.length, threshold);
        uint256 used = nonce++;
        bytes32 digest = digestOf(used, to, value);
        uint256 next = 0;
        for (uint256 i = 0; i < approvals.length; i++) {
            Approval calldata approval = approvals[i];
            if (approval.index < next) revert NotAscending(approval.index);
            next = approval.index + 1;
            requireApproval(approval, digest);
        }
        emit Spent(used, to, value);
        (bool success, ) = to.call{value: value}("");
        if (!success) revert TransferFailed(to);
    }

    /// What an owner signs, in the context "QNet/msg/1".
    function digestOf(uint256 nonce_, address to, uint256 value) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), nonce_, to, value));
    }

    function requireApproval(Approval calldata approval, bytes32 digest) private view {
        bytes32 key = keccak256(abi.encodePacked(approval.algorithm, approval.publicKey));
        if (approval.index >= keys.length || keys[approval.index] != key)
            revert NotAnOwner(approval.index);
        bool valid = PostQuantum.verifyDigest(
            approval.algorithm,
            approval.publicKey,
            digest,
            approval.signature
        );
        if (!valid) revert BadSignature(approval.index);
    }
}
