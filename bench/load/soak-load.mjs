#!/usr/bin/env node
// A bounded number of reads, wrong calls among them, and what the node's heap does meanwhile. Needs debug_memStats.
import { parseArgs, sleep, now, hex, mnemonicKeys, addressOf, Conn, Rpc, procStat, round, TEST_MNEMONIC } from './lib.mjs'

const opt = parseArgs({
  url: ['http://127.0.0.1:8545', 'JSON-RPC endpoint (http)'],
  requests: [1_000_000, 'requests in all'],
  connections: [8, 'connections, one request in flight on each'],
  samples: [20, 'intervals with figures of their own'],
  minutes: [60, 'end after this time, whatever was done'],
  pid: ['', 'process id of the node: adds its memory'],
  quiet: [false, 'no progress on stderr'],
}, 'soak-load.mjs: reads until so many requests are answered; prints one JSON report with the least heap of each interval.')

const rpc = new Rpc(opt.url)
const addresses = mnemonicKeys(TEST_MNEMONIC, 10).map((k) => hex(addressOf(k)))
// logs once: PUSH1 0xaa PUSH0 PUSH0 LOG1
const target = '0x' + '5a'.repeat(20)
await rpc.call('hardhat_setCode', [target, '0x60aa5f5fa1'])
const hashes = []
for (let i = 0; i < 50; i++) hashes.push(await rpc.call('eth_sendTransaction', [{ from: addresses[i % 10], to: target, gas: '0x186a0' }]))
await rpc.waitReceipt(hashes.at(-1))
const q = (n) => '0x' + n.toString(16)

/** The i-th request: methods in turn, arguments that change. */
const kinds = [
  () => ['eth_chainId', []],
  () => ['eth_blockNumber', []],
  (i) => ['eth_getBalance', [addresses[i % 10], 'latest']],
  (i) => ['eth_getTransactionCount', [addresses[i % 10], 'pending']],
  (i) => ['eth_getBlockByNumber', [q(1 + (i % 50)), i % 2 === 0]],
  (i) => ['eth_getTransactionByHash', [hashes[i % 50]]],
  (i) => ['eth_getTransactionReceipt', [hashes[i % 50]]],
  (i) => ['eth_getLogs', [{ fromBlock: q(1 + (i % 40)), toBlock: q(5 + (i % 40)), address: target }]],
  (i) => ['eth_getStorageAt', [target, q(i), 'latest']],
  (i) => ['eth_getProof', [addresses[i % 10], [], 'latest']],
  (i) => ['eth_call', [{ from: addresses[i % 10], to: target, data: q(0x1000 + (i % 4096)) }, 'latest']],
  (i) => ['eth_estimateGas', [{ from: addresses[i % 10], to: addresses[(i + 1) % 10], value: q(i) }]],
  () => ['eth_feeHistory', ['0x4', 'latest', [25, 50]]],
  () => ['eth_newBlockFilter', []],
  (i) => ['eth_noSuchMethod' + i, []],
  (i) => ['eth_getBalance', ['0x' + i.toString(16)]],
]

let sent = 0, answered = 0, errors = 0, failures = 0, stop = false
const started = now(), endAt = started + opt.minutes * 60_000
async function connection() {
  const conn = new Conn(opt.url)
  while (!stop && sent < opt.requests && now() < endAt) {
    const i = sent++
    const [method, params] = kinds[i % kinds.length](i)
    let body = { jsonrpc: '2.0', id: i, method, params }
    try {
      const { error, result } = JSON.parse((await conn.post(JSON.stringify(body))).body)
      if (error) errors++
      // a filter that is left behind would be a leak of ours
      if (method === 'eth_newBlockFilter') { body = { ...body, method: 'eth_uninstallFilter', params: [result] }; await conn.post(JSON.stringify(body)) }
    } catch { if (++failures > 100) stop = true }
    answered++
  }
  conn.close()
}

const samples = []
async function watch() {
  const each = Math.ceil(opt.requests / opt.samples)
  let least = Infinity, next = each
  for (;;) {
    const { heapUsed } = await rpc.call('debug_memStats')
    least = Math.min(least, heapUsed)
    const over = stop || answered >= opt.requests || now() >= endAt
    if (answered >= next || over) {
      samples.push({ requests: answered, seconds: round((now() - started) / 1000), heapMiB: round(least / 1048576, 2), rssMiB: procStat(opt.pid)?.rssMiB ?? 0 })
      if (!opt.quiet) console.error(JSON.stringify(samples.at(-1)))
      least = Infinity
      while (next <= answered) next += each
    }
    if (over) return
    await sleep(50)
  }
}
await Promise.all([watch(), ...Array.from({ length: opt.connections }, connection)])
const seconds = (now() - started) / 1000
rpc.close()
console.log(JSON.stringify({ requests: answered, errors, failures, seconds: round(seconds), requestsPerSec: round(answered / seconds), samples }))
