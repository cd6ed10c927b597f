"use strict";

/** How often the page asks what is new, and how long it waits for an answer; milliseconds. */
const NEWS_EVERY = 1000;
const PATIENCE = 15_000;
/** Of a mark: the job is forgotten, the mark is too long, or none. */
const OF_THE_MARK = [410, 413, 422];
const TAKEN = 204;

/** An answer of `orvideo gallery --serve` that says no, and why. */
class Refusal extends Error {
  constructor(status, text) {
    super(text.trim());
    /** Whether it is this mark that is never taken; else it may be another gallery that says no, or trouble that ends. */
    this.isFinal = OF_THE_MARK.includes(status);
  }
}

/** What ties the page to the record: news of the jobs come from there, marks go there. */
class Connection {
  constructor(gallery) {
    this.gallery = gallery;
    this.news = new URL(gallery.live.state, location.href);
    /** What a person changed and the record does not have yet, by job: {mark, note}, or one of them. */
    this.unsent = new Map();
    this.isSending = false;
    this.trouble = made("p", "", "trouble");
    this.trouble.setAttribute("role", "alert");
    this.trouble.hidden = true;
    find("header").append(this.trouble);
    gallery.addEventListener("mark", (event) => this.keep(event.detail));
    // What an earlier visit to this page could not send.
    for (const job of list.jobs.values()) if (marks.changeOf(job)) this.unsent.set(job.handle, marks.changed(job));
    this.ask();
  }

  /** Ask what is new, now and from now on. */
  async ask() {
    try {
      const answer = await this.fetch(this.news);
      const { version, cards } = await answer.json();
      this.news.searchParams.set("since", version);
      if (cards.length) this.gallery.update(cards);
      await this.send();
      if (!this.unsent.size) this.tell("");
    } catch (error) {
      this.failed(error);
    }
    setTimeout(() => this.ask(), NEWS_EVERY);
  }

  /** Send a mark, and keep it until the record has it. */
  async keep({ handle, change }) {
    this.unsent.set(handle, { ...this.unsent.get(handle), ...change });
    try {
      await this.send();
    } catch (error) {
      this.failed(error);
    }
  }

  /** Send the marks that the record lacks, one after the other. */
  async send() {
    if (this.isSending) return;
    this.isSending = true;
    try {
      for (let next = this.nextUnsent(); next; next = this.nextUnsent()) await this.sendOne(...next);
    } finally {
      this.isSending = false;
    }
  }

  nextUnsent() {
    return this.unsent.entries().next().value;
  }

  async sendOne(handle, change) {
    // Only what was changed here: the rest may have been changed elsewhere since.
    const texts = Object.entries(change).map(([name, text]) => [name, text || ""]);
    const body = JSON.stringify({ id: handle, ...Object.fromEntries(texts) });
    try {
      const headers = { "Content-Type": "application/json" };
      const answer = await this.fetch(this.gallery.live.marks, { method: "POST", headers, body, keepalive: true });
      if (answer.status !== TAKEN) throw new Error("This is no gallery's answer.");
    } catch (error) {
      if (!(error instanceof Refusal) || !error.isFinal) throw error;
      this.gallery.say(`The mark was not taken: ${error.message}`);
      this.gallery.unmark(handle);
    }
    // A person may have changed it again meanwhile.
    if (this.unsent.get(handle) === change) this.unsent.delete(handle);
  }

  async fetch(address, options = {}) {
    const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE), ...options });
    if (!answer.ok) throw new Refusal(answer.status, await answer.text());
    return answer;
  }

  failed(error) {
    const why = error instanceof Refusal ? error.message : "orvideo gallery has ended: nothing on this page moves.";
    const waiting = this.unsent.size ? ` ${count(this.unsent.size, "mark")} not on record yet; this page keeps trying.` : "";
    this.tell(why + waiting);
  }

  tell(text) {
    if (this.trouble.textContent !== text) tell(this.trouble, text);
    find("#take-out").hidden = !text || !this.unsent.size;
  }
}

new Connection(gallery);
