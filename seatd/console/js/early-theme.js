// Before anything is painted: the theme that was chosen, if it was.
try {
  const theme = localStorage.getItem("seatd.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // A browser that keeps nothing follows the system.
}
