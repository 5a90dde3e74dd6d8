// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IStaking, Offence} from "./IStaking.sol";

/// What validators sign (docs/consensus.md §2) and which pairs of it contradict each other (§7).
///
///     seal  56 bytes   number:u64 ‖ slot:u64 ‖ seq:u8 ‖ tick:u8 ‖ flags:u16 ‖ proposer:u32 ‖ blockHash
///     vote 116 bytes   validator:u32 ‖ srcEpoch:u64 ‖ srcHash ‖ tgtEpoch:u64 ‖ tgtHash ‖ commit
///     ack   44 bytes   validator:u32 ‖ epoch:u64 ‖ macroHash
library ConsensusMessages {
    uint8 internal constant SEAL = 0x01;
    uint8 internal constant VOTE = 0x02;
    uint8 internal constant ACK = 0x03;
    uint8 internal constant KEY_PROOF = 0x04;

    uint256 internal constant SEAL_BYTES = 56;
    uint256 internal constant VOTE_BYTES = 116;
    uint256 internal constant ACK_BYTES = 44;

    /// ML-DSA-44.
    uint256 internal constant PUBLIC_KEY_BYTES = 1312;
    uint256 internal constant SIGNATURE_BYTES = 2420;

    /// The 32 bytes that are signed.
    function hash(
        bytes32 salt,
        uint8 kind,
        bytes memory body
    ) internal view returns (bytes32) {
        return keccak256(abi.encodePacked("QNET1", kind, uint64(block.chainid), salt, body));
    }

    /// Whether `signature` is `publicKey`'s over `message` with the empty context. False for another length.
    function isSigned(
        address verifier,
        bytes memory publicKey,
        bytes memory signature,
        bytes32 message
    ) internal view returns (bool) {
        // the precompile cuts its input by length: no byte may wander from the key to the signature
        if (publicKey.length != PUBLIC_KEY_BYTES || signature.length != SIGNATURE_BYTES) return false;
        (bool success, bytes memory answer) = verifier.staticcall(
            bytes.concat(publicKey, signature, message)
        );
        if (!success || answer.length != 32) revert IStaking.PrecompileMissing(verifier);
        return abi.decode(answer, (uint256)) == 1;
    }

    /// Reverts unless this is a message of validator `id`, whose id stands at `offset`.
    function demandAuthor(bytes memory body, uint256 offset, uint32 id) private pure {
        uint32 author = uint32(field(body, offset, 4));
        if (author != id) revert IStaking.ForeignMessage(author);
    }

    /// Kind of a vote or an ack of validator `id`, by its length.
    function finalityKind(bytes memory body, uint32 id) internal pure returns (uint8 kind) {
        if (body.length == VOTE_BYTES) kind = VOTE;
        else if (body.length == ACK_BYTES) kind = ACK;
        else revert IStaking.BadBody(body.length);
        demandAuthor(body, 0, id);
    }

    /// Epoch that a vote justifies or an ack finalises.
    function epochOf(bytes memory body) internal pure returns (uint256) {
        return body.length == VOTE_BYTES ? targetOf(body) : field(body, 4, 8);
    }

    /// S1, S1', S2 or S3 between two votes or acks of one validator, in either order.
    function contradiction(bytes memory a, bytes memory b) internal pure returns (Offence) {
        bool ackA = a.length == ACK_BYTES;
        bool ackB = b.length == ACK_BYTES;
        if (ackA != ackB) {
            bool surrounds = ackA ? across(b, a) : across(a, b);
            return surrounds ? Offence.AckSurround : Offence.None;
        }
        if (epochOf(a) == epochOf(b)) {
            if (keccak256(a) == keccak256(b)) return Offence.None;
            return ackA ? Offence.DoubleAck : Offence.DoubleVote;
        }
        if (ackA) return Offence.None;
        return around(a, b) || around(b, a) ? Offence.VoteSurround : Offence.None;
    }

    /// Slot in which validator `id` sealed two blocks in one place (S4). Reverts unless it did.
    function doubleSealSlot(
        bytes memory a,
        bytes memory b,
        uint32 id
    ) internal pure returns (uint64) {
        if (a.length != SEAL_BYTES) revert IStaking.BadBody(a.length);
        if (b.length != SEAL_BYTES) revert IStaking.BadBody(b.length);
        demandAuthor(a, 20, id);
        demandAuthor(b, 20, id);
        bool samePlace = field(a, 8, 9) == field(b, 8, 9);
        if (!samePlace || field(a, 24, 32) == field(b, 24, 32)) revert IStaking.NoOffence();
        return uint64(field(a, 8, 8));
    }

    function sourceOf(bytes memory vote) private pure returns (uint256) {
        return field(vote, 4, 8);
    }

    function targetOf(bytes memory vote) private pure returns (uint256) {
        return field(vote, 44, 8);
    }

    function across(bytes memory vote, bytes memory ack) private pure returns (bool) {
        uint256 epoch = epochOf(ack);
        return sourceOf(vote) < epoch && epoch < targetOf(vote);
    }

    function around(bytes memory outer, bytes memory inner) private pure returns (bool) {
        return sourceOf(outer) < sourceOf(inner) && targetOf(inner) < targetOf(outer);
    }

    /// The number in `size` bytes from `offset` on. The caller has checked the body's length.
    function field(bytes memory body, uint256 offset, uint256 size) private pure returns (uint256) {
        uint256 word;
        assembly ("memory-safe") {
            word := mload(add(add(body, 32), offset))
        }
        return word >> (256 - 8 * size);
    }
}
