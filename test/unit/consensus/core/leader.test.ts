import assert from "node:assert/strict";
import { leaderOf, leaderTable } from "../../../../src/consensus/core/leader.ts";
import { bytesToBigInt, concatBytes } from "../../../../src/primitives/bytes.ts";
import { bigIntToHash } from "../../../../src/primitives/hex.ts";
import { taggedHash } from "../../../../src/types/consensusMessage.ts";

const mix = bigIntToHash(77n);
const member = (id: number, stake: bigint) => ({
  id,
  stake,
  keyHash: bigIntToHash(BigInt(id + 1)),
});
const candidate = (id: number, reputation: number) => ({ ...member(id, 1n), reputation });
const SLOTS = 4000;

describe("leaderOf", () => {
  it("is the first whose running sum exceeds the draw", () => {
    const members = [member(2, 5n), member(4, 1n), member(9, 3n)];
    const table = leaderTable(members, mix, [candidate(2, 10_000), candidate(9, 0)]);
    // weights: 5·10000, 1·2500, 3·2500
    assert.deepEqual(table.sums, [50_000n, 52_500n, 60_000n]);
    for (let slot = 0; slot < 200; slot++) {
      const number = Buffer.alloc(8);
      number.writeUInt32BE(slot, 4);
      const x = bytesToBigInt(taggedHash("leader", concatBytes(table.seed, number))) % 60_000n;
      const expected: number | undefined = members[table.sums.findIndex((sum) => sum > x)]?.id;
      assert.equal(leaderOf(table, slot).id, expected);
    }
  });

  it("draws by stake and reputation", () => {
    const members = [member(0, 100n), member(1, 100n), member(2, 200n)];
    const table = leaderTable(members, mix, [
      candidate(0, 10_000),
      candidate(1, 0),
      candidate(2, 5000),
    ]);
    const counts = [0, 0, 0];
    for (let slot = 0; slot < SLOTS; slot++) {
      const { id } = leaderOf(table, slot);
      counts[id] = (counts[id] ?? 0) + 1;
    }
    // 10000 : 2500 : 2·6250
    for (const [id, share] of [0.4, 0.1, 0.5].entries())
      assert.ok(Math.abs((counts[id] ?? 0) / SLOTS - share) < 0.03, `${counts}`);
  });
});
