/** How deep the JSON of a caller may nest. `JSON.parse` takes seconds for the millions of levels that fit into a body. */

/** Levels, as in Go's encoding/json and so in geth. */
const MAX_DEPTH = 10_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Whether brackets stand deeper in `text` than anybody needs; whether it is JSON is found out by who parses it. */
export function isTooDeep(text: string): boolean {
  if (text.length <= MAX_DEPTH) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) at = stringEnd(text, at);
    else if (unit === OPEN_ARRAY || unit === OPEN_OBJECT) {
      if (++depth > MAX_DEPTH) return true;
    } else if (unit === CLOSE_ARRAY || unit === CLOSE_OBJECT) depth--;
  }
  return false;
}

/** Place of the quote that ends the string; the end of the text when none does. */
function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

function isEscaped(text: string, at: number): boolean {
  let from = at;
  while (text.charCodeAt(from - 1) === BACKSLASH) from--;
  return (at - from) % 2 === 1;
}

/** `JSON.parse` of what a caller sent. Throws SyntaxError, also for what is nested too deep. */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) throw new SyntaxError(`nested deeper than ${MAX_DEPTH} levels`);
  return JSON.parse(text);
}

/** The same for a parser of express: its `verify`. Throws what it throws for text that is no JSON. */
export function refuseDeepJson(_request: unknown, _response: unknown, body: Buffer): void {
  if (!isTooDeep(body.toString("latin1"))) return;
  throw Object.assign(new SyntaxError(`nested deeper than ${MAX_DEPTH} levels`), {
    type: "entity.parse.failed",
  });
}
