// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// Canonical RLP of lists: what another encoder would have written differently is refused.
library Rlp {
    error BadRlp();

    /// Items of a list that `data` is, no bytes more. Strings come without their head, lists inside it as they are encoded.
    function list(bytes memory data) internal pure returns (bytes[] memory items) {
        (uint256 start, uint256 size, bool isList) = head(data, 0);
        if (!isList || start + size != data.length) revert BadRlp();
        uint256 count;
        for (uint256 offset = start; offset < data.length; count++) offset = next(data, offset);
        items = new bytes[](count);
        uint256 from = start;
        for (uint256 i; i < count; i++) {
            (uint256 itemStart, uint256 itemSize, bool nested) = head(data, from);
            uint256 end = itemStart + itemSize;
            items[i] = nested ? slice(data, from, end) : slice(data, itemStart, end);
            from = end;
        }
    }

    /// An unsigned number without leading zeros.
    function number(bytes memory payload) internal pure returns (uint256) {
        if (payload.length > 32 || (payload.length > 0 && payload[0] == 0)) revert BadRlp();
        return payload.length == 0 ? 0 : uint256(bytes32(payload)) >> (256 - 8 * payload.length);
    }

    /// Exactly 32 bytes.
    function word(bytes memory payload) internal pure returns (bytes32) {
        if (payload.length != 32) revert BadRlp();
        return bytes32(payload);
    }

    function next(bytes memory data, uint256 offset) private pure returns (uint256) {
        (uint256 start, uint256 size, ) = head(data, offset);
        return start + size;
    }

    /// Where the payload of the item at `offset` starts, and its bytes.
    function head(
        bytes memory data,
        uint256 offset
    ) private pure returns (uint256 start, uint256 size, bool isList) {
        if (offset >= data.length) revert BadRlp();
        uint256 first = uint8(data[offset]);
        if (first < 0x80) return (offset, 1, false);
        isList = first >= 0xc0;
        uint256 short = first - (isList ? 0xc0 : 0x80);
        start = offset + 1;
        size = short;
        if (short > 55) {
            uint256 width = short - 55;
            size = longSize(data, start, width);
            start += width;
        }
        if (size > data.length || start > data.length - size) revert BadRlp();
        // a byte below 0x80 stands for itself
        if (!isList && short == 1 && uint8(data[start]) < 0x80) revert BadRlp();
    }

    function longSize(
        bytes memory data,
        uint256 offset,
        uint256 width
    ) private pure returns (uint256 size) {
        if (width > 4 || offset + width > data.length || data[offset] == 0) revert BadRlp();
        for (uint256 i; i < width; i++) size = (size << 8) | uint8(data[offset + i]);
        if (size < 56) revert BadRlp();
    }

    function slice(
        bytes memory data,
        uint256 from,
        uint256 to
    ) private pure returns (bytes memory part) {
        uint256 size = to - from;
        part = new bytes(size);
        assembly ("memory-safe") {
            mcopy(add(part, 32), add(add(data, 32), from), size)
        }
    }
}
