// Keeps parts of a page up to date. Where the server's events come through, they say when to look; where they do not,
// the page looks by itself every few seconds. A page that nobody sees does neither: it would hold a thread of the server.

const parts = [...document.querySelectorAll("[data-live]")];
const feed = document.querySelector("[data-events]")?.dataset.events;
const TOGETHER_MS = 200; // what happens at once is looked at once
const AT_MOST_EACH_MS = 1000; // however much happens
const AFTERWARDS_MS = 1500; // by then the relay has told others what we have just heard of
const ASK_MS = 3000; // without the feed
const LISTENING_ASK_MS = 10000; // with it: other things change, too
const STAY_MS = 1500; // who only passes by opens no feed
const FEED_AGAIN_MS = 20000; // after it was refused: there is room for so many

let source = null;
let refusedAt = -Infinity;
let lookedAt = -Infinity;
let looking = null;
let timers = {};

async function refresh(part) {
  const answer = await fetch(part.dataset.live, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(8000) });
  // Signed out meanwhile, or something broke: what is there is better than that.
  if (!answer.ok || answer.redirected) return;
  const news = await answer.text();
  if (news === part.news || part.contains(document.activeElement)) return;
  part.innerHTML = news;
  part.news = news;
}

function look(only = parts) {
  lookedAt = performance.now();
  looking ??= Promise.allSettled(only.map(refresh)).finally(() => (looking = null));
  return looking;
}

function later(name, milliseconds, action) {
  timers[name] ??= setTimeout(() => {
    delete timers[name];
    action();
  }, milliseconds);
}

function heard() {
  later("together", Math.max(TOGETHER_MS, lookedAt + AT_MOST_EACH_MS - performance.now()), look);
  later("afterwards", AFTERWARDS_MS, look);
}

function listen() {
  if (!feed || source || performance.now() - refusedAt < FEED_AGAIN_MS) return;
  source = new EventSource(feed);
  source.onmessage = heard;
  source.onerror = () => {
    // A browser connects again by itself, unless it was refused.
    if (source?.readyState !== EventSource.CLOSED) return;
    source = null;
    refusedAt = performance.now();
  };
}

function listening() {
  return source?.readyState === EventSource.OPEN;
}

// What is under way is looked at more often: a part says so as long as it is.
function every() {
  const asked = Number(document.querySelector("[data-every]")?.dataset.every);
  return asked || (listening() ? LISTENING_ASK_MS : ASK_MS);
}

async function watch() {
  listen();
  await look();
  if (!document.hidden) later("watch", every(), watch);
}

function rest() {
  source?.close();
  source = null;
  Object.values(timers).forEach(clearTimeout);
  timers = {};
}

document.addEventListener("visibilitychange", () => (document.hidden ? rest() : watch()));
addEventListener("pagehide", rest);
addEventListener("pageshow", (event) => event.persisted && watch());
later("listen", STAY_MS, listen);
look(parts.filter((part) => "now" in part.dataset));
later("watch", every(), watch);
