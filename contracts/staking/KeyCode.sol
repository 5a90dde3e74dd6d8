// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// Public keys as the code of accounts of their own: written once, 262,600 gas for 1,312 bytes where storage slots would take
/// 906,000, and read with one EXTCODECOPY. The first byte is STOP, so that nobody can run a key.
library KeyCode {
    /// Stores `data` and returns where.
    function write(bytes memory data) internal returns (address pointer) {
        // PUSH2 size+1, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: returns what follows these 10 bytes
        bytes memory creation = abi.encodePacked(
            hex"61",
            uint16(data.length + 1),
            hex"80600a5f395ff3",
            hex"00",
            data
        );
        assembly ("memory-safe") {
            pointer := create(0, add(creation, 32), mload(creation))
        }
        require(pointer != address(0));
    }

    /// What `write` stored.
    function read(address pointer) internal view returns (bytes memory data) {
        uint256 size = pointer.code.length - 1;
        data = new bytes(size);
        assembly ("memory-safe") {
            extcodecopy(pointer, add(data, 32), 1, size)
        }
    }
}
