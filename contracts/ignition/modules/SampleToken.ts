import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

export default buildModule("SampleToken", (m) => {
  const token = m.contract("SampleToken", [m.getParameter("supply", 10n ** 21n)]);
  return { token };
});
