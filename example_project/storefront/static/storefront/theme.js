// Before the first paint, so that a chosen theme does not flash. Without a choice the system's own wins.
(() => {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
