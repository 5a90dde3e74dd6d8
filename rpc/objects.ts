/** Codecs of objects: `object` reads a parameter field by field, `view` writes a result field by field. */
import {
  type Json,
  type JsonObject,
  type JsonSchema,
  type ParamCodec,
  type ResultCodec,
  refuse,
  refuseValue,
} from "./codec.ts";

type Shape = { readonly [key: string]: ParamCodec<unknown> };
type Decoded<S extends Shape> = {
  readonly [K in keyof S]: S[K] extends ParamCodec<infer T> ? T | undefined : never;
};

/** A plain JSON object, or a refusal. */
export function objectOf(json: unknown, where: string): object {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return refuseValue(where, "an object", json);
  }
  return json;
}

/** Value of an own key; null counts as absent. */
export function ownField(json: object, key: string): unknown {
  if (!Object.hasOwn(json, key)) return undefined;
  const found: unknown = Reflect.get(json, key);
  return found === null ? undefined : found;
}

/**
 * Object whose fields are all optional: absent and null give undefined, unknown keys are ignored (wallets send extra ones).
 * `required` names the keys that must be there.
 */
export function object<S extends Shape>(
  title: string,
  shape: S,
  required: readonly (keyof S & string)[] = [],
): ParamCodec<Decoded<S>> {
  const entries = Object.entries(shape);
  const decode = (json: unknown, where: string): Record<string, unknown> => {
    const source = objectOf(json, where);
    const out: Record<string, unknown> = {};
    for (const [key, codec] of entries) {
      const value = ownField(source, key);
      if (value !== undefined) out[key] = codec.decode(value, `${where}.${key}`);
      else if (required.includes(key)) refuse(`${where}.${key}`, "missing");
      else out[key] = undefined;
    }
    return out;
  };
  const schema: JsonSchema = {
    title,
    type: "object",
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(entries.map(([key, codec]) => [key, codec.schema])),
  };
  // the loop above fills exactly the keys of `shape`, which the compiler cannot follow
  return { schema, decode: (json, where) => decode(json, where) as Decoded<S> };
}

type Complete<S extends Shape> = {
  readonly [K in keyof S]: S[K] extends ParamCodec<infer T> ? T : never;
};

/** Object that must have every field of `shape`. */
export function completeObject<S extends Shape>(title: string, shape: S): ParamCodec<Complete<S>> {
  const codec = object(title, shape, Object.keys(shape));
  // a missing field was refused, which the type of an object with optional fields does not say
  return { ...codec, decode: (json, where) => codec.decode(json, where) as Complete<S> };
}

/** One field of a view: how to find the value in `S` and write it; undefined leaves the key out. */
export interface Field<S> {
  readonly schema: JsonSchema;
  readonly always: boolean;
  write(source: S): Json | undefined;
}

/** A field that is always there. */
export function field<S, T>(codec: ResultCodec<T>, pick: (source: S) => T): Field<S> {
  return { schema: codec.schema, always: true, write: (source) => codec.encode(pick(source)) };
}

/** A field that is there only when `pick` finds a value: fields of a fork, of a transaction type. */
export function maybe<S, T>(codec: ResultCodec<T>, pick: (source: S) => T | undefined): Field<S> {
  return {
    schema: codec.schema,
    always: false,
    write(source) {
      const value = pick(source);
      return value === undefined ? undefined : codec.encode(value);
    },
  };
}

/** A field that is null when `pick` finds nothing. */
export function orNull<S, T>(codec: ResultCodec<T>, pick: (source: S) => T | undefined): Field<S> {
  return {
    schema: { oneOf: [{ type: "null" }, codec.schema] },
    always: true,
    write(source) {
      const value = pick(source);
      return value === undefined ? null : codec.encode(value);
    },
  };
}

/** Result object written field by field. */
export function view<S>(
  title: string,
  fields: { readonly [key: string]: Field<S> },
): ResultCodec<S> {
  const entries = Object.entries(fields);
  return {
    schema: {
      title,
      type: "object",
      required: entries.filter(([, { always }]) => always).map(([key]) => key),
      properties: Object.fromEntries(entries.map(([key, { schema }]) => [key, schema])),
      additionalProperties: false,
    },
    encode(source): JsonObject {
      const out: Record<string, Json> = {};
      for (const [key, { write }] of entries) {
        const value = write(source);
        if (value !== undefined) out[key] = value;
      }
      return out;
    },
  };
}
