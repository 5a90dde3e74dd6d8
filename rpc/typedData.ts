/** Hash of typed structured data as wallets sign it. Source: EIP-712 (`eth_signTypedData_v4`). */
import { keccak256 } from "../src/crypto/keccak.ts";
import { type Bytes, concatBytes, padBytes } from "../src/primitives/bytes.ts";
import { bigIntToHash, hexToBytes } from "../src/primitives/hex.ts";
import { refuse, refuseValue } from "./codec.ts";
import { objectOf, ownField } from "./objects.ts";

interface Member {
  readonly name: string;
  readonly type: string;
}
type Types = ReadonlyMap<string, readonly Member[]>;

/** Nesting and size that a message may have: the encoder recurses. */
const MAX_DEPTH = 32;
const MAX_MEMBERS = 256;
const MAX_ITEMS = 10_000;
/** Of all names and types: every struct's hash spells out those it reaches. */
const MAX_TYPES_CHARACTERS = 65_536;

const utf8 = new TextEncoder();
const DOMAIN = "EIP712Domain";
const WORD_BITS = 256n;

function memberOf(json: unknown, where: string): Member {
  const source = objectOf(json, where);
  const name = ownField(source, "name");
  const type = ownField(source, "type");
  if (typeof name !== "string" || typeof type !== "string") {
    return refuseValue(where, "name and type", json);
  }
  return { name, type };
}

function typesOf(json: unknown, where: string): Types {
  const entries = Object.entries(objectOf(json, where));
  if (entries.length > MAX_MEMBERS) refuse(where, `more than ${MAX_MEMBERS} types`);
  const types = new Map(
    entries.map(([name, members]) => {
      if (!Array.isArray(members) || members.length > MAX_MEMBERS) {
        return refuseValue(`${where}.${name}`, "an array of members", members);
      }
      return [name, members.map((one, index) => memberOf(one, `${where}.${name}[${index}]`))];
    }),
  );
  let characters = 0;
  for (const [name, members] of types) {
    characters += name.length;
    for (const member of members) characters += member.name.length + member.type.length;
  }
  if (characters > MAX_TYPES_CHARACTERS) {
    refuse(where, `more than ${MAX_TYPES_CHARACTERS} characters in names and types`);
  }
  return types;
}

/** Types reachable from `name`, itself included. */
function dependencies(types: Types, name: string, found: Set<string> = new Set()): Set<string> {
  const bracket = name.indexOf("[");
  const base = bracket < 0 ? name : name.slice(0, bracket);
  const members = types.get(base);
  if (members === undefined || found.has(base)) return found;
  found.add(base);
  for (const { type } of members) dependencies(types, type, found);
  return found;
}

function encodeType(types: Types, name: string): string {
  const others = [...dependencies(types, name)].filter((one) => one !== name).sort();
  return [name, ...others]
    .map((one) => {
      const members = types.get(one) ?? [];
      return `${one}(${members.map((member) => `${member.type} ${member.name}`).join(",")})`;
    })
    .join("");
}

function integerOf(value: unknown, where: string): bigint {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === "string" && /^(-?\d{1,80}|0x[0-9a-fA-F]{1,64})$/.test(value)) {
    return BigInt(value);
  }
  return refuseValue(where, "an integer", value);
}

function encodeInteger(type: string, value: unknown, where: string): Bytes {
  const bits = BigInt(type.replace(/^u?int/, "") || "256");
  const number = integerOf(value, where);
  const unsigned = type.startsWith("u");
  const low = unsigned ? 0n : -(1n << (bits - 1n));
  const high = unsigned ? 1n << bits : 1n << (bits - 1n);
  if (number < low || number >= high) refuse(where, `does not fit into ${type}`);
  return hexToBytes(bigIntToHash(BigInt.asUintN(Number(WORD_BITS), number)));
}

function bytesOf(value: unknown, where: string): Bytes {
  if (typeof value !== "string" || !/^0x([0-9a-fA-F]{2})*$/.test(value)) {
    return refuseValue(where, "hex encoded bytes", value);
  }
  return hexToBytes(value);
}

function encodeText(value: unknown, where: string): Bytes {
  return typeof value === "string"
    ? keccak256(utf8.encode(value))
    : refuseValue(where, "a string", value);
}

function encodeBoolean(value: unknown, where: string): Bytes {
  if (typeof value !== "boolean") return refuseValue(where, "true or false", value);
  return padBytes(Uint8Array.of(value ? 1 : 0), 32);
}

