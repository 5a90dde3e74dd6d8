/** `qnet account sign`: a signature over a file as wallets make it (EIP-191), with the key here, in a token or far away. */
import { readFile } from "node:fs/promises";
import { keccak256 } from "../src/crypto/keccak.ts";
import { PQ_CONTEXTS } from "../src/crypto/pqAccounts.ts";
import { PqVerifier } from "../src/crypto/pqVerifier.ts";
import { signDigest } from "../src/crypto/secp256k1.ts";
import { type Bytes, bigIntToBytes, concatBytes, padBytes } from "../src/primitives/bytes.ts";
import { bytesToHex, parseAddress } from "../src/primitives/hex.ts";
import { localSigner, type Signer } from "../src/signer/signer.ts";
import { type AccountRequest, operandAt, typeName, unlockFirst } from "./accountRequest.ts";
import { printLine } from "./io.ts";
import { remoteOptions } from "./signerFiles.ts";

const text = new TextEncoder();

/** Signs the file that is the second operand with the key of the address that is the first. */
export async function signFile(request: AccountRequest): Promise<void> {
  const message = await readFile(operandAt(request, 1));
  const digest = keccak256(
    concatBytes(text.encode(`\x19Ethereum Signed Message:\n${message.length}`), message),
  );
  if (request.values.signer !== undefined) {
    const { remoteSigner } = await import("../src/signer/remoteSigner.ts");
    const address = parseAddress(operandAt(request, 0));
    const options = await remoteOptions(request.values, request.values.signer);
    return tellProof(request, await remoteSigner(new PqVerifier(), address, options), digest);
  }
  const { key } = await unlockFirst(request);
  if (key.type !== "secp256k1") {
    return tellProof(request, await localSigner(key.type, key.secret), digest);
  }
  const { r, s, yParity } = signDigest(digest, key.secret);
  const word = (value: bigint) => padBytes(bigIntToBytes(value), 32);
  printLine(request.io, bytesToHex(concatBytes(word(r), word(s), Uint8Array.of(27 + yParity))));
}

/** A post-quantum signature says nothing without its key: the proof is public key ‖ signature, as contracts take it. */
async function tellProof(request: AccountRequest, signer: Signer, digest: Bytes): Promise<void> {
  const { io, values } = request;
  try {
    const signature = await signer.sign(digest, text.encode(PQ_CONTEXTS.message));
    if (!values.json) {
      return printLine(io, bytesToHex(concatBytes(signer.publicKey, signature)));
    }
    const shown = {
      address: signer.address,
      type: typeName(signer.algorithm),
      digest: bytesToHex(digest),
      context: PQ_CONTEXTS.message,
      publicKey: bytesToHex(signer.publicKey),
      signature: bytesToHex(signature),
    };
    printLine(io, JSON.stringify(shown));
  } finally {
    await signer.close();
  }
}
