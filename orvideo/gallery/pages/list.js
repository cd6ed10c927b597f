"use strict";

/** How many cards are drawn at once; the others follow when the page can be used. */
const FIRST_CARDS = 60;
const FILTERS = ["search", "model", "batch", "status", "mark"];

const ORDERS = {
  newest: (one, other) => newer(one, other),
  oldest: (one, other) => newer(other, one),
  cost: (one, other) => (other.cost_usd ?? -1) - (one.cost_usd ?? -1) || newer(one, other),
  model: (one, other) => (one.model || "").localeCompare(other.model || "") || newer(one, other),
};

function newer(one, other) {
  return one.created_at === other.created_at ? one.place - other.place : one.created_at < other.created_at ? 1 : -1;
}

/** The cards that pass the filters, in their order, in the grid. */
class List {
  constructor(grid) {
    this.grid = grid;
    this.jobs = new Map();
    this.views = new Map();
    this.order = [];
    this.turn = 0;
    this.active = null;
    this.watch = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "600px 0px" });
    for (const name of [...FILTERS, "sort"]) find(`#${name}`).addEventListener("input", () => this.draw());
    find("#reset").addEventListener("click", () => this.reset());
    grid.addEventListener("focusin", (event) => this.activate(this.viewAt(event.target)));
  }

  /** Take cards that are new or have changed. */
  update(cards) {
    for (const card of cards) {
      const known = this.jobs.get(card.handle);
      const job = { ...card, place: known ? known.place : this.jobs.size };
      this.jobs.set(job.handle, job);
      this.views.get(job.handle)?.show(job);
    }
    this.offer();
    this.draw();
  }

  /** Offer what the jobs have in the filters of model, batch and status; a filter without a choice is not shown. */
  offer() {
    const jobs = [...this.jobs.values()];
    choices(find("#model"), jobs.map((job) => job.model));
    choices(find("#batch"), jobs.map((job) => job.batch));
    choices(find("#status"), jobs.map(kindOf));
  }

  reset() {
    for (const name of FILTERS) find(`#${name}`).value = "";
    this.draw();
    find("#search").focus();
  }

  passing() {
    const [text, model, batch, status, mark] = FILTERS.map((name) => find(`#${name}`).value);
    const needle = text.trim().toLowerCase();
    const chosen = (job) =>
      (!model || job.model === model) && (!batch || job.batch === batch) && (!status || kindOf(job) === status);
    return [...this.jobs.values()].filter(
      (job) => chosen(job) && hasMark(job, mark) && (!needle || wordsOf(job).includes(needle)),
    );
  }

  draw() {
    const jobs = this.passing().sort(ORDERS[find("#sort").value]);
    const order = jobs.map((job) => job.handle);
    const isFiltered = FILTERS.some((name) => find(`#${name}`).value);
    find("#reset").hidden = !isFiltered;
    this.tellSums(jobs);
    tell(find("#empty"), order.length ? "" : isFiltered ? "No video passes these filters." : "No videos yet.");
    if (order.join() === this.order.join()) return;
    this.order = order;
    const focused = this.grid.contains(document.activeElement) ? document.activeElement : null;
    const wanted = new Set(order);
    for (const view of this.views.values()) if (!wanted.has(view.job.handle)) view.item.remove();
    delete this.grid.dataset.whole;
    this.place(this.order.slice(0, FIRST_CARDS));
    this.later(++this.turn);
    if (focused?.isConnected) focused.focus({ preventScroll: true });
  }

  /** Put cards in their order at the beginning; one that is in its place stays untouched, and plays on. */
  place(handles) {
    let next = this.grid.firstElementChild;
    for (const handle of handles) {
      const { item } = this.viewOf(handle);
      if (item === next) next = next.nextElementSibling;
      else this.grid.insertBefore(item, next);
    }
    if (!this.active?.item.isConnected && this.order.length) this.activate(this.viewOf(this.order[0]));
  }

  /** Add what is not drawn yet, when the browser has shown what is. */
  later(turn) {
    requestAnimationFrame(() => setTimeout(() => turn === this.turn && this.whole()));
  }

  /** Add what is not drawn yet. */
  whole() {
    this.place(this.order);
    this.grid.dataset.whole = "yes";
  }

  viewOf(handle) {
    let view = this.views.get(handle);
    if (!view) {
      view = new CardView(this.jobs.get(handle));
      this.views.set(handle, view);
      this.watch.observe(view.item);
    }
    return view;
  }

  viewAt(element) {
    const card = element.closest?.(".card");
    return card ? this.views.get(card.dataset.handle) : null;
  }

  activate(view) {
    if (!view || view === this.active) return;
    this.active?.activate(false);
    view.activate(true);
    this.active = view;
  }

  /** Move the focus by so many cards. */
  move(by) {
    const at = this.order.indexOf(this.active?.job.handle);
    const isIn = this.grid.contains(document.activeElement);
    this.goTo(Math.min(Math.max(isIn ? at + by : at, 0), this.order.length - 1));
  }

  goTo(place) {
    if (!this.order.length) return;
    const view = this.viewOf(this.order.at(place));
    if (!view.item.isConnected) this.whole();
    view.card.focus({ preventScroll: true });
    view.item.scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  get columns() {
    return getComputedStyle(this.grid).gridTemplateColumns.split(" ").length;
  }

  seen(entries) {
    for (const entry of entries) {
      const view = this.viewAt(entry.target.firstElementChild);
      view.near(entry.isIntersecting);
    }
  }

  tellSums(jobs) {
    const all = this.jobs.size;
    const shown = jobs.length === all ? count(all, "job") : `${jobs.length.toLocaleString("en")} of ${count(all, "job")}`;
    const paid = jobs.filter((job) => !job.is_sandbox);
    const open = paid.filter((job) => job.bill === "unknown").length;
    const pending = paid.filter((job) => job.bill === "pending").length;
    const billed = paid.some((job) => job.cost_usd !== null) && `${sumOf(paid)} billed`;
    const rehearsed = paid.length < jobs.length && `${sumOf(jobs.filter((job) => job.is_sandbox))} in the sandbox`;
    const own = paid.filter((job) => job.bill === "own key").length;
    const words = [
      shown,
      billed,
      open && `${open} without a bill`,
      pending && `${pending} not billed yet`,
      own && `${own} billed to your own provider key`,
      rehearsed,
    ];
    find("#sums").textContent = words.filter(Boolean).join(" · ");
  }
}

function sumOf(jobs) {
  const sum = jobs.reduce((total, job) => total + (job.cost_usd ?? 0), 0);
  return `$${sum.toFixed(sum && sum < 0.1 ? 4 : 2)}`;
}

function hasMark(job, wanted) {
  if (!wanted) return true;
  const { mark, note } = marks.of(job);
  return wanted === "note" ? Boolean(note) : wanted === "none" ? !mark : mark === wanted;
}

function wordsOf(job) {
  const words = [job.prompt, job.model, job.id, job.handle, job.batch, job.error, marks.of(job).note];
  return words.filter(Boolean).join("\n").toLowerCase();
}

function choices(select, values) {
  const found = [...new Set(values.filter(Boolean))].sort((one, other) => one.localeCompare(other));
  const before = [...select.options].slice(1).map((option) => option.value);
  select.hidden = found.length < (select.id === "batch" ? 1 : 2) && !select.value;
  if (before.join("\n") === found.join("\n")) return;
  const chosen = select.value;
  const options = found.map((value) => {
    const option = made("option", value.replaceAll("_", " "));
    option.value = value;
    return option;
  });
  select.replaceChildren(select.options[0], ...options);
  select.value = found.includes(chosen) ? chosen : "";
}
