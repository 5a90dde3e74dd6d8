// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Counter} from "../src/Counter.sol";

/// The cheatcodes that this script needs, so that it depends on no library.
interface Vm {
    function startBroadcast() external;
    function stopBroadcast() external;
}

contract Deploy {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bool public constant IS_SCRIPT = true;

    Counter public plain;
    Counter public salted;

    function run() external returns (address, address) {
        vm.startBroadcast();
        plain = new Counter{value: 5}(7);
        plain.increment();
        salted = new Counter{salt: bytes32(uint256(1))}(9);
        salted.jump(100);
        payable(address(0xbeef)).transfer(3);
        vm.stopBroadcast();
        require(plain.number() == 8 && salted.number() == 100, "as simulated");
        return (address(plain), address(salted));
    }
}
