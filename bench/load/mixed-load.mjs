#!/usr/bin/env node
// Peer-neutral mixed load: many users who read and write at once, each at its own pace over its own connection.
import { parseArgs, fail, sleep, now, hex, unhex, mnemonicKeys, addressOf, signTx, Conn, Rpc, latency, procStat, round, TEST_MNEMONIC } from './lib.mjs'

const opt = parseArgs({
  url: ['http://127.0.0.1:8545', 'JSON-RPC endpoint (http)'],
  users: [200, 'users at once, each with a connection of its own'],
  seconds: [20, 'measured seconds'],
  warmup: [3, 'unmeasured seconds before'],
  think: [500, 'mean ms between the reply to one request of a user and the next request'],
  writes: [0.2, 'share of requests that send a transaction'],
  mnemonic: [TEST_MNEMONIC, 'mnemonic of the funded dev accounts, one for each user'],
  seed: [1, 'seed of the order of requests'],
  pid: ['', 'process id(s) of the node: adds its CPU share and memory'],
  quiet: [false, 'no progress on stderr'],
}, 'mixed-load.mjs: closed-loop users with think time; prints one JSON report with latency percentiles by method.')

const rpc = new Rpc(opt.url)
const client = await rpc.call('web3_clientVersion').catch(() => 'unknown')
const chainId = BigInt(await rpc.call('eth_chainId'))
const keys = mnemonicKeys(opt.mnemonic, opt.users)
const addresses = keys.map((k) => hex(addressOf(k)))
const fees = { maxFee: 10n ** 12n, tip: 10n ** 9n }
const perUser = Math.ceil(((opt.seconds + opt.warmup) * 1000 / opt.think) * opt.writes * 3) + 5
// signed beforehand: the client must not be what is measured
const signed = keys.map((key, u) => Array.from({ length: perUser }, (_, nonce) => signTx({ chainId, nonce, to: unhex(addresses[(u + 1) % opt.users]), value: 1n, gas: 21000n, ...fees }, key)))
const lat = new Map(), errors = new Map()
let measuring = false, stop = false

/** mulberry32: each user its own stream */
function random(seed) {
  let a = seed >>> 0
  return () => { a = (a + 0x6d2b79f5) | 0; let t = Math.imul(a ^ (a >>> 15), 1 | a); t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t; return ((t ^ (t >>> 14)) >>> 0) / 4294967296 }
}

const reads = [
  (u) => ['eth_blockNumber', []],
  (u) => ['eth_getBalance', [addresses[u], 'latest']],
  (u) => ['eth_getTransactionCount', [addresses[u], 'pending']],
  (u) => ['eth_gasPrice', []],
  (u) => ['eth_call', [{ from: addresses[u], to: addresses[u], data: '0x' }, 'latest']],
  (u) => ['eth_estimateGas', [{ from: addresses[u], to: addresses[(u + 1) % opt.users], value: '0x1' }]],
  (u) => ['eth_getBlockByNumber', ['latest', false]],
  (u, last) => ['eth_getTransactionReceipt', [last ?? '0x' + '11'.repeat(32)]],
  (u) => ['eth_getLogs', [{ fromBlock: 'latest', toBlock: 'latest' }]],
  (u) => ['eth_feeHistory', ['0x4', 'latest', [25, 50]]],
]

async function user(u) {
  const rnd = random(opt.seed * 1_000_003 + u), conn = new Conn(opt.url)
  let nonce = 0, last, id = 1
  await sleep(rnd() * opt.think)
  while (!stop) {
    let call
    if (rnd() < opt.writes && nonce < perUser) { const t = signed[u][nonce++]; last = t.hash; call = ['eth_sendRawTransaction', [t.raw]] }
    else call = reads[Math.floor(rnd() * reads.length)](u, last)
    const [method, params] = call
    const body = JSON.stringify({ jsonrpc: '2.0', id: id++, method, params }), t = now()
    let bad
    try { const r = await conn.post(body), j = JSON.parse(r.body); if (j.error) bad = `${j.error.code} ${j.error.message}`.slice(0, 100) } catch (e) { bad = e.message }
    if (measuring) {
      if (bad) errors.set(`${method}: ${bad}`, (errors.get(`${method}: ${bad}`) ?? 0) + 1)
      else { if (!lat.has(method)) lat.set(method, []); lat.get(method).push(now() - t) }
    }
    await sleep(opt.think * (0.5 + rnd()))
  }
  conn.close()
}

const users = Array.from({ length: opt.users }, (_, u) => user(u))
await sleep(opt.warmup * 1000)
const s0 = procStat(opt.pid), c0 = process.cpuUsage(), t0 = now(), b0 = Number(await rpc.call('eth_blockNumber')); measuring = true
await sleep(opt.seconds * 1000)
measuring = false; stop = true
const secs = (now() - t0) / 1000, s1 = procStat(opt.pid), cu = process.cpuUsage(c0), b1 = Number(await rpc.call('eth_blockNumber'))
await Promise.race([Promise.all(users), sleep(10000)])
const all = [...lat.values()].flat()
if (all.length === 0) fail('no request succeeded')
console.log(JSON.stringify({
  tool: 'mixed-load', client, users: opt.users, seconds: opt.seconds, thinkMs: opt.think, seed: opt.seed,
  requestsPerSec: round(all.length / secs), blocks: b1 - b0, all: latency(all),
  methods: Object.fromEntries([...lat].sort().map(([m, l]) => [m, latency(l)])),
  errors: Object.fromEntries(errors), errorCount: [...errors.values()].reduce((a, b) => a + b, 0),
  nodeCpuShare: s0 && s1 ? round((s1.cpu - s0.cpu) / secs, 2) : null, nodeRssMiB: s1 ? s1.rssMiB : null, clientCpuShare: round((cu.user + cu.system) / 1e6 / secs, 2),
}))
rpc.close()
process.exit(0)
