// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {PatriciaProof} from "./finality/PatriciaProof.sol";
import {Rlp} from "./finality/Rlp.sol";
import {PostQuantum} from "./PostQuantum.sol";

/// What a QNet network has made final, proved to a contract: on the network itself, or on any other chain with the ML-DSA
/// precompile of EIP-8355. A macro header sums up an epoch of blocks; acks of validators with two thirds of the stake make it
/// final; Merkle proofs lead from it to blocks, transactions, accounts and storage. Source: docs/consensus.md §2, §11.
///
/// `qnet_getFinalityCertificate`, `qnet_getMacroHeader` and `eth_getProof` of any node give the inputs: none of them is trusted.
library FinalityProof {
    uint8 private constant ACK = 0x03;
    uint256 private constant HEADER_ITEMS = 16;
    /// Item of a block header
    uint256 private constant TRANSACTIONS_ROOT = 4;

    /// The chain whose finality is proved.
    struct Network {
        uint64 chainId;
        /// Of its genesis
        bytes32 salt;
    }

    /// A validator as `validatorsHash` counts it; outside a hand-off both stakes are the same. Stakes in gwei.
    struct Member {
        uint32 id;
        uint64 stakeOld;
        uint64 stakeNew;
        bytes32 keyHash;
    }

    /// Acks of one macro header: bit i of the bitmap (byte i / 8, value 1 << i % 8) is member i by ascending id; keys and
    /// signatures stand in that order.
    struct Certificate {
        bytes bitmap;
        bytes[] publicKeys;
        bytes[] signatures;
    }

    /// What others build on of a macro header.
    struct Checkpoint {
        bytes32 macroHash;
        uint64 epoch;
        uint64 firstNumber;
        uint64 lastNumber;
        /// After block `lastNumber`
        bytes32 stateRoot;
        /// Merkle root of the epoch's block hashes
        bytes32 microRoot;
        /// Sets that must sign this epoch, the next, and the one after
        bytes32 validatorsHash;
        bytes32 nextValidatorsHash;
        bytes32 afterNextValidatorsHash;
        /// Of block `lastNumber`, ms since 1970
        uint64 timeMs;
    }

    /// An account as the state has it.
    struct Account {
        uint256 nonce;
        uint256 balance;
        bytes32 storageRoot;
        bytes32 codeHash;
    }

    error BadHeader();
    error BadCertificate();
    /// The header is to be signed by another set.
    error OtherValidators(bytes32 expected, bytes32 got);
    error BadSignature(uint32 validator);
    error NoQuorum(uint256 signed, uint256 total);
    error BadMembers();
    error BadInclusion();

    /// The checkpoint that `header` (RLP) is, if `members` made it final. The caller says why it trusts the members: their hash
    /// is `validatorsHash` of the checkpoint.
    function verify(
        Network memory network,
        bytes memory header,
        Member[] memory members,
        Certificate memory certificate
    ) internal view returns (Checkpoint memory checkpoint) {
        checkpoint = decode(header);
        bytes32 given = hashMembers(members);
        if (given != checkpoint.validatorsHash)
            revert OtherValidators(checkpoint.validatorsHash, given);
        demandQuorum(network, checkpoint, members, certificate);
    }

    /// A macro header from its RLP; nothing is proved by that.
    function decode(bytes memory header) internal pure returns (Checkpoint memory) {
        bytes[] memory items = Rlp.list(header);
        if (items.length != HEADER_ITEMS || Rlp.number(items[0]) != 1) revert BadHeader();
        return
            Checkpoint({
                macroHash: keccak256(header),
                epoch: counter(items[1]),
                firstNumber: counter(items[3]),
                lastNumber: counter(items[4]),
                stateRoot: Rlp.word(items[6]),
                microRoot: Rlp.word(items[7]),
                validatorsHash: Rlp.word(items[12]),
                nextValidatorsHash: Rlp.word(items[13]),
                afterNextValidatorsHash: Rlp.word(items[14]),
                timeMs: counter(items[8])
            });
    }

    /// Merkle root over keccak256(id:u32 ‖ stakeOld:u64 ‖ stakeNew:u64 ‖ keyHash), padded with zeros to a power of two.
    function hashMembers(Member[] memory members) internal pure returns (bytes32) {
        uint256 width = 1;
        while (width < members.length) width *= 2;
        bytes32[] memory level = new bytes32[](width);
        for (uint256 i; i < members.length; i++) {
            Member memory one = members[i];
            if (i > 0 && one.id <= members[i - 1].id) revert BadMembers();
            level[i] = keccak256(
                abi.encodePacked(one.id, one.stakeOld, one.stakeNew, one.keyHash)
            );
        }
        for (; width > 1; width /= 2)
            for (uint256 i; i < width / 2; i++) level[i] = pair(level[2 * i], level[2 * i + 1]);
        return level[0];
    }

    /// The account at the checkpoint; all zero when the proof shows that there is none. `proof` is eth_getProof's accountProof.
    function account(
        Checkpoint memory checkpoint,
        address who,
        bytes[] memory proof
    ) internal pure returns (Account memory) {
        bytes memory key = abi.encodePacked(keccak256(abi.encodePacked(who)));
        bytes memory value = PatriciaProof.get(checkpoint.stateRoot, key, proof);
        if (value.length == 0) return Account(0, 0, 0, 0);
        bytes[] memory items = Rlp.list(value);
        if (items.length != 4) revert BadInclusion();
        return
            Account(
                Rlp.number(items[0]),
                Rlp.number(items[1]),
                Rlp.word(items[2]),
                Rlp.word(items[3])
            );
    }

    /// A storage slot of an account that was proved before. `proof` is the slot's in eth_getProof's storageProof.
    function slot(
        Account memory holder,
        bytes32 key,
        bytes[] memory proof
    ) internal pure returns (uint256) {
        if (holder.storageRoot == 0) return 0;
        bytes memory hashed = abi.encodePacked(keccak256(abi.encodePacked(key)));
        bytes memory value = PatriciaProof.get(holder.storageRoot, hashed, proof);
        // a slot's value is RLP in itself: one string
        return value.length == 0 ? 0 : Rlp.number(Rlp.list(asList(value))[0]);
    }

    /// Whether the block is one of the epoch's: `siblings` lead from its hash to the checkpoint's microRoot.
    function hasBlock(
        Checkpoint memory checkpoint,
        uint64 number,
        bytes32 blockHash,
        bytes32[] memory siblings
    ) internal pure returns (bool) {
        if (number < checkpoint.firstNumber || number > checkpoint.lastNumber) return false;
        uint256 index = number - checkpoint.firstNumber;
        // exactly the depth of the tree: an inner node must not pass for a block
        uint256 width = 1;
        while (width < checkpoint.lastNumber - checkpoint.firstNumber + 1) width *= 2;
        if (width != 1 << siblings.length) return false;
        bytes32 node = blockHash;
        for (uint256 i; i < siblings.length; i++) {
            node = (index >> i) & 1 == 0 ? pair(node, siblings[i]) : pair(siblings[i], node);
        }
        return node == checkpoint.microRoot;
    }

    /// Transaction number `index` of a block, as it was signed. The block header (RLP) is to be one that `hasBlock` knows by its
    /// keccak256.
    function transaction(
        bytes memory blockHeader,
        uint256 index,
        bytes[] memory proof
    ) internal pure returns (bytes memory) {
        bytes32 root = Rlp.word(Rlp.list(blockHeader)[TRANSACTIONS_ROOT]);
        return PatriciaProof.get(root, encodedIndex(index), proof);
    }

    function demandQuorum(
        Network memory network,
        Checkpoint memory checkpoint,
        Member[] memory members,
        Certificate memory certificate
    ) private view {
        if (certificate.bitmap.length != (members.length + 7) / 8) revert BadCertificate();
        if (certificate.publicKeys.length != certificate.signatures.length) revert BadCertificate();
        uint256[4] memory weight; // signed and total stake of the old set, then of the new one
        uint256 used;
        for (uint256 i; i < 8 * certificate.bitmap.length; i++) {
            bool signed = (uint8(certificate.bitmap[i / 8]) >> (i % 8)) & 1 == 1;
            if (i >= members.length) {
                if (signed) revert BadCertificate();
                continue;
            }
            Member memory member = members[i];
            weight[1] += member.stakeOld;
            weight[3] += member.stakeNew;
            if (!signed) continue;
            if (used == certificate.signatures.length) revert BadCertificate();
            demandAck(network, checkpoint, member, certificate, used++);
            weight[0] += member.stakeOld;
            weight[2] += member.stakeNew;
        }
        if (used != certificate.signatures.length) revert BadCertificate();
        if (weight[1] == 0 || 3 * weight[0] < 2 * weight[1]) revert NoQuorum(weight[0], weight[1]);
        if (3 * weight[2] < 2 * weight[3]) revert NoQuorum(weight[2], weight[3]);
    }

    function demandAck(
        Network memory network,
        Checkpoint memory checkpoint,
        Member memory member,
        Certificate memory certificate,
        uint256 index
    ) private view {
        bytes memory key = certificate.publicKeys[index];
        bytes32 message = keccak256(
            abi.encodePacked(
                "QNET1",
                ACK,
                network.chainId,
                network.salt,
                member.id,
                checkpoint.epoch,
                checkpoint.macroHash
            )
        );
        bool valid = keccak256(key) == member.keyHash &&
            PostQuantum.verify(
                PostQuantum.ML_DSA_44,
                key,
                abi.encodePacked(message),
                certificate.signatures[index]
            );
        if (!valid) revert BadSignature(member.id);
    }

    function counter(bytes memory payload) private pure returns (uint64) {
        uint256 value = Rlp.number(payload);
        if (value > type(uint64).max) revert BadHeader();
        return uint64(value);
    }

    /// RLP of a list with this one encoded item of at most 33 bytes.
    function asList(bytes memory encoded) private pure returns (bytes memory) {
        if (encoded.length > 33) revert BadInclusion();
        return abi.encodePacked(uint8(0xc0 + encoded.length), encoded);
    }

    /// RLP of a number, as keys of a transaction trie are.
    function encodedIndex(uint256 index) private pure returns (bytes memory) {
        if (index == 0) return hex"80";
        if (index < 0x80) return abi.encodePacked(uint8(index));
        if (index <= type(uint8).max) return abi.encodePacked(uint8(0x81), uint8(index));
        if (index > type(uint16).max) revert BadInclusion();
        return abi.encodePacked(uint8(0x82), uint16(index));
    }

    function pair(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(left, right));
    }
}
