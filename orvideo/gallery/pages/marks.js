"use strict";

/** A place that keeps texts by name: the browser's for this page, or memory where the browser refuses. */
class Shelf {
  constructor() {
    this.memory = new Map();
    this.isKept = this.put("orvideo-gallery", "1");
  }

  get(name) {
    if (this.memory.has(name)) return this.memory.get(name);
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  }

  /** Keep a text; return whether it outlives the page. */
  put(name, text) {
    try {
      localStorage.setItem(name, text);
      this.memory.delete(name);
      return true;
    } catch {
      this.memory.set(name, text);
      return false;
    }
  }
}

/**
 * The marks that a person sets on this page, by job. What the record says of a job holds as long as nobody changed it
 * here; a change is forgotten when the record has it, or was changed itself since.
 */
class Marks {
  constructor(shelf, name) {
    this.shelf = shelf;
    this.name = name;
    this.read();
  }

  read() {
    let kept = null;
    try {
      kept = JSON.parse(this.shelf.get(this.name));
    } catch {
      // What is kept there is no list of marks: as if nothing were.
    }
    const isList = kept !== null && typeof kept === "object" && !Array.isArray(kept);
    this.changes = new Map(isList ? Object.entries(kept) : []);
  }

  of(job) {
    const change = this.changeOf(job);
    return change ? { mark: change.mark, note: change.note } : recorded(job);
  }

  /** Change the mark or the note of a job; return whether that outlives the page. */
  set(job, change) {
    this.read(); // another window may have the same page
    const now = { ...this.of(job), ...change };
    if (isSame(now, recorded(job))) this.changes.delete(job.handle);
    else this.changes.set(job.handle, { ...now, was: recorded(job) });
    return this.shelf.put(this.name, JSON.stringify(Object.fromEntries(this.changes)));
  }

  /** Forget what was changed of a job. */
  drop(handle) {
    this.read();
    this.changes.delete(handle);
    this.shelf.put(this.name, JSON.stringify(Object.fromEntries(this.changes)));
  }

  /** Return what a person changed of a job, and nothing else. */
  changed(job) {
    const now = this.of(job);
    const before = recorded(job);
    const names = ["mark", "note"].filter((name) => (now[name] || "") !== (before[name] || ""));
    return Object.fromEntries(names.map((name) => [name, now[name]]));
  }

  changeOf(job) {
    const change = this.changes.get(job.handle);
    const holds = change && isSame(change.was || {}, recorded(job)) && !isSame(change, recorded(job));
    return holds ? change : null;
  }

  /** Return the lines that `orvideo jobs mark --from` reads, for the jobs that were changed here. */
  lines(jobs) {
    return jobs
      .filter((job) => this.changeOf(job))
      .map((job) => {
        const { mark, note } = this.of(job);
        return [job.name, mark || "-", (note || "").replace(/\s+/g, " ").trim()].join("\t");
      });
  }
}

function recorded(job) {
  return { mark: job.mark, note: job.note };
}

function isSame(one, other) {
  return (one.mark || null) === (other.mark || null) && (one.note || "") === (other.note || "");
}
