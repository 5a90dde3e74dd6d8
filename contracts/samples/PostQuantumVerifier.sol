// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPostQuantumVerifier, PostQuantum} from "../PostQuantum.sol";

/// The library as a contract of its own, for contracts that take their verifier as a parameter.
contract PostQuantumVerifier is IPostQuantumVerifier {
    function verify(
        uint8 algorithm,
        bytes calldata publicKey,
        bytes calldata message,
        bytes calldata signature,
        bytes calldata context
    ) external view returns (bool) {
        return PostQuantum.verifyInContext(algorithm, publicKey, message, signature, context);
    }

    /// With the empty context, by the algorithm's own precompile.
    function verify(
        uint8 algorithm,
        bytes calldata publicKey,
        bytes calldata message,
        bytes calldata signature
    ) external view returns (bool) {
        return PostQuantum.verify(algorithm, publicKey, message, signature);
    }

    function addressOf(uint8 algorithm, bytes calldata publicKey) external pure returns (address) {
        return PostQuantum.addressOf(algorithm, publicKey);
    }
}
