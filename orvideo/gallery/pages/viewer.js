"use strict";

/** One video, large, with all that is known of it. */
class Viewer {
  constructor(dialog) {
    this.dialog = dialog;
    this.video = find("video", dialog);
    this.note = find("#note");
    this.view = null;
    this.url = null;
    /** What the note was when it was last shown: only what a person changed in it is kept. */
    this.noteShown = "";
    this.note.addEventListener("change", () => this.keepNote());
    dialog.addEventListener("close", () => this.closed());
  }

  open(view, isForNote = false) {
    this.view = view;
    view.rest();
    this.show();
    this.showNote();
    if (!this.dialog.open) this.dialog.showModal();
    if (isForNote) this.note.focus();
    else if (view.url) {
      this.video.focus();
      this.video.play().catch(() => undefined);
    }
  }

  show() {
    const { job, url, title } = this.view;
    find("#viewer-title").textContent = job.name;
    find(".prompt bdi", this.dialog).textContent = title;
    find("dl", this.dialog).replaceChildren(...details(job, this.view.take));
    find("#again").hidden = !job.like;
    find("code", this.dialog).textContent = job.like || "";
    this.video.hidden = !url;
    tell(find(".screen .told", this.dialog), url ? "" : reason(job).filter(Boolean).join(": "));
    // To be given its address again would begin the video anew.
    if (url !== this.url) this.load(url);
    this.showMark();
  }

  load(url) {
    this.url = url;
    if (url) {
      this.video.src = url;
    } else {
      this.video.removeAttribute("src");
      this.video.load();
    }
  }

  /** Show the card as it is now. */
  refresh() {
    if (this.view) this.show();
  }

  showNote() {
    this.noteShown = marks.of(this.view.job).note || "";
    this.note.value = this.noteShown;
  }

  /** Go on to the card before or behind. */
  move(by) {
    const handle = list.order[list.order.indexOf(this.view.job.handle) + by];
    if (!handle) return;
    this.keepNote();
    list.activate(list.viewOf(handle));
    this.open(list.viewOf(handle));
  }

  keepNote() {
    if (!this.view || this.note.value === this.noteShown) return;
    gallery.mark(this.view.job, { note: this.note.value.trim() || null });
    this.showNote();
  }

  showMark() {
    if (!this.view) return;
    press(this.dialog, marks.of(this.view.job).mark);
    // What another program wrote is shown, unless a person is writing here.
    if (this.note.value === this.noteShown) this.showNote();
  }

  closed() {
    this.keepNote();
    this.load(null);
    this.view?.card.focus({ preventScroll: true });
    this.view = null;
  }
}

/** Press the buttons of a mark, and no other. */
function press(within, mark) {
  for (const name of ["keep", "reject"]) {
    find(`[data-do=${name}]`, within).setAttribute("aria-pressed", String(mark === name));
  }
}

function details(job, take) {
  const file = playable(job)[take];
  const asked = job.quote?.usd;
  const rows = [
    ["Status", statusText(job)],
    ["Error", job.error],
    ["Model", job.model],
    ["Length", job.duration === null ? null : `${job.duration} s`],
    ["Size", job.size],
    ["Seed", job.seed],
    ["Cost", job.cost],
    ["Quote", asked === null || asked === undefined ? null : `$${asked}`],
    ["Submitted", localTime(job.created_at)],
    ["Ended", localTime(job.ended_at)],
    ["Batch", job.batch && job.batch_row !== null ? `${job.batch}, row ${job.batch_row}` : job.batch],
    ["Id", job.id],
    ["File", file?.path],
    ["To go on", job.next],
  ];
  return rows
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .flatMap(([name, value]) => [made("dt", name), made("dd", String(value))]);
}

function localTime(text) {
  return text && new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

/** The marks of this page as the text that `orvideo jobs mark` reads. */
class TakeOut {
  constructor(dialog) {
    this.dialog = dialog;
    this.text = find("#marks-text");
    find("#take-out").addEventListener("click", () => this.open());
    find("#marks-save").addEventListener("click", () => this.save());
    find("#marks-copy").addEventListener("click", () => copy(this.text.value, "the marks"));
    find("#marks-line").addEventListener("click", () => copy(find("code", dialog).textContent));
  }

  lines() {
    return marks.lines([...list.jobs.values()]);
  }

  count() {
    const number = this.lines().length;
    tell(find("#changes"), number ? String(number) : "");
  }

  open() {
    const lines = this.lines();
    find("#marks-file").hidden = !lines.length;
    find("#marks-told").textContent = lines.length
      ? `${count(lines.length, "job")} marked here, which the record does not have yet.`
      : "Nothing was marked here that the record does not have. Mark a video first: Keep, Reject or a note.";
    this.text.value = lines.map((line) => `${line}\n`).join("");
    this.dialog.showModal();
  }

  save() {
    const link = made("a");
    link.href = URL.createObjectURL(new Blob([this.text.value], { type: "text/plain" }));
    link.download = "marks.txt";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
}
