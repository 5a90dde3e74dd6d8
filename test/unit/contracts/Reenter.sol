// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// Receiver of a validator's coins that calls the staking contract again as soon as it is paid.
contract Reenter {
    /// First bytes of what the second call was refused with.
    bytes32 public answer;

    receive() external payable {
        (bool success, bytes memory why) = msg.sender.call(
            abi.encodeWithSignature("claim(uint32)", uint32(1))
        );
        answer = success ? bytes32(uint256(1)) : bytes32(why);
    }
}
