/** JSON text read without loss: integers beyond 2^53 become bigint, and a repeated key is reported instead of dropped. */

export interface JsonText {
  readonly value: unknown;
  /** Keys that occur twice in one object, each with the path of that object */
  readonly repeated: readonly { readonly path: readonly string[]; readonly key: string }[];
}

const TOKEN =
  /\s*(?:([{}[\],:])|("[^"\\]*(?:\\.[^"\\]*)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null))/y;
const MAX_DEPTH = 64;

/** Parses JSON text. Throws SyntaxError, also when objects and lists nest deeper than 64 levels. */
export function parseJsonText(text: string): JsonText {
  JSON.parse(text); // the syntax is checked here, with V8's messages; the reader below may rely on it
  const reader = new Reader(text);
  const value = reader.read([]);
  return { value, repeated: reader.repeated };
}

class Reader {
  readonly repeated: { path: readonly string[]; key: string }[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(path: readonly string[]): unknown {
    const token = this.#next();
    if (path.length > MAX_DEPTH)
      throw new SyntaxError(`JSON nests deeper than ${MAX_DEPTH} levels`);
    if (token === "{") return this.#object(path);
    if (token === "[") return this.#list(path);
    if (/^-?\d+$/.test(token)) {
      const integer = Number(token);
      return Number.isSafeInteger(integer) ? integer : BigInt(token);
    }
    return JSON.parse(token);
  }

  #object(path: readonly string[]): Record<string, unknown> {
    // No prototype: a key named __proto__ is a key like any other.
    const object: Record<string, unknown> = Object.create(null);
    let token = this.#next();
    while (token !== "}") {
      if (token === ",") token = this.#next();
      const key: string = JSON.parse(token);
      if (Object.hasOwn(object, key)) this.repeated.push({ path, key });
      this.#next(); // the colon
      object[key] = this.read([...path, key]);
      token = this.#next();
    }
    return object;
  }

  #list(path: readonly string[]): unknown[] {
    const list: unknown[] = [];
    while (this.#peek() !== "]") {
      list.push(this.read([...path, String(list.length)]));
      if (this.#peek() === ",") this.#next();
    }
    this.#next();
    return list;
  }

  #peek(): string {
    const at = this.#at;
    const token = this.#next();
    this.#at = at;
    return token;
  }

  #next(): string {
    TOKEN.lastIndex = this.#at;
    const match = TOKEN.exec(this.#text);
    if (match === null) throw new SyntaxError(`unexpected character at ${this.#at}`);
    this.#at = TOKEN.lastIndex;
    return match[0].trimStart();
  }
}
