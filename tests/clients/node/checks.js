// SPDX-License-Identifier: Apache-2.0
// Checks as tests/lib/checks.sh counts them: a line "ok   WHAT" or "FAIL WHAT (why)" for each.
'use strict';
const { isDeepStrictEqual, inspect } = require('util');

const excerpt = (value) => (typeof value === 'string' ? value : inspect(value, { breakLength: Infinity, depth: 4 })).slice(0, 400).replace(/\n/g, '|');

// The limit is for what is broken, not a measure.
function limited(promise, seconds, what) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`${what}: not within ${seconds} s`)), seconds * 1000); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

class Checks {
  constructor(on, given) {
    Object.assign(this, given);
    this.on = on;
    this.undo = [];
  }

  name(word) { return this.prefix + word; }

  say(passed, what, why) {
    console.log(passed ? `ok   ${this.on}: ${what}` : `FAIL ${this.on}: ${what} (${excerpt(why)})`);
  }

  ok(what, condition, why = 'it is not so') { this.say(Boolean(condition), what, why); }

  equal(what, got, wanted) { this.say(isDeepStrictEqual(got, wanted), what, `got ${excerpt(got)}, wanted ${excerpt(wanted)}`); }

  has(what, part, whole) { this.say(whole.includes(part), what, `no ${excerpt(part)} in ${excerpt(whole)}`); }

  async rejects(what, status, text, promise) {
    try {
      this.say(false, what, `no error but ${excerpt(await promise)}`);
    } catch (error) {
      this.say((status === null || error.statusCode === status) && error.message.includes(text), what, `status ${error.statusCode}, ${error.message}`);
    }
  }

  async until(what, condition, seconds = 60) {
    const end = Date.now() + seconds * 1000;
    while (!await condition()) {
      if (Date.now() > end) { this.say(false, what, `not within ${seconds} s`); return; }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    this.say(true, what);
  }

  // Undone at the end of the group, whatever becomes of it.
  later(call) { this.undo.push(call); }

  async run(group) {
    try {
      await limited(group(this), 300, group.name);
    } catch (error) {
      this.say(false, group.name, `${error.message} ${(error.stack || '').split('\n').slice(1, 4).join(' ')}`);
    }
    for (const call of this.undo.reverse()) await Promise.resolve().then(call).catch(() => {});
    this.undo = [];
  }
}

// All that a stream gives, as text.
function read(stream) {
  return new Promise((resolve, reject) => {
    const parts = [];
    stream.on('data', (part) => parts.push(part));
    stream.on('end', () => resolve(Buffer.concat(parts).toString()));
    stream.on('close', () => resolve(Buffer.concat(parts).toString()));
    stream.on('error', reject);
  });
}

// Resolves when the stream has given this text.
function reads(stream, text) {
  return limited(new Promise((resolve, reject) => {
    let got = '';
    const look = (part) => { got += part; if (got.includes(text)) { stream.off('data', look); resolve(got); } };
    stream.on('data', look);
    stream.on('error', reject);
    stream.on('end', () => reject(new Error(`the stream ended after ${excerpt(got)}`)));
  }), 60, `reading ${excerpt(text)}`);
}

module.exports = { Checks, limited, read, reads };
