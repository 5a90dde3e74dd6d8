// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// Keeps coins until a time; shows what a block says of itself.
contract Vault {
    address payable public immutable owner;
    uint256 public immutable unlockTime;
    uint256 public withdrawals;

    event Withdrawn(uint256 amount, uint256 when);

    error TooEarly(uint256 now_, uint256 unlockTime);

    constructor(uint256 unlockTime_) payable {
        require(unlockTime_ > block.timestamp, "Unlock time should be in the future");
        unlockTime = unlockTime_;
        owner = payable(msg.sender);
    }

    function withdraw() external {
        if (block.timestamp < unlockTime) revert TooEarly(block.timestamp, unlockTime);
        require(msg.sender == owner, "You aren't the owner");
        withdrawals++;
        emit Withdrawn(address(this).balance, block.timestamp);
        owner.transfer(address(this).balance);
    }

    function environment() external view returns (uint256 prevrandao, address coinbase, uint256 gasLimit) {
        return (block.prevrandao, block.coinbase, block.gaslimit);
    }
}
