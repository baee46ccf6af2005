// A partner's own program in another language: publishes the events in a file, and waits for the receipt of each.
// Needs Node 18 or newer, and `npm install @nats-io/transport-node`.
//
// node examples/partner.mjs SERVER CREDENTIALS FILE, for instance
// node examples/partner.mjs nats://127.0.0.1:4222 .repairchain/credentials/retailer.juno.nk events.json
//
// FILE holds a JSON array of CloudEvents. The exit code is 1 if any was rejected.

import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { connect, nkeyAuthenticator } from "@nats-io/transport-node";

const [server, credentials, file] = process.argv.slice(2);
const seed = new TextEncoder().encode((await readFile(credentials, "utf8")).trim());
const events = JSON.parse(await readFile(file, "utf8"));

const connection = await connect({ servers: server, authenticator: nkeyAuthenticator(seed), maxReconnectAttempts: -1 });

// The file is called after the user, whose name is the end of all its subjects: retailer.juno publishes to intake.retailer.juno.
const user = basename(credentials, ".nk");
const waiting = new Map();
connection.subscribe(`receipts.${user}`, {
  callback: (error, message) => {
    for (const receipt of error ? [] : message.json().receipts) waiting.get(receipt.id)?.(receipt);
  },
});
await connection.flush();

// The same id again is the same event: whatever fails or takes too long is simply done once more.
async function publish(event) {
  for (let attempt = 1; attempt <= 10; attempt++) {
    const receipt = new Promise((resolve) => waiting.set(event.id, resolve));
    try {
      const answer = await connection.request(`intake.${user}`, JSON.stringify(event), { timeout: 5_000 });
      const acknowledged = answer.json();
      if (acknowledged.error) throw new Error(acknowledged.error.description); // full for a moment, say
      const late = new Promise((_, reject) => setTimeout(reject, 5_000, new Error("no receipt")).unref());
      return await Promise.race([receipt, late]);
    } catch (error) {
      console.error(`${event.id}: ${error.message}, attempt ${attempt}`);
      await new Promise((resolve) => setTimeout(resolve, 200 * attempt));
    }
  }
  throw new Error(`${event.id} got no receipt`);
}

let rejected = 0;
for (const event of events) {
  const receipt = await publish(event);
  rejected += receipt.outcome === "rejected";
  console.log(event.id, receipt.outcome, receipt.position ?? receipt.problem?.detail ?? "");
}
await connection.drain();
process.exit(rejected ? 1 : 0);
