// Calls of the server: data as JSON, parts of pages as HTML that it made (every text escaped).
export async function json(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(answer.status);
  return answer.json();
}

// Ask for a part of a page and put it into `place`; says whether the server could do it.
export async function fragment(path, asked, place, failed) {
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/html", "x-fragment": "1" },
      body: JSON.stringify(asked),
    });
    if (answer.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
    place.innerHTML = await answer.text();
    return answer.ok;
  } catch {
    place.textContent = failed;
    return false;
  } finally {
    place.hidden = false;
    place.removeAttribute("aria-busy");
  }
}

export const language = () => (document.documentElement.lang.startsWith("zh") ? "zh" : "en");
