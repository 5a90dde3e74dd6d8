// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {PostQuantum} from "../PostQuantum.sol";

/// A user operation as ERC-4337 entry points (0.7 and later) pass it.
struct PackedUserOperation {
    address sender;
    uint256 nonce;
    bytes initCode;
    bytes callData;
    bytes32 accountGasLimits;
    uint256 preVerificationGas;
    bytes32 gasFees;
    bytes paymasterAndData;
    bytes signature;
}

/// An account that one ML-DSA-44 key owns. No secp256k1 key has power over it: whoever pays the gas only carries the
/// message. Also a signer for others (ERC-1271) and an account of an ERC-4337 entry point.
///
/// A proof is `public key (1,312) ‖ signature (2,420)` over a digest in the context "QNet/msg/1". The key is not stored,
/// only its hash, which is part of the code. A message of `execute` that moves coins costs 172,000 gas, nearly all of it
/// the floor price of its 3,732 bytes of proof.
contract PostQuantumAccount {
    bytes4 private constant ERC1271_VALID = 0x1626ba7e;
    bytes4 private constant ERC1271_INVALID = 0xffffffff;
    uint256 private constant KEY_BYTES = 1312;
    uint256 private constant PROOF_BYTES = 3732;

    bytes32 public immutable keyHash;
    /// The only caller of validateUserOp; zero: none.
    address public immutable entryPoint;
    /// Of the next message to `execute`.
    uint256 public nonce;

    event Executed(uint256 indexed nonce, address indexed to, uint256 value);

    error BadProof();
    error NotTheEntryPoint(address caller);
    error CallFailed(bytes reason);

    constructor(bytes32 keyHash_, address entryPoint_) payable {
        keyHash = keyHash_;
        entryPoint = entryPoint_;
    }

    receive() external payable {}

    /// Calls `to` because the owner signed this very call; anybody may bring the message, once.
    function execute(
        address to,
        uint256 value,
        bytes calldata data,
        bytes calldata proof
    ) external returns (bytes memory) {
        uint256 used = nonce++;
        if (!proves(digestOf(used, to, value, data), proof)) revert BadProof();
        emit Executed(used, to, value);
        return forward(to, value, data);
    }

    /// What the owner signs for `execute`: bound to this chain, this account and one nonce.
    function digestOf(
        uint256 nonce_,
        address to,
        uint256 value,
        bytes calldata data
    ) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), nonce_, to, value, keccak256(data)));
    }

    /// ERC-1271: whether the owner signed a digest for somebody else. The digest is bound to this account first, so that a
    /// proof for one of the owner's accounts is none for another, and none for `execute`.
    function isValidSignature(bytes32 hash, bytes calldata proof) external view returns (bytes4) {
        bytes32 bound = keccak256(abi.encode("ERC-1271", block.chainid, address(this), hash));
        return proves(bound, proof) ? ERC1271_VALID : ERC1271_INVALID;
    }

    /// ERC-4337: 0 if the owner signed the operation, 1 if not; the hash binds chain and entry point already.
    function validateUserOp(
        PackedUserOperation calldata operation,
        bytes32 operationHash,
        uint256 missingFunds
    ) external returns (uint256) {
        if (msg.sender != entryPoint) revert NotTheEntryPoint(msg.sender);
        if (missingFunds > 0) {
            (bool paid, ) = msg.sender.call{value: missingFunds}("");
            paid; // the entry point checks what it got
        }
        return proves(operationHash, operation.signature) ? 0 : 1;
    }

    /// What an operation of the entry point calls.
    function executeFromEntryPoint(address to, uint256 value, bytes calldata data) external {
        if (msg.sender != entryPoint) revert NotTheEntryPoint(msg.sender);
        forward(to, value, data);
    }

    function proves(bytes32 digest, bytes calldata proof) private view returns (bool) {
        if (proof.length != PROOF_BYTES) return false;
        bytes calldata key = proof[:KEY_BYTES];
        if (keccak256(key) != keyHash) return false;
        return PostQuantum.verifyDigest(PostQuantum.ML_DSA_44, key, digest, proof[KEY_BYTES:]);
    }

    function forward(address to, uint256 value, bytes calldata data) private returns (bytes memory) {
        (bool success, bytes memory answer) = to.call{value: value}(data);
        if (!success) revert CallFailed(answer);
        return answer;
    }
}
