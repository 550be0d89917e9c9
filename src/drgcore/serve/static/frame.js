// The language's links keep what stands behind the # of the address.
for (const link of document.querySelectorAll("[data-keep-fragment]")) {
  link.addEventListener("click", () => {
    const query = new URLSearchParams(location.search);
    query.set("lang", new URLSearchParams(link.search).get("lang"));
    link.href = `?${query}${location.hash}`;
  });
}
