/** Results of commands as one line of JSON. */

/** JSON text in which an integer stays a number as long as JSON readers keep its digits, and is decimal text beyond 2^53. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item !== "bigint") return item;
    const small = Number(item);
    return Number.isSafeInteger(small) ? small : item.toString();
  });
}
