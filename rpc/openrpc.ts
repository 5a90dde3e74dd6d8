/** What the declarations of the methods say, as an OpenRPC document and as a page of the reference. */
import { namespaceOf } from "./access.ts";
import type { Json, JsonObject } from "./codec.ts";
import type { Method, Param } from "./method.ts";

/** Version of the OpenRPC specification. */
const OPENRPC = "1.3.2";

function paramDocument({ name, required, schema }: Param<unknown>): JsonObject {
  return { name, required, schema };
}

function byName(methods: readonly Method[]): Method[] {
  return [...methods].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The OpenRPC document of `methods`. */
export function openRpcDocument(methods: readonly Method[], version: string): JsonObject {
  return {
    openrpc: OPENRPC,
    info: { title: "QNet JSON-RPC", version },
    methods: byName(methods).map((method) => ({
      name: method.name,
      summary: method.summary,
      tags: [{ name: namespaceOf(method.name) }],
      paramStructure: "by-position",
      params: method.params.map(paramDocument),
      result: { name: "result", schema: method.result.schema },
    })),
  };
}

function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** A few words for a schema. */
function words(schema: Json | undefined): string {
  if (!isObject(schema)) return "any";
  const { title, type, oneOf, items, enum: choices } = schema;
  if (typeof title === "string") return title;
  if (Array.isArray(choices)) return choices.map(String).join(", ");
  if (Array.isArray(oneOf)) return oneOf.map(words).join(" or ");
  if (type === "array") return `array of ${words(items)}`;
  return typeof type === "string" ? type : "any";
}

function signature({ name, params }: Method): string {
  const shown = params.map((param) => (param.required ? param.name : `${param.name}?`));
  return `${name}(${shown.join(", ")})`;
}

/** `|` would end a table's cell. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function section(method: Method): string[] {
  const rows = method.params.map(
    ({ name, required, schema }) =>
      `| ${cell(name)} | ${required ? "yes" : "no"} | ${cell(words(schema))} |`,
  );
  return [
    `### ${method.name}`,
    "",
    method.summary,
    ...(method.devOnly ? ["", "Development chains only."] : []),
    "",
    `\`${signature(method)}\` → ${words(method.result.schema)}`,
    ...(rows.length === 0
      ? []
      : ["", "| parameter | required | value |", "|---|---|---|", ...rows]),
    "",
  ];
}

/** The reference of all methods as a Markdown page, by namespace. */
export function rpcReferenceMarkdown(methods: readonly Method[]): string {
  const sorted = byName(methods);
  const namespaces = [...new Set(sorted.map(({ name }) => namespaceOf(name)))];
  return [
    "# JSON-RPC methods",
    "",
    "Generated from the declarations in `rpc/methods`. Parameters are positional; those marked `?` may be left out or null.",
    "",
    ...namespaces.flatMap((namespace) => [
      `## ${namespace}`,
      "",
      ...sorted.filter(({ name }) => namespaceOf(name) === namespace).flatMap(section),
    ]),
  ].join("\n");
}
