// The counter server for deno: the same as counter_server.py but for its faults and signatures, in one file without a
// dependency.
//
//   deno run --allow-net --allow-read --allow-write counters_server.js --port 8001 --data counters.log
//
//   POST /events     {"user": 7, "action": "create"} with a webhook-id: on the disk before it is answered; or POST /
//   GET  /counters   what was counted, as JSON
//   GET  /           the same as a page
//
// Each event is a line of a file that is only appended to. An event's id and its count are the same line, so that what
// is told at least once is counted exactly once, whenever this process is killed.

const ACTIONS = ["create", "delete"];
const MAX_BODY_BYTES = 1024;
const MAX_ID_LENGTH = 256;
const PAGE = new URL("counters.html", import.meta.url);

class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

class Counters {
  #seen = new Map(); // id -> "user action"
  #users = new Map(); // user -> {create, delete}
  #repetitions = 0; // since this process began: they are no part of what is counted
  #file;

  constructor(path) {
    this.#file = Deno.openSync(path, { read: true, write: true, create: true });
    const text = Deno.readTextFileSync(path);
    // A line without its end was being written when the process died; nobody was answered for it.
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    for (const line of whole.split("\n").filter(Boolean)) this.#add(...JSON.parse(line));
    const length = new TextEncoder().encode(whole).length;
    this.#file.truncateSync(length);
    this.#file.seekSync(length, Deno.SeekMode.Start);
  }

  count(id, user, action) {
    const before = this.#seen.get(id);
    if (before !== undefined) {
      if (before !== `${user} ${action}`) throw new Refused(409, "This id was used for another event.");
      this.#repetitions += 1;
      return false;
    }
    this.#write(JSON.stringify([id, user, action]) + "\n");
    this.#add(id, user, action);
    return true;
  }

  summary() {
    const users = Object.fromEntries(this.#users);
    const total = Object.fromEntries(
      ACTIONS.map((action) => [action, [...this.#users.values()].reduce((sum, user) => sum + user[action], 0)]),
    );
    const events = this.#seen.size;
    return { total, users, events, deliveries: events + this.#repetitions };
  }

  #write(line) {
    let bytes = new TextEncoder().encode(line);
    while (bytes.length > 0) bytes = bytes.subarray(this.#file.writeSync(bytes));
    this.#file.syncDataSync();
  }

  #add(id, user, action) {
    this.#seen.set(id, `${user} ${action}`);
    if (!this.#users.has(user)) this.#users.set(user, { create: 0, delete: 0 });
    this.#users.get(user)[action] += 1;
  }
}

async function readEvent(request) {
  const id = request.headers.get("webhook-id") ?? request.headers.get("idempotency-key") ?? "";
  if (id.length === 0 || id.length > MAX_ID_LENGTH) {
    throw new Refused(400, "An event has an id, in webhook-id or Idempotency-Key.");
  }
  if (!(Number(request.headers.get("content-length") ?? Infinity) <= MAX_BODY_BYTES)) {
    throw new Refused(413, `A body has a length, of up to ${MAX_BODY_BYTES} bytes.`);
  }
  let told = null;
  try {
    told = await request.json();
  } catch {
    throw new Refused(400, "The body is no JSON object.");
  }
  const { user, action, ...more } = told ?? {};
  const readable = Number.isSafeInteger(user) || typeof user === "string";
  if (!readable || !ACTIONS.includes(action) || Object.keys(more).length > 0) {
    throw new Refused(400, 'An event is {"user": <id>, "action": "create" or "delete"}.');
  }
  return [id, String(user), action];
}

async function answer(request, counters) {
  const { pathname } = new URL(request.url);
  const headers = { "Cache-Control": "no-store" };
  try {
    if (request.method === "POST" && ["/", "/events"].includes(pathname)) {
      const counted = counters.count(...await readEvent(request));
      return Response.json({ counted }, { status: counted ? 201 : 200, headers });
    }
    if (request.method === "GET" && pathname === "/counters") return Response.json(counters.summary(), { headers });
    if (request.method === "GET" && pathname === "/") {
      return new Response(await Deno.readTextFile(PAGE), {
        headers: { ...headers, "Content-Type": "text/html; charset=utf-8" },
      });
    }
    throw new Refused(404, "There is /, /counters and /events.");
  } catch (refusal) {
    if (!(refusal instanceof Refused)) throw refusal;
    return Response.json({ detail: refusal.message }, { status: refusal.status, headers });
  }
}

function option(name, otherwise) {
  const index = Deno.args.indexOf(`--${name}`);
  return index < 0 ? otherwise : Deno.args[index + 1];
}

const counters = new Counters(option("data", "counters.log"));
Deno.serve(
  {
    hostname: option("host", "127.0.0.1"),
    port: Number(option("port", "8001")),
    onListen: ({ hostname, port }) => console.log(`The counter server listens at http://${hostname}:${port}/.`),
  },
  (request) => answer(request, counters),
);
