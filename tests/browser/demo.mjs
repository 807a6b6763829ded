// Starts `hanse demo` for a test file: a fresh directory, ports that are free,
// and a browser. Everything it starts, it ends.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const HERE = dirname(fileURLToPath(import.meta.url));
const BINARY = resolve(process.env.HANSE_BINARY ?? join(HERE, "../../target/debug/hanse"));
const START_TIMEOUT_MS = 120_000;

export const SCREENSHOTS = join(HERE, "screenshots");
export const TOWNS = ["soest", "arnsberg", "menden", "olpe", "bad-berleburg"];

/** Five towns with the shipped records, ready to be searched. */
export async function startDemo() {
  if (!existsSync(BINARY)) {
    throw new Error(`${BINARY} is not there: run \`cargo build\` first`);
  }
  const directory = await mkdtemp(join(tmpdir(), "hanse-browser-"));
  const basePort = await freeBasePort();
  const node = spawn(BINARY, ["demo", "--dir", directory, "--base-port", String(basePort)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [node.stdout, node.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text) => (output = (output + text).slice(-20_000)));
  }
  const ended = new Promise((done) => node.once("exit", (code, signal) => done(signal ?? code)));
  const stop = async () => {
    node.kill("SIGINT");
    const status = await ended;
    await rm(directory, { recursive: true, force: true });
    return status;
  };
  const town = (name) => {
    const number = TOWNS.indexOf(name) + 1;
    return {
      directory: join(directory, name),
      portal: `http://127.0.0.1:${basePort + number}`,
      desk: `http://127.0.0.1:${basePort + 100 + number}`,
    };
  };
  try {
    await Promise.race([
      ready(TOWNS.map(town)),
      ended.then((status) => Promise.reject(new Error(`the demo ended with ${status}`))),
    ]);
  } catch (error) {
    await stop();
    throw new Error(`${error.message}; it said:\n${output}`);
  }
  return { directory, town, stop, output: () => output };
}

/** A browser of the system; as root it needs to run without its sandbox. */
export async function startBrowser() {
  await mkdir(SCREENSHOTS, { recursive: true });
  const found = ["chromium", "chromium-browser", "google-chrome"]
    .flatMap((name) => (process.env.PATH ?? "").split(":").map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
  if (!found) {
    throw new Error("no Chromium found: run scripts/setup-browser-tests.sh");
  }
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: found, args });
}

/** The output of a command of the same binary. */
export function hanse(...args) {
  return new Promise((done, failed) => {
    const command = spawn(BINARY, args, { stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    command.stdout.on("data", (text) => (out += text));
    command.stderr.on("data", (text) => (err += text));
    command.once("error", failed);
    command.once("close", (code) =>
      code === 0 ? done(out.trim()) : failed(new Error(`hanse ${args.join(" ")}: ${code}\n${err}`)),
    );
  });
}

/** Calls `attempt` until it returns something; fails with its last error. */
export async function eventually(what, attempt, timeoutMs = 20_000) {
  const deadline = Date.now() + timeoutMs;
  let last;
  for (;;) {
    try {
      const result = await attempt();
      if (result) return result;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`${what} did not happen in ${timeoutMs} ms`, { cause: last });
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

/** All towns are ready and each finds the open records of all five. */
async function ready(towns) {
  for (const { portal, desk } of towns) {
    await eventually(
      `${portal} showing all open records`,
      async () => {
        const [answer, readiness] = await Promise.all([
          fetch(`${portal}/api/v1/datasets?limit=1`),
          fetch(`${desk}/readyz`),
        ]);
        return readiness.ok && answer.ok && (await answer.json()).total === 23;
      },
      START_TIMEOUT_MS,
    );
  }
}

/** A base port of which all fifteen ports that the demo uses are free. */
async function freeBasePort() {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const base = 20_000 + Math.floor(Math.random() * 30_000);
    const ports = [0, 100, 200].flatMap((offset) => [1, 2, 3, 4, 5].map((town) => base + offset + town));
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return base;
  }
  throw new Error("found no fifteen free ports on 127.0.0.1");
}

function isFree(port) {
  return new Promise((done) => {
    const probe = createServer();
    probe.once("error", () => done(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => done(true)));
  });
}
