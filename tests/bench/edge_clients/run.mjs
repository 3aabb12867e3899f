// Two clients of a gateway that nobody here wrote: a program whose types openapi-typescript has made from the gateway's
// OpenAPI document, and the EventSource of a browser. The network is `soma localnet --serve`, a validator and a gateway in
// one process. Between the browser and the gateway stands a relay that can cut the wire.
//   node tests/bench/edge_clients/run.mjs [BUILD_DIR]      default: build/release; it takes a minute
// It needs node 20 or newer, npm with its registry (or a cache of it), and chromium, which CHROMIUM may name. Nothing is
// installed but in a folder that is removed in the end. One line for each step: PASS or FAIL. Exit code 1: a step failed.
// Then the folder with the logs stays, and the last line names it.
import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes, X509Certificate } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const soma = path.resolve(process.argv[2] ?? "build/release", "soma");
const chromium = process.env.CHROMIUM ?? "chromium";
const work = fs.mkdtempSync(path.join(os.tmpdir(), "edge_clients."));
const home = path.join(work, "home");
const children = [];
let failures = 0;

async function step(name, act) {
  const began = Date.now();
  let result = "PASS";
  try {
    const more = await act();
    if (more) result += `: ${more}`;
  } catch (error) {
    result = `FAIL: ${error.stdout ? String(error.stdout).trim() : error.message}`;
    failures += 1;
  }
  console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${name}: ${result}`);
  return !result.startsWith("FAIL");
}

function wanted(holds, why) {
  if (!holds) throw new Error(why);
}
function equal(found, expected, what) {
  wanted(found === expected, `${what} is \`${found}\`, not \`${expected}\``);
}

async function until(holds, why, seconds = 30) {
  for (const ends = Date.now() + seconds * 1000; !(await holds()); ) {
    wanted(Date.now() < ends, why);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function start(name, program, words) {
  const log = fs.openSync(path.join(work, `${name}.log`), "a");
  const child = spawn(program, words, { stdio: ["ignore", log, log] });
  child.on("error", (error) => fs.writeSync(log, `${error.message}\n`));
  children.push(child);
  return child;
}
async function kill(child) {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.on("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// ---- the network ----------------------------------------------------------------------------------------------------

const network = { port: await freePort(), process: undefined, certificate: undefined };

/** Asks the gateway, whose certificate is the only authority, and gives the status and the JSON of the answer. */
function ask(target, { method = "GET", body, headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const options = { port: network.port, host: "127.0.0.1", path: target, method, headers, agent: false };
    const request = https.request({ ...options, ca: network.certificate, timeout: 30000 }, (answer) => {
      let text = "";
      answer.on("data", (piece) => (text += piece));
      answer.on("end", () => resolve({ status: answer.statusCode, text, json: () => JSON.parse(text) }));
      answer.on("error", reject);
    });
    request.on("error", reject);
    request.on("timeout", () => request.destroy(new Error("no answer in 30 s")));
    request.end(body);
  });
}

async function answers() {
  const address = path.join(home, "localnet", "gateway.address");
  if (!fs.existsSync(address) || !fs.existsSync(address.replace(".address", ".pem"))) return false;
  network.certificate = fs.readFileSync(address.replace(".address", ".pem"));
  return ask("/v1/validators").then((answer) => answer.status === 200, () => false);
}

async function startNetwork() {
  network.process = start("network", soma, [
    ...["localnet", "--epochs", "0", "--serve", `127.0.0.1:${network.port}`, "--home", home],
  ]);
  await until(answers, "the gateway does not answer");
}
async function startAgain() {
  network.process = start("network", soma, ["node", "run", "--config", path.join(home, "localnet", "node.toml")]);
  await until(answers, "the gateway does not answer after its restart");
}

const newAddress = () => `0x${randomBytes(32).toString("hex")}`;

/** Gives money to a new account, so that something happens. */
async function give() {
  const headers = { "Content-Type": "application/json" };
  const gift = await ask("/v1/faucet", { method: "POST", headers, body: JSON.stringify({ address: newAddress() }) });
  equal(gift.status, 202, `the status of a gift (${gift.text.trim()})`);
  const done = (await ask(`/v1/transactions/${gift.json().transaction}?wait=20000`)).json();
  equal(done.state, "applied", "the state of a gift");
}

// ---- the client that is generated -----------------------------------------------------------------------------------

function tool(name, words) {
  return execFileSync(path.join(work, "node_modules", ".bin", name), words, { cwd: work, stdio: "pipe" });
}

async function install() {
  for (const file of fs.readdirSync(here)) fs.copyFileSync(path.join(here, file), path.join(work, file));
  execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: work, stdio: "pipe" });
}

async function generate() {
  const document = (await ask("/openapi.json")).text;
  fs.writeFileSync(path.join(work, "openapi.json"), document);
  tool("openapi-typescript", ["openapi.json", "-o", "gateway.d.ts"]);
  const types = fs.readFileSync(path.join(work, "gateway.d.ts"), "utf8");
  const empty = types.match(/"application\/json": Record<string, never>/g) ?? [];
  equal(empty.length, 0, "the number of answers without members");
  return `${Object.keys(JSON.parse(document).paths).length} paths, ${types.split("\n").length} lines of types`;
}

async function refuseWrong() {
  let told = "";
  try {
    tool("tsc", ["--noEmit", "--strict", "--skipLibCheck", "--target", "ES2022", "--module", "ES2022", "--moduleResolution",
      "Bundler", "--lib", "ES2022,DOM", "wrong_client.ts"]);
  } catch (error) {
    told = String(error.stdout);
  }
  const lines = new Set([...told.matchAll(/wrong_client\.ts\((\d+)/g)].map((found) => found[1]));
  equal(lines.size, 3, `the number of wrong lines that are refused (${told.trim()})`);
}

function runClient() {
  const environment = { ...process.env, NODE_EXTRA_CA_CERTS: path.join(home, "localnet", "gateway.pem") };
  const words = [path.join(work, "client.js"), `https://127.0.0.1:${network.port}`, newAddress()];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { cwd: work, env: environment });
    let told = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (told += piece));
    child.on("exit", (code) => (code === 0 ? resolve(told.trim()) : reject(new Error(told.trim()))));
  });
}

