/**
 * The list of compilers of binaries.soliditylang.org, served here: forge verify-contract asks for it before it sends anything,
 * also with `--offline`, a compiler of its own and a version with its commit. A proxy on the loopback takes forge's CONNECT
 * to that host, and to no other, and answers with a certificate that forge is told to trust.
 */
import { once } from "node:events";
import { mkdir, readFile, symlink } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { repositoryRoot } from "./runTool.ts";

const HOST = "binaries.soliditylang.org";
const LIST_PATH = "/bin/list.txt";
const TLS_FOLDER = join(import.meta.dirname, "tls");
/** A compiler as forge calls it. */
export const SOLC_PROGRAM = join(repositoryRoot, "test/support/solcWrap.ts");

export interface SolcList extends AsyncDisposable {
  /** What leads forge here. */
  readonly env: Readonly<Record<string, string>>;
  /** Lists that were asked for so far. */
  readonly served: number;
}

/** Serves a list with the one compiler `version`, `0.8.37+commit.f401782d`. */
export async function startSolcList(version: string): Promise<SolcList> {
  const certificate = join(TLS_FOLDER, "solidity.cert.pem");
  const [key, cert] = await Promise.all([
    readFile(join(TLS_FOLDER, "solidity.key.pem")),
    readFile(certificate),
  ]);
  let served = 0;
  const list = createHttpsServer({ key, cert }, (request, response) => {
    if (request.url !== LIST_PATH) return response.writeHead(404).end();
    served++;
    return response.end(`soljson-v${version}.js\n`);
  });
  const tunnels = new Set<Duplex>();
  const proxy = createHttpServer((_request, response) => response.writeHead(403).end());
  proxy.on("connect", ({ url }, socket) => {
    if (url !== `${HOST}:443`) return socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    tunnels.add(socket);
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    return list.emit("connection", socket);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return {
    env: {
      HTTPS_PROXY: `http://127.0.0.1:${address.port}`,
      NO_PROXY: "127.0.0.1",
      SSL_CERT_FILE: certificate,
    },
    get served() {
      return served;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of tunnels) socket.destroy();
      const closed = once(proxy, "close");
      proxy.close();
      await closed;
    },
  };
}

/** Puts the compiler where forge keeps those it has installed: verify-contract looks there, whatever `--use` says. */
export async function installSolc(home: string, version: string): Promise<void> {
  const [release = ""] = version.split("+");
  const folder = join(home, ".svm", release);
  await mkdir(folder, { recursive: true });
  await symlink(SOLC_PROGRAM, join(folder, `solc-${release}`));
}
