#!/usr/bin/env node
// How long a small read waits while others run heavy calls and traces. Needs the dev methods of anvil for a funded account only.
import { parseArgs, sleep, now, Rpc, latency, round } from './lib.mjs'

const opt = parseArgs({
  url: ['http://127.0.0.1:8545', 'JSON-RPC endpoint (http)'],
  seconds: [6, 'seconds of each attack'],
  attackers: [8, 'heavy calls in flight at a time'],
  every: [20, 'ms between two pings (eth_blockNumber)'],
  pid: ['', 'accepted and not used'],
  quiet: [false, 'no progress on stderr'],
}, 'ping-load.mjs: latency of eth_blockNumber during heavy calls; prints one JSON report.')

const word = (v) => BigInt(v).toString(16).padStart(64, '0')
const at = (n) => '0x' + n.toString(16).padStart(40, '0')
const CODE = at(0xc0de0)
const gas = '0x2faf080' // 50 million
const running = (code) => [{ to: CODE, gas }, 'latest', { [CODE]: { code: '0x' + code } }]
const calling = (n, data) => [{ to: at(n), data: '0x' + data, gas }, 'latest']
const G1 = word(1) + word(2)
const G2 = '198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c21800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa'
const full = (n) => 'ff'.repeat(n)
/** PUSH4 4 MiB, PUSH0, KECCAK256, POP, for ever */
const HASHES = '5b' + '62400000' + '5f20' + '50' + '5f56'
/** MCOPY of 4 MiB on itself, for ever */
const COPIES = '5b' + '62400000' + '5f5f5e' + '5f56'
/** SSTORE of a counter under itself, for ever */
const WRITES = '5b' + '6001' + '01' + '8080' + '55' + '5f56'

const attacks = {
  nothing: undefined,
  'eth_call, jumps': ['eth_call', running('5b5f56')],
  'eth_call, hashes of 4 MiB': ['eth_call', running(HASHES)],
  'eth_call, copies of 4 MiB': ['eth_call', running(COPIES)],
  'eth_call, storage': ['eth_call', running('5f' + WRITES)],
  'eth_call, MODEXP of 256 bytes': ['eth_call', calling(5, word(256) + word(256) + word(256) + full(256) + full(256) + full(256))],
  'eth_call, BN254 pairing of 100': ['eth_call', calling(8, (G1 + G2).repeat(100))],
  'eth_call, BLAKE2F of 40,000,000': ['eth_call', calling(9, (40e6).toString(16).padStart(8, '0') + '00'.repeat(208) + '01')],
  'eth_call, point evaluation': ['eth_call', calling(10, '00'.repeat(192))],
  'eth_estimateGas, jumps': ['eth_estimateGas', running('5b5f56')],
  'debug_traceCall, callTracer, jumps': ['debug_traceCall', [{ to: CODE, gas }, 'latest', { tracer: 'callTracer', stateOverrides: { [CODE]: { code: '0x5b5f56' } } }]],
  'debug_traceCall, BLAKE2F': ['debug_traceCall', [...calling(9, (40e6).toString(16).padStart(8, '0') + '00'.repeat(208) + '01'), { tracer: 'callTracer' }]],
  'debug_traceCall, struct logs': ['debug_traceCall', [{ to: CODE, gas: '0x4c4b40' }, 'latest', { stateOverrides: { [CODE]: { code: '0x5b5f56' } } }]],
}

async function measure(attack) {
  let stop = false
  let done = 0
  const others = attack === undefined ? [] : Array.from({ length: opt.attackers }, async () => {
    const rpc = new Rpc(opt.url)
    while (!stop) { await rpc.call(...attack).catch(() => {}); done++ }
    rpc.close()
  })
  await sleep(1000)
  const ping = new Rpc(opt.url)
  const waits = []
  const end = now() + opt.seconds * 1000
  while (now() < end) {
    const t = now()
    await ping.call('eth_blockNumber')
    waits.push(now() - t)
    await sleep(Math.max(0, opt.every - (now() - t)))
  }
  stop = true
  ping.close()
  await Promise.race([Promise.all(others), sleep(60000)])
  return { ...latency(waits), heavyCalls: done }
}

const results = {}
for (const [name, attack] of Object.entries(attacks)) {
  results[name] = await measure(attack)
  const { p50, p99, max } = results[name]
  if (!opt.quiet) console.error(name.padEnd(40), 'p50', round(p50), 'p99', round(p99), 'max', round(max), 'ms')
}
console.log(JSON.stringify({ tool: 'ping-load', results }))
process.exit(0)