// ---- the browser ----------------------------------------------------------------------------------------------------

/** Carries bytes between the browser and the gateway. `cut` breaks all connections, and `refuse` those to come. */
class Relay {
  sockets = new Set();
  refuses = false;
  bytesLeft = Infinity; // from the gateway, after which the wire breaks
  async listen() {
    this.server = net.createServer((near) => this.carry(near)).listen(0, "127.0.0.1");
    await new Promise((resolve) => this.server.on("listening", resolve));
    return this.server.address().port;
  }
  carry(near) {
    if (this.refuses) return near.resetAndDestroy();
    const far = net.connect(network.port, "127.0.0.1");
    for (const [one, other] of [[near, far], [far, near]]) {
      this.sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        this.sockets.delete(one);
        other.destroy();
      });
    }
    near.pipe(far);
    far.on("data", (piece) => {
      const room = Math.min(piece.length, this.bytesLeft);
      this.bytesLeft -= room;
      near.write(piece.subarray(0, room));
      if (this.bytesLeft === 0) this.cut();
    });
    far.on("end", () => near.end());
  }
  cut() {
    this.bytesLeft = Infinity;
    for (const one of this.sockets) one.resetAndDestroy();
  }
}

const relay = new Relay();
const told = { results: undefined, places: [], states: [] };