function encodeAddress(value: unknown, where: string): Bytes {
  const found = bytesOf(value, where);
  return found.length === 20 ? padBytes(found, 32) : refuseValue(where, "an address", value);
}

function encodeFixedBytes(type: string, value: unknown, where: string): Bytes {
  const length = Number(/^bytes(\d{1,2})$/.exec(type)?.[1] ?? "0");
  if (length < 1 || length > 32) return refuse(where, `unknown type "${type.slice(0, 40)}"`);
  const found = bytesOf(value, where);
  if (found.length !== length) refuse(where, `expected ${length} bytes, got ${found.length}`);
  return concatBytes(found, new Uint8Array(32 - length));
}

function encodeAtom(type: string, value: unknown, where: string): Bytes {
  switch (type) {
    case "string":
      return encodeText(value, where);
    case "bytes":
      return keccak256(bytesOf(value, where));
    case "bool":
      return encodeBoolean(value, where);
    case "address":
      return encodeAddress(value, where);
    default:
      return /^u?int(\d{1,3})?$/.test(type)
        ? encodeInteger(type, value, where)
        : encodeFixedBytes(type, value, where);
  }
}

interface Encoder {
  readonly types: Types;
  readonly depth: number;
  /** keccak256 of the encoded types met so far. */
  readonly typeHashes: Map<string, Bytes>;
}

function typeHash({ types, typeHashes }: Encoder, name: string): Bytes {
  const known = typeHashes.get(name);
  if (known !== undefined) return known;
  const made = keccak256(utf8.encode(encodeType(types, name)));
  typeHashes.set(name, made);
  return made;
}

function encodeArray(encoder: Encoder, type: string, value: unknown, where: string): Bytes {
  const open = type.lastIndexOf("[");
  const inner = type.slice(0, open);
  const length = type.slice(open + 1, -1);
  if (!Array.isArray(value) || value.length > MAX_ITEMS) {
    return refuseValue(where, "an array", value);
  }
  if (length !== "" && value.length !== Number(length)) refuse(where, `expected ${length} items`);
  return keccak256(
    concatBytes(
      ...value.map((item, index) => encodeValue(encoder, inner, item, `${where}[${index}]`)),
    ),
  );
}

function encodeValue(encoder: Encoder, type: string, value: unknown, where: string): Bytes {
  if (encoder.depth > MAX_DEPTH) refuse(where, "nested too deeply");
  const deeper = { ...encoder, depth: encoder.depth + 1 };
  if (type.endsWith("]")) return encodeArray(deeper, type, value, where);
  if (encoder.types.has(type)) {
    // a missing struct is the zero word, as wallets encode recursive types
    return value === null || value === undefined
      ? new Uint8Array(32)
      : hashStruct(deeper, type, value, where);
  }
  return encodeAtom(type, value, where);
}

function hashStruct(encoder: Encoder, name: string, value: unknown, where: string): Bytes {
  const source = objectOf(value, where);
  const members = encoder.types.get(name);
  if (members === undefined) return refuse(where, `type "${name.slice(0, 40)}" is not declared`);
  const words = members.map((member) =>
    encodeValue(encoder, member.type, ownField(source, member.name), `${where}.${member.name}`),
  );
  return keccak256(concatBytes(typeHash(encoder, name), ...words));
}

/** Members a domain without a declared type has, in the order of EIP-712. */
const domainMembers: readonly Member[] = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
  { name: "salt", type: "bytes32" },
];

/** Digest to sign: keccak256(0x1901 ‖ domain separator ‖ hash of the message). Throws CodecError. */
export function typedDataDigest(json: unknown, where: string): Bytes {
  const source = objectOf(json, where);
  const domain = objectOf(ownField(source, "domain") ?? {}, `${where}.domain`);
  const declared = typesOf(ownField(source, "types"), `${where}.types`);
  const primaryType = ownField(source, "primaryType");
  if (typeof primaryType !== "string") {
    return refuseValue(`${where}.primaryType`, "a type name", primaryType);
  }
  const types: Types = declared.has(DOMAIN)
    ? declared
    : new Map([
        ...declared,
        [DOMAIN, domainMembers.filter(({ name }) => ownField(domain, name) !== undefined)],
      ]);
  const encoder: Encoder = { types, depth: 0, typeHashes: new Map() };
  const separator = hashStruct(encoder, DOMAIN, domain, `${where}.domain`);
  const parts = [Uint8Array.of(0x19, 0x01), separator];
  if (primaryType !== DOMAIN) {
    parts.push(hashStruct(encoder, primaryType, ownField(source, "message"), `${where}.message`));
  }
  return keccak256(concatBytes(...parts));
}
