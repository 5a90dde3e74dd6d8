/** Changing accounts by hand on a development chain. */
import { bigIntToBytes } from "../../src/primitives/bytes.ts";
import { type Address, bigIntToHash } from "../../src/primitives/hex.ts";
import type { State } from "../../src/state/state.ts";
import { type Account, EMPTY_ACCOUNT } from "../../src/types/account.ts";
import { address, boolean, data, looseQuantity, looseQuantity64 } from "../codec.ts";
import { devMethods, nothing } from "../devMethod.ts";
import { param } from "../method.ts";
import { setAllowance, setTokenBalance } from "../tokenSlot.ts";

function changeAccount(
  target: Address,
  change: (account: Account) => Partial<Account>,
): (state: State) => void {
  return (state) => {
    const account = state.account(target) ?? EMPTY_ACCOUNT;
    state.setAccount(target, { ...account, ...change(account) });
  };
}

/** Both prefixes of a name that anvil took over from Hardhat. */
function both<const N extends string>(name: N) {
  return [`hardhat_${name}`, `anvil_${name}`] as const;
}

const account = param("address", address);
/** wei */
const MAX_BALANCE = 2n ** 256n - 1n;

const accountEdits = [
  devMethods({
    names: [...both("setBalance"), "evm_setAccountBalance"],
    summary: "Sets the balance of an account, in wei.",
    params: [account, param("balance", looseQuantity)],
    result: nothing,
    handler: async (dev, _context, target, balance) => {
      await dev.edit(
        changeAccount(target, () => ({ balance })),
        [target],
      );
      return undefined;
    },
  }),
  devMethods({
    names: both("addBalance"),
    summary: "Adds wei to the balance of an account, up to 2^256 - 1.",
    params: [account, param("amount", looseQuantity)],
    result: nothing,
    handler: async (dev, _context, target, amount) => {
      const add = ({ balance }: Account) => {
        const sum = balance + amount;
        return { balance: sum > MAX_BALANCE ? MAX_BALANCE : sum };
      };
      await dev.edit(changeAccount(target, add), [target]);
      return undefined;
    },
  }),
  devMethods({
    names: [...both("setNonce"), "evm_setAccountNonce"],
    summary: "Sets the nonce of an account.",
    params: [account, param("nonce", looseQuantity64)],
    result: nothing,
    handler: async (dev, _context, target, nonce) => {
      await dev.edit(
        changeAccount(target, () => ({ nonce })),
        [target],
      );
      return undefined;
    },
  }),
  devMethods({
    names: [...both("setCode"), "evm_setAccountCode"],
    summary: "Sets the code of an account.",
    params: [account, param("code", data)],
    result: nothing,
    handler: async (dev, _context, target, code) => {
      await dev.edit((state) => state.setCode(target, code), [target]);
      return undefined;
    },
  }),
  devMethods({
    names: [...both("setStorageAt"), "evm_setAccountStorageAt"],
    summary: "Sets one storage slot of an account.",
    params: [account, param("slot", looseQuantity), param("value", looseQuantity)],
    result: boolean,
    handler: async (dev, _context, ...[target, slot, value]) => {
      await dev.edit(
        (state) => {
          if (state.account(target) === undefined) state.setAccount(target, EMPTY_ACCOUNT);
          state.setSlot(target, bigIntToHash(slot), bigIntToBytes(value));
        },
        [target],
      );
      return true;
    },
  }),
];

const tokenEdits = [
  devMethods({
    names: ["anvil_dealERC20", "anvil_setERC20Balance", "hardhat_dealERC20"],
    summary: "Sets the balance that an ERC-20 contract reports for an account.",
    params: [account, param("token", address), param("balance", looseQuantity)],
    result: nothing,
    handler: async (_dev, context, ...[owner, token, balance]) => {
      await setTokenBalance(context, { token, owner }, balance);
      return undefined;
    },
  }),
  devMethods({
    names: ["anvil_setERC20Allowance", "hardhat_setERC20Allowance"],
    summary: "Sets the allowance that an ERC-20 contract reports for an owner and a spender.",
    params: [
      param("owner", address),
      param("spender", address),
      param("token", address),
      param("amount", looseQuantity),
    ],
    result: nothing,
    handler: async (_dev, context, ...[owner, spender, token, amount]) => {
      await setAllowance(context, { token, owner, spender }, amount);
      return undefined;
    },
  }),
];

/** hardhat_set… and anvil_set… */
export const devStateMethods = [...accountEdits, ...tokenEdits].flat();
