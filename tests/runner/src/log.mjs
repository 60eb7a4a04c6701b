// The masked log of a job: every line is masked when it is written, as ExecutionContext.Write does, so a mask that is
// registered later does not reach back.

export class JobLog {
  #masker;
  #echo;
  #lines = [];

  constructor(masker, echo) {
    this.#masker = masker;
    this.#echo = echo;
  }

  write(line) {
    const masked = this.#masker.mask(line);
    this.#lines.push(masked);
    this.#echo?.(masked);
  }

  get text() {
    return this.#lines.map((line) => `${line}\n`).join("");
  }
}
