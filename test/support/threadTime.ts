/** CPU time of the thread that runs the tests: says what kept it from answering, whatever else the machine does. */
export function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
