/** What tests say to contracts/samples/SampleToken.sol, typed. */
import { parseAbi, parseAbiItem } from "viem";

export const transferEvent = parseAbiItem(
  "event Transfer(address indexed from, address indexed to, uint256 value)",
);

export const tokenAbi = parseAbi([
  "constructor(uint256 supply)",
  "function totalSupply() view returns (uint256)",
  "function symbol() view returns (string)",
  "function balanceOf(address) view returns (uint256)",
  "function transfer(address to, uint256 value) returns (bool)",
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "error InsufficientBalance(address owner, uint256 have, uint256 want)",
]);
