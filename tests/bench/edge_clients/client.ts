// A client of a gateway that knows nothing but the types which openapi-typescript has generated from its document. It
// gives money to a new account and checks what the endpoints answer. Arguments: the address of the gateway, and an address
// of an account that has never had a gift. Exit code 1 and a line: what was wrong.
import createClient from "openapi-fetch";
import type { components, paths } from "./gateway";

declare const process: { argv: string[]; exit(code: number): never };

type Reason = components["schemas"]["Error"];

function wanted(holds: boolean, what: string): asserts holds {
  if (!holds) {
    console.log(`wrong: ${what}`);
    process.exit(1);
  }
}

/** The data of an answer that must be good. */
function good<T>(answer: { data?: T; error?: Reason; response: Response }, what: string): T {
  wanted(answer.data !== undefined, `${what}: ${answer.response.status} ${answer.error?.error.code}`);
  return answer.data;
}

const [base, address] = process.argv.slice(2);
wanted(base !== undefined && address !== undefined, "two arguments are needed");
const gateway = createClient<paths, "application/json">({ baseUrl: base });

const network = good(await gateway.GET("/v1/network"), "the network");
const genesis = good(await gateway.GET("/v1/genesis"), "the genesis");
wanted(network.chain === genesis.chain && network.name === genesis.name, "the genesis is of another network");
wanted(network.supply_ok && network.epoch_end_ms > network.epoch_start_ms, "the network is not sound");

const absent = await gateway.GET("/v1/accounts/{address}", { params: { path: { address } } });
wanted(absent.response.status === 404, "there is an account before it has money");
wanted(absent.error?.error.code === "not_there", "the refusal has another name");

const gift = good(await gateway.POST("/v1/faucet", { body: { address } }), "a gift");
wanted(gift.address === address, "the gift is for somebody else");
const done = good(
  await gateway.GET("/v1/transactions/{id}", { params: { path: { id: gift.transaction }, query: { wait: 20000 } } }),
  "the transaction of the gift",
);
wanted(done.state === "applied" && done.height !== undefined, `the gift is ${done.state}`);
const height: number = done.height;

const account = good(
  await gateway.GET("/v1/accounts/{address}", { params: { path: { address }, query: { proof: true } } }),
  "the account",
);
wanted(account.row?.balance_shannons === gift.amount_shannons, "the account has not the money of the gift");
wanted(account.proof !== undefined && account.finality !== undefined, "the row comes without what proves it");

const rows = good(
  await gateway.GET("/v1/rows", { params: { query: { prefix: "0x02", limit: 256 } } }),
  "the rows of the accounts",
);
wanted(rows.rows.some((row) => row.id === address), "the account is not in the list of rows");
wanted(rows.completeness_proven === false, "the list claims to be complete");

const blocks = good(
  await gateway.GET("/v1/blocks/{height}", { params: { path: { height }, query: { limit: 1 } } }),
  "the block of the gift",
);
wanted(blocks.blocks[0]?.height === height && blocks.blocks[0].transactions > 0, "the block has no transaction");

const validators = good(await gateway.GET("/v1/validators"), "the validators");
wanted(validators.rows.length === 1, "there is not one validator");

const events = good(
  await gateway.GET("/v1/events", {
    params: { query: { from: `${height}:0`, address } },
    headers: { Accept: "application/json" },
  }),
  "a page of events",
);
const moved = events.events.find((one) => one.kind === "transferred");
wanted(moved?.transaction === gift.transaction, "no event says that the money was moved");
wanted(moved.amount_shannons === gift.amount_shannons, "the event has another amount");

const forged = await gateway.POST("/v1/transactions", {
  body: { body: "0x00", signature: `0x${"11".repeat(64)}` },
});
wanted(forged.error !== undefined && forged.response.status === 422, "a forged transaction is not refused");

const late = await gateway.GET("/v1/transactions/{id}", { params: { path: { id: `0x${"7".repeat(64)}` } } });
wanted(good(late, "an unknown transaction").state === "unknown", "a transaction is known that nobody sent");
console.log(`all endpoints that were asked answered as the document says; block ${height}`);
