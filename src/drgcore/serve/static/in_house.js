// The list is asked for again every minute, unless somebody is in the middle of it.
const fresh = document.getElementById("fresh");

async function again() {
  if (fresh && !document.hidden && !fresh.contains(document.activeElement)) {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const found = page.getElementById("fresh");
      if (answer.ok && found) fresh.replaceChildren(...found.childNodes);
    } catch { /* the server is away; what is shown says when it was read */ }
  }
  setTimeout(again, 60_000);
}
setTimeout(again, 60_000);
