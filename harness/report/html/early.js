document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("sockdiff-theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {}
