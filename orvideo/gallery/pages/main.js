"use strict";

/**
 * The page for what is outside of it: `update(cards)` takes cards that are new or have changed, and a "mark" event says
 * what a person changed (`detail`: handle, change: {mark} or {note}). `live` has the addresses of a page that is served,
 * or null.
 */
class Gallery extends EventTarget {
  constructor(data) {
    super();
    this.live = data.live;
  }

  update(cards) {
    list.update(cards);
    viewer.refresh();
    this.showMarks();
  }

  /** Tell a person something in passing. */
  say(text) {
    say(text);
  }

  /** Change the mark or the note of a job. */
  mark(job, change) {
    const before = marks.of(job);
    // A note on record is one line.
    if (change.note) change.note = change.note.replace(/\s+/g, " ").trim();
    const isKept = marks.set(job, change);
    const now = marks.of(job);
    if (isSame(before, now)) return;
    this.showMarks(job.handle);
    if (!isKept && !this.live) say("This browser keeps nothing for this page: take the marks out before you close it.");
    this.dispatchEvent(new CustomEvent("mark", { detail: { handle: job.handle, change } }));
  }

  /** Take back what was changed here of a job that takes no mark any more. */
  unmark(handle) {
    marks.drop(handle);
    this.showMarks(handle);
  }

  /** Show the marks of one job, or of all, where they are to be seen. */
  showMarks(handle = null) {
    for (const view of handle ? [list.views.get(handle)] : list.views.values()) {
      view?.showMark();
      view?.name();
    }
    viewer.showMark();
    comparison.showMarks();
    takeOut.count();
  }
}

/** Set a mark, or take it away where it is set. */
function toggleMark(job, mark) {
  const now = marks.of(job).mark === mark ? null : mark;
  gallery.mark(job, { mark: now });
  say(now ? `Marked: ${now}` : "No mark");
}

function copyLike(job) {
  if (job.like) copy(job.like);
  else say("The request of this job is not on record: it was submitted elsewhere.");
}

const ACTIONS = {
  play: (view) => view.toggle(),
  keep: (view) => toggleMark(view.job, "keep"),
  reject: (view) => toggleMark(view.job, "reject"),
  compare: (view) => comparison.pick(view),
  like: (view) => copyLike(view.job),
  next: (view) => copy(view.job.next),
  open: (view) => viewer.open(view),
  take: (view, button) => view.choose(Number(button.dataset.take)),
};

function act(event, view) {
  const button = event.target.closest("[data-do]");
  if (button && view) ACTIONS[button.dataset.do]?.(view, button);
}

const THEMES = { "": "light", light: "dark", dark: "" };

function showTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const button = find("#theme");
  button.textContent = { "": "Auto", light: "Light", dark: "Dark" }[theme];
  button.setAttribute("aria-label", `Colours: ${button.textContent.toLowerCase()}`);
}

const page = JSON.parse(find("#data").textContent);
const shelf = new Shelf();
// Pages of one folder share a store: each has its own name in it.
const marks = new Marks(shelf, `orvideo-gallery ${location.pathname}`);
const gallery = new Gallery(page);
const list = new List(find("#grid"));
const viewer = new Viewer(find("#viewer"));
const takeOut = new TakeOut(find("#marks"));
const comparison = new Comparison(find("#comparison"));

find("#grid").addEventListener("click", (event) => act(event, list.viewAt(event.target)));
find("#viewer").addEventListener("click", (event) => act(event, viewer.view));
find("#ask").addEventListener("click", () => find("#help").showModal());
find("#theme").addEventListener("click", () => {
  const theme = THEMES[document.documentElement.dataset.theme];
  shelf.put("orvideo-gallery theme", theme);
  showTheme(theme);
});
addEventListener("storage", () => {
  marks.read();
  gallery.showMarks();
});
const theme = shelf.get("orvideo-gallery theme");
showTheme(theme in THEMES ? theme : "");
gallery.update(page.cards);
document.documentElement.dataset.ready = "yes";
performance.mark("gallery-ready");
// Where there is a record behind the page, marks go there by themselves.
find("#take-out").hidden = page.live !== null;
if (!shelf.isKept && !page.live) say("This browser keeps nothing for this page: take the marks out before you close it.");
