/** The schema of Ethereum nodes' GraphQL. Source: EIP-1767 as execution-apis keeps it. Numbers go out in hex. */
export const SCHEMA = `
scalar Address
scalar BigInt
scalar Bytes
scalar Bytes32
scalar Long

type Query {
  "By number or hash; without either the head."
  block(number: Long, hash: Bytes32): Block
  "From one number to another, both included; without an end up to the head."
  blocks(from: Long, to: Long): [Block!]!
  pending: Pending!
  transaction(hash: Bytes32!): Transaction
  logs(filter: FilterCriteria!): [Log!]!
  gasPrice: BigInt!
  maxPriorityFeePerGas: BigInt!
  syncing: SyncState
  chainID: BigInt!
}

type Mutation {
  sendRawTransaction(data: Bytes!): Bytes32!
}

type Account {
  address: Address!
  balance: BigInt!
  transactionCount: Long!
  code: Bytes!
  storage(slot: Bytes32!): Bytes32!
}

type Block {
  number: Long!
  hash: Bytes32!
  parent: Block
  nonce: Bytes!
  transactionsRoot: Bytes32!
  transactionCount: Long
  stateRoot: Bytes32!
  receiptsRoot: Bytes32!
  miner(block: Long): Account!
  extraData: Bytes!
  gasLimit: Long!
  gasUsed: Long!
  baseFeePerGas: BigInt
  nextBaseFeePerGas: BigInt
  timestamp: Long!
  logsBloom: Bytes!
  mixHash: Bytes32!
  difficulty: BigInt!
  ommerCount: Long
  ommers: [Block]
  ommerAt(index: Long!): Block
  ommerHash: Bytes32!
  transactions: [Transaction!]
  transactionAt(index: Long!): Transaction
  logs(filter: BlockFilterCriteria!): [Log!]!
  account(address: Address!): Account!
  call(data: CallData!): CallResult
  estimateGas(data: CallData!): Long!
  rawHeader: Bytes!
  raw: Bytes!
  withdrawalsRoot: Bytes32
  withdrawals: [Withdrawal!]
  blobGasUsed: Long
  excessBlobGas: Long
}

type Transaction {
  hash: Bytes32!
  nonce: Long!
  index: Long
  from(block: Long): Account!
  to(block: Long): Account
  value: BigInt!
  gasPrice: BigInt!
  maxFeePerGas: BigInt
  maxPriorityFeePerGas: BigInt
  maxFeePerBlobGas: BigInt
  effectiveTip: BigInt
  gas: Long!
  inputData: Bytes!
  block: Block
  status: Long
  gasUsed: Long
  cumulativeGasUsed: Long
  effectiveGasPrice: BigInt
  blobGasUsed: Long
  blobGasPrice: BigInt
  createdContract(block: Long): Account
  logs: [Log!]
  r: BigInt!
  s: BigInt!
  v: BigInt!
  yParity: BigInt
  type: Long
  accessList: [AccessTuple!]
  blobVersionedHashes: [Bytes32!]
  raw: Bytes!
  rawReceipt: Bytes!
}

type Log {
  index: Long!
  account(block: Long): Account!
  topics: [Bytes32!]!
  data: Bytes!
  transaction: Transaction!
}

type AccessTuple {
  address: Address!
  storageKeys: [Bytes32!]!
}

type Withdrawal {
  index: Long!
  validator: Long!
  address: Address!
  amount: Long!
}

type Pending {
  transactionCount: Long!
  transactions: [Transaction!]
  account(address: Address!): Account!
  call(data: CallData!): CallResult
  estimateGas(data: CallData!): Long!
}

type CallResult {
  data: Bytes!
  gasUsed: Long!
  "1 success, 0 failure"
  status: Long!
}

type SyncState {
  startingBlock: Long!
  currentBlock: Long!
  highestBlock: Long!
}

input CallData {
  from: Address
  to: Address
  gas: Long
  gasPrice: BigInt
  maxFeePerGas: BigInt
  maxPriorityFeePerGas: BigInt
  value: BigInt
  data: Bytes
}

input BlockFilterCriteria {
  addresses: [Address!]
  "Alternatives by position; an empty position lets every topic pass."
  topics: [[Bytes32!]!]
}

input FilterCriteria {
  fromBlock: Long
  toBlock: Long
  addresses: [Address!]
  topics: [[Bytes32!]!]
}
`;
