// The script of pages that a server gives: takes what has changed from the same address, and leaves the rest as the reader has
// it: what is filtered, sorted or hidden, and where the page stands.
(() => {
  const { content: events, dataset } = document.querySelector('meta[name="live"]');
  let shown = dataset.version;
  let isBusy = false;
  let wanted = shown;

  const told = (text) => {
    const place = document.getElementById("connection");
    if (place !== null) place.textContent = text;
  };

  /** What the reader did with tables, to do it again. */
  const remembered = () => {
    const filters = [...document.querySelectorAll("input[data-filters]")].map((box) => ({
      of: box.dataset.filters,
      text: box.value,
      hasFocus: document.activeElement === box,
    }));
    const orders = [...document.querySelectorAll("th[aria-sort]")].map((head) => ({
      table: head.closest("table").id,
      column: head.cellIndex,
      isDescending: head.getAttribute("aria-sort") === "descending",
    }));
    return () => {
      for (const { table, column, isDescending } of orders) {
        const button = document.getElementById(table)?.tHead.rows[0].cells[column]?.firstElementChild;
        button?.click();
        if (isDescending) button?.click();
      }
      for (const { of, text, hasFocus } of filters) {
        const box = document.querySelector(`input[data-filters="${of}"]`);
        if (box === null) continue;
        box.value = text;
        box.dispatchEvent(new Event("input"));
        if (hasFocus) box.focus();
      }
    };
  };

  const replace = (next) => {
    const again = remembered();
    // Pictures stay: they are the same, and large.
    const pictures = new Map([...document.querySelectorAll("[data-still]")].map((each) => [each.dataset.still, each]));
    for (const place of next.querySelectorAll("[data-still]")) {
      const picture = pictures.get(place.dataset.still);
      if (picture !== undefined) place.replaceWith(picture);
    }
    document.querySelector("main").replaceWith(next.querySelector("main"));
    document.getElementById("data").textContent = next.getElementById("data").textContent;
    document.title = next.title;
    showPage();
    again();
  };

  const update = async () => {
    if (isBusy || wanted === shown) return;
    isBusy = true;
    const version = wanted;
    try {
      const answer = await fetch(`${location.pathname}?update`);
      if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
      shown = version;
    } catch {
      told("no connection");
    } finally {
      isBusy = false;
    }
    // It may have changed on the way.
    update();
  };

  const source = new EventSource(events);
  source.addEventListener("message", ({ data }) => {
    told("live");
    wanted = data;
    update();
  });
  source.addEventListener("error", () => told("no connection; waiting for the server"));
})();