/** The server of the page, whose origin is another one than the gateway's. It hears what the page sees. */
async function serveThePage() {
  const server = http.createServer((request, answer) => {
    if (request.method === "GET") {
      answer.setHeader("Content-Type", "text/html");
      return answer.end(fs.readFileSync(path.join(here, "page.html")));
    }
    let body = "";
    request.on("data", (piece) => (body += piece));
    request.on("end", () => {
      const one = JSON.parse(body);
      if (one.results) told.results = one.results;
      if (one.state) told.states.push(one.state);
      if (one.place) told.places.push(one.place === one.said ? one.place : `${one.place}, which says ${one.said}`);
      answer.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.on("listening", resolve));
  return server.address().port;
}

async function openThePage() {
  const [page, wire] = [await serveThePage(), await relay.listen()];
  // The browser believes this key alone, as a client with the pin does.
  const key = new X509Certificate(network.certificate).publicKey.export({ type: "spki", format: "der" });
  const pin = createHash("sha256").update(key).digest("base64");
  start("browser", chromium, [
    ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    `--user-data-dir=${path.join(work, "browser")}`,
    `--ignore-certificate-errors-spki-list=${pin}`,
    "--remote-debugging-port=0", // else it would load the page and end
    `http://127.0.0.1:${page}/?gateway=https://127.0.0.1:${wire}`,
  ]);
  await until(() => told.results !== undefined, "the page tells nothing", 60);
}

/** What a page of another origin can do, and what it cannot. */
function checkResults() {
  const found = told.results;
  equal(found.json, network.chain, "the chain that the page reads");
  equal(found.refusal, "not_there", "the refusal that the page reads");
  equal(found.no_path, "no_such_path", "the refusal of a path that the page reads");
  equal(found.message, "version 2, true", "the message that the page reads");
  equal(found.later, "too_many_requests, true", "what the page reads when it asks too often");
  equal(found.preflight, "bad_json", "the answer to a transaction in JSON");
  equal(found.upload, "400", "the status of an upload with a bad reservation");
  for (const name of ["credentials", "other_method", "other_header"]) {
    wanted(String(found[name]).startsWith("not allowed"), `the page was answered: ${name}: ${found[name]}`);
  }
}

/** All places of the stream's kinds from the first one that the page saw. */
async function allPlaces() {
  const query = `from=${told.places[0]}&kind=transferred,epoch_ended&limit=1000`;
  const page = (await ask(`/v1/events?${query}`, { headers: { Accept: "application/json" } })).json();
  return page.events.map((one) => one.place);
}

async function seesAll(count) {
  await until(() => told.places.length >= count, `the page has seen ${told.places.length} of ${count} events`);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const all = await allPlaces();
  equal(all.length, count, "the number of events");
  equal(told.places.join(" "), all.join(" "), "what the page has seen");
}

const opened = () => told.states.filter((one) => one === "open").length;

/** The page is open again after what `act` does, and has seen the events that happened meanwhile. */
async function reconnects(act) {
  const [before, seen] = [opened(), told.places.length];
  const gifts = await act();
  await until(() => opened() > before, `the page did not connect again: ${told.states.join(" ")}`);
  await seesAll(seen + gifts);
  return `${seen + gifts} events without a gap or a double`;
}

async function runSteps() {
  if (!(await step("a network with a gateway starts", startNetwork))) return;
  network.chain = (await ask("/v1/network")).json().chain;
  if (await step("npm installs what package-lock.json names", install)) {
    await step("openapi-typescript makes types of the document", generate);
    await step("a client compiles with these types, strictly", async () => void tool("tsc", ["-p", "tsconfig.json"]));
    await step("a client that is wrong does not compile", refuseWrong);
    await step("the client runs against the gateway", runClient);
  }
  if (!(await step("a browser opens a page of another origin", openThePage))) return;
  await step("the page can do what anybody may, and nothing with a person's rights", checkResults);
  if (!(await step("EventSource gets live events", async () => {
    await until(() => opened() === 1, "the stream does not open");
    await give();
    await give();
    await seesAll(2);
  }))) return;
  await step("the wire is cut, and events happen while it is", () => reconnects(async () => {
    relay.refuses = true;
    relay.cut();
    await give();
    await give();
    relay.refuses = false;
    return 2;
  }));
  for (const bytes of [1, 150, 700]) {
    await step(`the wire is cut ${bytes} bytes into an event`, () => reconnects(async () => {
      relay.bytesLeft = bytes;
      await give();
      await give();
      return 2;
    }));
  }
  await step("the gateway is killed and started again", () => reconnects(async () => {
    await give();
    await kill(network.process);
    await startAgain();
    await give();
    await give();
    return 3;
  }));
  await step("the stream was never given up", async () => equal(told.states.includes("closed"), false, "closed"));
}

try {
  await runSteps();
} finally {
  for (const child of children) await kill(child);
}
if (failures === 0) fs.rmSync(work, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
console.log(failures === 0 ? "PASS" : `FAIL: ${failures} steps; the logs are in ${work}`);
process.exit(failures === 0 ? 0 : 1);
