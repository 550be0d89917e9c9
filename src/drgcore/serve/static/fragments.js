// A form with data-into sends itself and puts the answer into the element of that id.
for (const form of document.querySelectorAll("form[data-into]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const into = document.getElementById(form.dataset.into);
    const button = form.querySelector("button");
    button.disabled = true;
    into.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new FormData(form), headers: { accept: "text/html", "x-fragment": "1" },
      });
      into.innerHTML = await answer.text();
    } catch {
      into.textContent = "✗";
    } finally {
      into.removeAttribute("aria-busy");
      button.disabled = false;
    }
  });
}
