/** Kinds of option values: how text becomes a value, and how help calls it. */
import {
  type Address,
  type Hash,
  HexError,
  parseAddress,
  parseHash,
} from "../src/primitives/hex.ts";
import { UsageError } from "./exit.ts";

/** One kind. `parse` throws UsageError; a flag is given without a value. */
export interface Kind<T> {
  /** Placeholder in help texts; empty: a flag */
  readonly placeholder: string;
  readonly parse: (text: string) => T;
}

/** true or false. */
export const flag: Kind<boolean> = {
  placeholder: "",
  parse: (text) => {
    if (text === "true" || text === "1") return true;
    if (text === "false" || text === "0") return false;
    throw new UsageError(`expected true or false, got "${text}"`);
  },
};

/** Any text. */
export const text: Kind<string> = { placeholder: "TEXT", parse: (value) => value };

/** A path of the file system. */
export const path: Kind<string> = {
  placeholder: "PATH",
  parse: (value) => {
    if (value === "") throw new UsageError("expected a path, got nothing");
    return value;
  },
};

/** A 32-byte hash. */
export const hash: Kind<Hash> = {
  placeholder: "0xHASH",
  parse: (value) => {
    try {
      return parseHash(value);
    } catch (error) {
      if (!(error instanceof HexError)) throw error;
      throw new UsageError(`expected 0x and 64 hex digits, got "${value}"`, { cause: error });
    }
  },
};

/** An account's address, in any case. */
export const address: Kind<Address> = {
  placeholder: "0xADDRESS",
  parse: (value) => {
    try {
      return parseAddress(value);
    } catch (error) {
      if (!(error instanceof HexError)) throw error;
      throw new UsageError(`expected 0x and 40 hex digits, got "${value}"`, { cause: error });
    }
  },
};

/** Integer within bounds that the program counts. */
export function integer(minimum: number, maximum = Number.MAX_SAFE_INTEGER): Kind<number> {
  return {
    placeholder: "N",
    parse: (value) => {
      const parsed = /^\d+$/.test(value) ? Number(value) : Number.NaN;
      if (parsed >= minimum && parsed <= maximum) return parsed;
      throw new UsageError(`expected an integer from ${minimum} to ${maximum}, got "${value}"`);
    },
  };
}

/** TCP port; 0 takes a free one. */
export const port: Kind<number> = { ...integer(0, 65_535), placeholder: "PORT" };

/** Unsigned integer that the protocol counts, decimal or 0x and hex digits. */
export const quantity: Kind<bigint> = {
  placeholder: "N",
  parse: (value) => {
    if (/^(\d+|0x[0-9a-fA-F]+)$/.test(value)) return BigInt(value);
    throw new UsageError(`expected an integer, got "${value}"`);
  },
};

/** The same within bounds. */
export function quantityWithin(minimum: bigint, maximum?: bigint): Kind<bigint> {
  return {
    placeholder: quantity.placeholder,
    parse: (value) => {
      const parsed = quantity.parse(value);
      if (parsed >= minimum && (maximum === undefined || parsed <= maximum)) return parsed;
      const bound = maximum === undefined ? `at least ${minimum}` : `from ${minimum} to ${maximum}`;
      throw new UsageError(`expected an integer ${bound}, got "${value}"`);
    },
  };
}

/** Seconds since 1970 whose milliseconds the program can count. */
export const time: Kind<bigint> = quantityWithin(0n, BigInt(Number.MAX_SAFE_INTEGER) / 1000n);

const COIN_DECIMALS = 18;

/** Amount of coins with up to 18 decimals; the value is in wei. */
export const coins: Kind<bigint> = {
  placeholder: "AMOUNT",
  parse: (value) => {
    const match = /^(\d+)(?:\.(\d{1,18}))?$/.exec(value);
    if (match === null) throw new UsageError(`expected an amount as 10000 or 0.5, got "${value}"`);
    const [, whole = "0", fraction = ""] = match;
    return BigInt(whole + fraction.padEnd(COIN_DECIMALS, "0"));
  },
};

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Duration as 250ms, 5s, 1m30s or 3h; a bare number is seconds. The value is in ms. */
export const duration: Kind<number> = {
  placeholder: "DURATION",
  parse: (value) => {
    if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
    const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
    if (parts.length === 0 || parts.map(([part]) => part).join("") !== value) {
      throw new UsageError(`expected a duration as 5s, 250ms or 3h, got "${value}"`);
    }
    return parts.reduce((sum, [, n, unit = ""]) => sum + Number(n) * (UNIT_MS[unit] ?? 0), 0);
  },
};

/** Words separated by commas. */
export const list: Kind<readonly string[]> = {
  placeholder: "A,B",
  parse: (value) =>
    value
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
};

/** One of a few words. */
export function choice<const T extends string>(...words: readonly T[]): Kind<T> {
  return {
    placeholder: words.join("|"),
    parse: (value) => {
      const found = words.find((word) => word === value);
      if (found !== undefined) return found;
      throw new UsageError(`expected ${words.join(" or ")}, got "${value}"`);
    },
  };
}
