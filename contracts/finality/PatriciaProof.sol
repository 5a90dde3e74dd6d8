// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Rlp} from "./Rlp.sol";

/// Proofs in Ethereum's Merkle Patricia tries, as eth_getProof gives them.
library PatriciaProof {
    error BadProof();

    bytes32 private constant EMPTY_ROOT =
        0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421;

    /// Value of `key` in the trie with this root; empty when the proof shows that there is none. Reverts when it shows neither.
    function get(
        bytes32 root,
        bytes memory key,
        bytes[] memory proof
    ) internal pure returns (bytes memory value) {
        if (root == EMPTY_ROOT && proof.length == 0) return value;
        uint256 used;
        bytes memory child = abi.encodePacked(root);
        uint256 depth;
        bool found;
        while (child.length > 0 && !found) {
            bytes memory node = child;
            if (child.length == 32) {
                if (used == proof.length || keccak256(proof[used]) != bytes32(child))
                    revert BadProof();
                node = proof[used++];
            }
            (child, depth, found) = step(Rlp.list(node), key, depth);
        }
        if (used != proof.length) revert BadProof();
        return child;
    }

    /// From a node one step down the path of `key`: the child (or the value, when `found`), empty where the path ends.
    function step(
        bytes[] memory items,
        bytes memory key,
        uint256 depth
    ) private pure returns (bytes memory child, uint256 reached, bool found) {
        if (items.length == 17) {
            if (depth == 2 * key.length) return (items[16], depth, true);
            return (items[nibble(key, depth)], depth + 1, false);
        }
        if (items.length != 2 || items[0].length == 0) revert BadProof();
        bytes memory path = items[0];
        uint256 flags = nibble(path, 0);
        if (flags > 3) revert BadProof();
        uint256 length = 2 * path.length;
        for (uint256 i = flags & 1 == 1 ? 1 : 2; i < length; i++) {
            if (depth == 2 * key.length || nibble(path, i) != nibble(key, depth))
                return ("", depth, false);
            depth++;
        }
        bool leaf = flags & 2 == 2;
        if (leaf && depth != 2 * key.length) return ("", depth, false);
        return (items[1], depth, leaf);
    }

    function nibble(bytes memory data, uint256 index) private pure returns (uint256) {
        uint256 both = uint8(data[index / 2]);
        return index % 2 == 0 ? both >> 4 : both & 0x0f;
    }
}
