// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

contract Counter {
    uint256 public number;
    address public immutable owner;

    event Counted(address indexed by, uint256 number);

    error TooFar(uint256 asked, uint256 limit);

    constructor(uint256 start) payable {
        number = start;
        owner = msg.sender;
    }

    function increment() external {
        number++;
        emit Counted(msg.sender, number);
    }

    function jump(uint256 to) external {
        require(to != 0, "nowhere to go");
        if (to > 1000) revert TooFar(to, 1000);
        number = to;
        emit Counted(msg.sender, to);
    }
}
