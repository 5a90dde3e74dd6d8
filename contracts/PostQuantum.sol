// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// What verifies post-quantum signatures for other contracts: PostQuantumVerifier on a chain with the precompiles, or a
/// verifier in plain Solidity elsewhere, at some thousand times the gas.
interface IPostQuantumVerifier {
    /// Whether `signature` is `publicKey`'s over `message` in `context` (at most 255 bytes).
    function verify(
        uint8 algorithm,
        bytes calldata publicKey,
        bytes calldata message,
        bytes calldata signature,
        bytes calldata context
    ) external view returns (bool);
}

/// The post-quantum precompiles of QNet networks. ML-DSA at 0x12 to 0x14 is EIP-8355: a contract written for it runs
/// unchanged. Addresses and prices are the genesis file's; `eth_config` lists them by name.
///
/// Gas of a verification, in the precompile alone (message of 32 bytes):
///
///     ML-DSA-44           6,506      ecrecover                                  3,000
///     ML-DSA-65           9,006      pairing check of two points              113,000
///     ML-DSA-87          13,506      ML-DSA-44 in plain Solidity (ZKNOX)   about 8,100,000
///     SLH-DSA-SHA2-128s  17,012
///     SLH-DSA-SHA2-256s  40,012
///     Falcon-512         30,006
///
/// What dominates is the calldata: an ML-DSA-44 key and signature are 3,732 bytes, 149,000 gas by the floor of EIP-7623 in
/// a transaction that does little else, 59,700 in one that does much. Checking and copying them costs this library 4,300
/// gas (10,818 in all for `verify`, measured with solc 0.8.37, 200 runs). Keep the hash of a key (one slot, 22,100 gas), not
/// the key (41 slots, 906,000), and let the signer send the key along.
library PostQuantum {
    uint8 internal constant ML_DSA_44 = 0x11;
    uint8 internal constant ML_DSA_65 = 0x12;
    uint8 internal constant ML_DSA_87 = 0x13;
    uint8 internal constant SLH_DSA_SHA2_128S = 0x14;
    uint8 internal constant SLH_DSA_SHA2_256S = 0x18;
    /// Round 3, padded signatures; not on mainnet.
    uint8 internal constant FALCON_512 = 0x70;

    /// Every algorithm, with a context.
    address internal constant PQVERIFY = address(0x5100);

    /// Context of messages of users (EIP-191 and EIP-712 digests): what a wallet signs for contracts. A wallet never signs
    /// with the empty context, and a transaction's has another one, so neither can be passed off as the other.
    bytes internal constant MESSAGE_CONTEXT = "QNet/msg/1";

    /// Nothing answers at this address: the chain lacks the precompile, or the call ran out of gas.
    error PrecompileMissing(address precompile);
    /// The algorithm has no precompile of its own.
    error UnknownAlgorithm(uint8 algorithm);

    /// Whether `signature` is `publicKey`'s over `message` with the empty context (EIP-8355). False for malformed input.
    function verify(
        uint8 algorithm,
        bytes memory publicKey,
        bytes memory message,
        bytes memory signature
    ) internal view returns (bool) {
        if (!hasLengths(algorithm, publicKey, signature)) return false;
        return ask(precompileOf(algorithm), bytes.concat(publicKey, signature, message));
    }

    /// The same in a context of at most 255 bytes. False for malformed input and for an algorithm that is not enabled.
    function verifyInContext(
        uint8 algorithm,
        bytes memory publicKey,
        bytes memory message,
        bytes memory signature,
        bytes memory context
    ) internal view returns (bool) {
        if (!hasLengths(algorithm, publicKey, signature) || context.length > 255) return false;
        bytes memory header = abi.encodePacked(algorithm, uint8(context.length), context);
        return ask(PQVERIFY, bytes.concat(header, publicKey, signature, message));
    }

    /// Whether a wallet with this key signed the digest of a message (EIP-191, EIP-712).
    function verifyDigest(
        uint8 algorithm,
        bytes memory publicKey,
        bytes32 digest,
        bytes memory signature
    ) internal view returns (bool) {
        return
            verifyInContext(
                algorithm,
                publicKey,
                abi.encodePacked(digest),
                signature,
                MESSAGE_CONTEXT
            );
    }

    /// Address of the account that signs transactions with this key: keccak256(algorithm ‖ key), last 20 bytes (EIP-7932).
    function addressOf(uint8 algorithm, bytes memory publicKey) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked(algorithm, publicKey)))));
    }

    /// Where the algorithm is verified with the empty context.
    function precompileOf(uint8 algorithm) internal pure returns (address) {
        if (algorithm >= ML_DSA_44 && algorithm <= ML_DSA_87) return address(uint160(algorithm) + 1);
        if (algorithm == SLH_DSA_SHA2_128S || algorithm == SLH_DSA_SHA2_256S || algorithm == FALCON_512)
            return address(uint160(0x5100) + algorithm);
        revert UnknownAlgorithm(algorithm);
    }

    /// Bytes of a key and of a signature; 0 and 0 for an algorithm that this library does not know.
    function lengthsOf(
        uint8 algorithm
    ) internal pure returns (uint256 publicKey, uint256 signature) {
        if (algorithm == ML_DSA_44) return (1312, 2420);
        if (algorithm == ML_DSA_65) return (1952, 3309);
        if (algorithm == ML_DSA_87) return (2592, 4627);
        if (algorithm == SLH_DSA_SHA2_128S) return (32, 7856);
        if (algorithm == SLH_DSA_SHA2_256S) return (64, 29792);
        if (algorithm == FALCON_512) return (897, 666);
    }

    /// The precompiles cut their input by length: without this check a byte could wander from the key to the signature, and
    /// one signed message would be several triples.
    function hasLengths(
        uint8 algorithm,
        bytes memory publicKey,
        bytes memory signature
    ) private pure returns (bool) {
        (uint256 keyLength, uint256 signatureLength) = lengthsOf(algorithm);
        return publicKey.length == keyLength && signature.length == signatureLength;
    }

    /// A precompile answers 32 bytes, 1 or 0, and never reverts; an account without code answers nothing.
    function ask(address precompile, bytes memory input) private view returns (bool) {
        (bool success, bytes memory answer) = precompile.staticcall(input);
        if (!success || answer.length != 32) revert PrecompileMissing(precompile);
        return abi.decode(answer, (uint256)) == 1;
    }
}
