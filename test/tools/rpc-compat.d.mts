/** What tests use of the judge. */
export interface CompatTest {
  readonly name: string;
  readonly method: string;
}

export interface CompatVerdict {
  readonly reason: string;
  readonly details: readonly string[];
}

export function findTests(root: string): { readonly name: string; readonly file: string }[];
export function parseTest(name: string, text: string): CompatTest;
export function loadSchemas(file: string): unknown;
export function engineToken(secretHex: string): string;
/** null: passed */
export function runTest(
  test: CompatTest,
  options: {
    readonly url: string;
    readonly timeout: number;
    readonly schemas: unknown;
    readonly strict: boolean;
  },
): Promise<CompatVerdict | null>;
