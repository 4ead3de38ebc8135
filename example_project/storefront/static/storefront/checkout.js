// Says what the choices come to whenever one changes. Everything works without it: a button asks the same.
const form = document.querySelector("[data-checkout]");
const sum = document.querySelector("[data-sum]");
const TYPING_MS = 500;

let asked = chosen();
let typing = null;
let asking = null;

form.querySelector("[data-quote]").hidden = true;

function chosen() {
  return new URLSearchParams(new FormData(form)).toString();
}

async function ask() {
  clearTimeout(typing);
  const wanted = chosen();
  if (wanted === asked) return;
  asked = wanted;
  asking?.abort();
  asking = new AbortController();
  const body = new FormData(form);
  body.set("quote", "yes");
  sum.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Part": "sum" }, signal: asking.signal });
    // Signed out, or the basket was emptied elsewhere: what is there is better than a page within a page.
    if (answer.ok && !answer.redirected) sum.innerHTML = await answer.text();
    sum.removeAttribute("aria-busy");
  } catch (error) {
    if (error.name === "AbortError") return; // something else was chosen meanwhile, and is asked for
    sum.removeAttribute("aria-busy");
    asked = "";
  }
}

form.addEventListener("change", ask);
// Enter in a field presses the first button of a form, which is that one.
form.addEventListener("submit", (event) => {
  if (event.submitter?.name !== "quote") return;
  event.preventDefault();
  ask();
});
form.addEventListener("input", (event) => {
  if (!event.target.matches("[type=text]")) return;
  clearTimeout(typing);
  typing = setTimeout(ask, TYPING_MS);
});
