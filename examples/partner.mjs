// A partner's own program in another language: publishes the events in a file, and waits for the receipt of each.
// Needs one package: `npm ci` in this folder fetches it, or `npm install @nats-io/transport-node` anywhere. Node 20 runs it, though
// npm warns there (EBADENGINE): one of the parts of that package asks for Node 22.
//
// node examples/partner.mjs SERVER CREDENTIALS FILE, for instance
// node examples/partner.mjs nats://127.0.0.1:4222 .repairchain/credentials/retailer.juno.nk events.json
//
// FILE holds a CloudEvent as JSON, or an array of them. The exit code is 1 if any was rejected, 2 if any got no receipt.

import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { connect, nkeyAuthenticator } from "@nats-io/transport-node";

const [server, credentials, file] = process.argv.slice(2);
if (!file) leave("say SERVER CREDENTIALS FILE, such as nats://127.0.0.1:4222 retailer.juno.nk events.json");

function leave(sentence) {
  console.error(`partner.mjs: ${sentence}`);
  process.exit(2);
}

const read = (name) => readFile(name, "utf8").catch((error) => leave(`${name} cannot be read (${error.code}).`));
const secret = (await read(credentials)).trim();
if (!/^SU[A-Z2-7]+$/.test(secret)) leave(`${credentials} holds no secret: that is a line that begins with SU.`);
let events;
try {
  events = [JSON.parse(await read(file))].flat();
} catch {
  events = null;
}
if (!events?.every((each) => each && typeof each === "object")) leave(`${file} holds no JSON event, and no array of them.`);

const connection = await connect({
  servers: server,
  authenticator: nkeyAuthenticator(new TextEncoder().encode(secret)),
  maxReconnectAttempts: -1,
}).catch((error) => {
  if (/authorization/i.test(error.message)) {
    leave(`${server} refuses ${credentials}: it was replaced, or this partner is kept out; the operator knows.`);
  }
  leave(`${server} cannot be reached (${error.message}).`);
});

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
      if (/permissions/i.test(error.message)) leave(`${credentials} is not the secret of ${user}: name it after its party.`);
      console.error(`${event.id}: ${error.message}, attempt ${attempt}`);
      await new Promise((resolve) => setTimeout(resolve, 200 * attempt));
    }
  }
  leave(`${event.id} got no receipt; to publish the same again is safe.`);
}

let rejected = 0;
for (const event of events) {
  const receipt = await publish(event);
  rejected += receipt.outcome === "rejected";
  console.log(event.id, receipt.outcome, receipt.position ?? receipt.problem?.detail ?? "");
}
await connection.drain();
process.exit(rejected ? 1 : 0);
