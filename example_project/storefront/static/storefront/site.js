// Everything works without this file; it only makes four things nicer.

// A button that turns day into night.
document.querySelector("[data-theme-switch]")?.addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
});

// A form that is on its way says so. (A second click would do no harm: the form carries its key.)
document.addEventListener("submit", (event) => {
  event.submitter?.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});

// Print.
document.querySelector("[data-print]")?.addEventListener("click", () => print());

// Where the doors of a section do not all fit, the one that is open is in sight.
document.querySelector(".sections [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
