/** Addresses in mixed case. Source: EIP-55. */
import { keccak256 } from "../src/crypto/keccak.ts";
import type { Address } from "../src/primitives/hex.ts";

/** The address with the capitals that EIP-55 gives it. */
export function checksumAddress(address: Address): string {
  const digits = address.slice(2);
  const hash = keccak256(Buffer.from(digits, "ascii"));
  let text = "0x";
  for (const [index, digit] of [...digits].entries()) {
    const byte = hash[index >> 1] ?? 0;
    const nibble = index % 2 === 0 ? byte >> 4 : byte & 0x0f;
    text += nibble >= 8 ? digit.toUpperCase() : digit;
  }
  return text;
}
