/** The theme that Airflow's UI is in, where it says so; else the one of the system. */

const KEY = "theme";  // of Airflow's UI in localStorage: "light", "dark" or "system"

/** Follow Airflow's theme, also when it changes. */
export function followTheme() {
  apply();
  window.addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) apply();
  });
}

function apply() {
  let theme = null;
  try {
    theme = localStorage.getItem(KEY);
  } catch {  // storage is switched off
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}
